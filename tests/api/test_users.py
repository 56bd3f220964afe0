"""Users over HTTP: signing up, profiles, lists, changing oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import User
from tests.answers import code, data, faults, ids, items
from tests.factories import PASSWORD, make_post, make_user

SignIn = Callable[..., FlaskClient]

USERS = "/api/v1/users"
NEW_PASSWORD = "a violin in Oslo"
SIGN_UP = {"username": "Eve-1", "email": "Eve@Example.COM", "password": NEW_PASSWORD}
PUBLIC = {
    "id",
    "username",
    "name",
    "bio",
    "avatar_url",
    "snippet",
    "role",
    "posts_count",
    "created_at",
}
OWN = PUBLIC | {"email", "email_verified", "status", "avatar_id", "updated_at", "version"}


def count(session: Session) -> int:
    """Return how many users there are."""
    return session.scalar(sa.select(sa.func.count()).select_from(User)) or 0


class TestSignUp:
    def test_by_nobody(self, client: FlaskClient, sign_in: SignIn, session: Session) -> None:
        answer = client.post(USERS, json={**SIGN_UP, "name": " Eve ", "bio": "a\nb"})

        made = data(answer, 201)
        assert set(made) == OWN
        assert answer.headers["Location"] == f"{USERS}/{made['id']}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert made["username"] == "Eve-1"
        assert made["email"] == "Eve@example.com"
        assert made["name"] == "Eve"
        assert made["bio"] == "a\nb"
        assert made["role"] == "author"
        assert made["status"] == "active"
        assert made["email_verified"] is False
        assert made["posts_count"] == 0
        stored = session.get_one(User, made["id"])
        assert stored.password_hash.startswith("$argon2id$")
        assert data(sign_in(stored, NEW_PASSWORD).get(f"{USERS}/me"))["id"] == made["id"]

    @pytest.mark.parametrize(
        ("changes", "taken"),
        [
            ({"username": "ADA", "email": "e@example.com"}, {"username": "taken"}),
            ({"email": "ADA@EXAMPLE.com"}, {"email": "taken"}),
            (
                {"username": "aDa", "email": "ada@example.com"},
                dict.fromkeys(("username", "email"), "taken"),
            ),
        ],
    )
    def test_with_taken_names(
        self,
        changes: dict[str, str],
        taken: dict[str, str],
        client: FlaskClient,
        ada: User,
        session: Session,
    ) -> None:
        answer = client.post(USERS, json=SIGN_UP | changes)

        assert answer.status_code == 409
        assert code(answer) == f"{next(iter(taken))}-taken"
        assert faults(answer) == taken
        assert count(session) == 1

    def test_lists_every_fault(self, client: FlaskClient, session: Session) -> None:
        body = {
            "username": "a b",
            "email": "nobody",
            "password": "password",
            "name": 7,
            "role": "admin",
            "status": "active",
            "id": 1,
            "email_verified": True,
            "is_admin": True,
        }

        answer = client.post(USERS, json=body)

        assert faults(answer) == {
            "username": "format",
            "email": "format",
            "password": "too_common",
            "name": "type",
            "role": "read_only",
            "status": "read_only",
            "id": "read_only",
            "email_verified": "read_only",
            "is_admin": "unknown",
        }
        assert count(session) == 0

    @pytest.mark.parametrize("username", ["ab", "x" * 41, "ёлка", "a\u200db", "a.b", ""])
    def test_with_a_wrong_username(self, username: str, client: FlaskClient) -> None:
        assert set(faults(client.post(USERS, json=SIGN_UP | {"username": username}))) == {
            "username"
        }

    def test_where_registration_is_closed(
        self,
        make_app: Callable[[Config], Flask],
        config: Config,
        sign_in: SignIn,
        ada: User,
        admin: User,
        session: Session,
    ) -> None:
        closed = make_app(replace(config, REGISTRATION="closed")).test_client()

        def ask(user: User | None) -> tuple[int, str | None]:
            token = sign_in(user).environ_base["HTTP_AUTHORIZATION"] if user else None
            headers = {"Authorization": token} if token else {}
            answer = closed.post(USERS, json=SIGN_UP, headers=headers)
            return answer.status_code, answer.get_json().get("code")

        assert ask(None) == (401, "unauthenticated")
        assert ask(ada) == (403, "forbidden")
        assert count(session) == 2
        assert ask(admin) == (201, None)

    def test_by_an_admin_may_name_the_role(self, sign_in: SignIn, admin: User) -> None:
        made = data(sign_in(admin).post(USERS, json={**SIGN_UP, "role": "editor"}), 201)

        assert made["role"] == "editor"


class TestGet:
    def test_by_others_is_a_public_profile(
        self, client: FlaskClient, sign_in: SignIn, ada: User, mallory: User, editor: User
    ) -> None:
        for caller in (client, sign_in(mallory), sign_in(editor)):
            for url in (f"{USERS}/{ada.id}", f"{USERS}/by-username/ADA"):
                assert set(data(caller.get(url))) == PUBLIC

    def test_by_oneself_and_admins_is_whole(self, sign_in: SignIn, ada: User, admin: User) -> None:
        author = sign_in(ada)
        for url in (f"{USERS}/{ada.id}", f"{USERS}/me", f"{USERS}/by-username/Ada"):
            assert set(data(author.get(url))) == OWN
            assert data(author.get(url))["email"] == "ada@example.com"
        assert set(data(sign_in(admin).get(f"{USERS}/{ada.id}"))) == OWN

    def test_posts_count_is_of_what_everyone_sees(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        make_post(session, ada)
        make_post(session, ada, status="draft")

        assert data(client.get(f"{USERS}/{ada.id}"))["posts_count"] == 1
        assert data(sign_in(ada).get(f"{USERS}/me"))["posts_count"] == 1

    def test_by_what_is_no_name_or_id(self, client: FlaskClient, ada: User) -> None:
        for path in (
            *("by-username/nobody", "by-username/%00", "by-username/%ff", "by-username/a%00da"),
            *("0", "01", "+1", "1.0", "-1", "x", "Me", str(2**53), "1" * 400, "%D9%A1", "%00"),
        ):
            assert code(client.get(f"{USERS}/{path}")) == "not-found", path


class TestList:
    def test_never_has_emails_but_for_admins(
        self, client: FlaskClient, sign_in: SignIn, ada: User, editor: User, admin: User
    ) -> None:
        for caller in (client, sign_in(ada), sign_in(editor)):
            assert all(set(each) == PUBLIC for each in items(caller.get(USERS)))
        assert all(set(each) == OWN for each in items(sign_in(admin).get(USERS)))

    def test_by_role_ids_and_order(
        self, client: FlaskClient, ada: User, bob: User, editor: User, admin: User
    ) -> None:
        everyone = [ada.id, bob.id, editor.id, admin.id]

        assert ids(client.get(USERS)) == everyone
        assert ids(client.get(f"{USERS}?sort=-created_at")) == everyone[::-1]
        assert ids(client.get(f"{USERS}?role=reader")) == [bob.id]
        assert ids(client.get(f"{USERS}?ids={bob.id},{ada.id}")) == [ada.id, bob.id]
        assert ids(client.get(f"{USERS}?sort=username")) == everyone[:3] + everyone[3:]
        assert faults(client.get(f"{USERS}?role=king")) == {"role": "choice"}
        assert faults(client.get(f"{USERS}?email=ada@example.com")) == {"email": "unknown"}
        assert faults(client.get(f"{USERS}?sort=email")) == {"sort": "choice"}


class TestUpdate:
    def test_of_oneself(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)

        changed = data(author.patch(f"{USERS}/me", json={"name": "Ada", "username": "ADA"}))
        reset = data(author.patch(f"{USERS}/{ada.id}", json={"name": None}))

        assert (changed["name"], changed["username"], changed["version"]) == ("Ada", "ADA", 2)
        assert reset["name"] is None
        assert author.get(f"{USERS}/me").status_code == 200

    def test_without_a_difference(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)
        before = data(author.get(f"{USERS}/me"))
        same = {name: before[name] for name in ("username", "email", "name", "bio")}

        assert data(author.patch(f"{USERS}/me", json={})) == before
        assert data(author.patch(f"{USERS}/me", json=same)) == before
        assert data(author.put(f"{USERS}/me", json=same)) == before

    def test_to_a_taken_name(self, sign_in: SignIn, session: Session, ada: User, bob: User) -> None:
        answer = sign_in(ada).patch(f"{USERS}/me", json={"username": "BOB", "name": "x"})

        assert code(answer) == "username-taken"
        assert faults(answer) == {"username": "taken"}
        session.refresh(ada)
        assert (ada.username, ada.name, ada.version) == ("ada", None, 1)

    def test_of_ones_email_needs_the_password(
        self, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        author, email = sign_in(ada), "new@example.com"

        without = author.patch(f"{USERS}/me", json={"email": email})
        wrong = author.patch(f"{USERS}/me", json={"email": email, "current_password": "x"})
        session.refresh(ada)
        before = ada.email
        right = author.patch(f"{USERS}/me", json={"email": email, "current_password": PASSWORD})

        assert code(without) == code(wrong) == "reauthentication-required"
        assert before == "ada@example.com"
        assert data(right)["email"] == email
        assert data(right)["email_verified"] is False
        assert "current_password" not in data(right)

    def test_put_keeps_role_and_status(self, sign_in: SignIn, session: Session) -> None:
        eve = make_user(session, "eve", role="editor", name="Eve", bio="x")

        replaced = data(
            sign_in(eve).put(f"{USERS}/me", json={"username": "eve", "email": eve.email})
        )

        assert replaced["role"] == "editor"
        assert (replaced["name"], replaced["bio"]) == (None, None)

    def test_put_needs_every_required_field(self, sign_in: SignIn, ada: User) -> None:
        answer = sign_in(ada).put(f"{USERS}/me", json={"name": "x"})

        assert faults(answer) == {"username": "required", "email": "required"}
