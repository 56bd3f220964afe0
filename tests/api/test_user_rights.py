"""Who may change whom: roles, suspension, the last admin, and what ends with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import AuditEvent, Change, User, UserSession
from tests.answers import code, data, faults, ids
from tests.factories import make_post, make_user

SignIn = Callable[..., FlaskClient]

USERS, POSTS = "/api/v1/users", "/api/v1/posts"


def state(session: Session, user: User) -> tuple[str, str, bool]:
    """Return role, status and whether the user is deleted, as stored."""
    session.refresh(user)
    return user.role, user.status, user.deleted_at is not None


class TestRights:
    @pytest.mark.parametrize("role", ["reader", "author", "editor"])
    def test_of_others_end_at_reading(
        self, role: str, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        caller = sign_in(make_user(session, "eve", role=role))
        url = f"{USERS}/{ada.id}"

        assert caller.get(url).status_code == 200
        for verb, body in (
            ("PATCH", {"name": "x"}),
            ("PATCH", {"role": "admin"}),
            ("PATCH", {"nonsense": 1}),
            ("PUT", {"username": "x"}),
            ("DELETE", None),
        ):
            assert code(caller.open(url, method=verb, json=body)) == "forbidden", (verb, body)
        assert state(session, ada) == ("author", "active", False)

    @pytest.mark.parametrize("role", ["reader", "author", "editor"])
    def test_nobody_raises_themselves(self, role: str, sign_in: SignIn, session: Session) -> None:
        eve = make_user(session, "eve", role=role)
        caller = sign_in(eve)
        base = {"username": "eve", "email": "eve@example.com"}

        for verb, body in (("PATCH", {}), ("PUT", base)):
            answer = caller.open(
                f"{USERS}/me", method=verb, json={**body, "role": "admin", "status": "active"}
            )
            assert faults(answer) == {"role": "read_only", "status": "read_only"}
        assert state(session, eve) == (role, "active", False)

    def test_tell_themselves(
        self, client: FlaskClient, sign_in: SignIn, ada: User, mallory: User, admin: User
    ) -> None:
        url = f"{USERS}/{ada.id}/can"
        yes = {"allowed": True}

        def no(reason: str) -> dict[str, object]:
            return {
                "read": yes,
                "update": {"allowed": False, "reason": reason},
                "delete": {"allowed": False, "reason": reason},
            }

        assert data(client.get(url)) == no("signed-out")
        assert data(sign_in(mallory).get(url)) == no("not-self")
        for caller in (sign_in(ada), sign_in(admin)):
            assert data(caller.get(url)) == {"read": yes, "update": yes, "delete": yes}
        assert data(sign_in(ada).get(f"{USERS}/me/can"))["update"] == yes

    def test_over_posts_tell_themselves(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        bob: User,
        mallory: User,
        editor: User,
    ) -> None:
        url = f"{POSTS}/{make_post(session, ada).id}/can"
        told = {
            name: data(caller.get(url))["update"]
            for name, caller in (
                ("nobody", client),
                ("bob", sign_in(bob)),
                ("mallory", sign_in(mallory)),
                ("ada", sign_in(ada)),
                ("grace", sign_in(editor)),
            )
        }

        assert told == {
            "nobody": {"allowed": False, "reason": "signed-out"},
            "bob": {"allowed": False, "reason": "role"},
            "mallory": {"allowed": False, "reason": "not-author"},
            "ada": {"allowed": True},
            "grace": {"allowed": True},
        }
        draft = make_post(session, ada, status="draft")
        assert code(client.get(f"{POSTS}/{draft.id}/can")) == "not-found"


class TestRole:
    def test_is_changed_by_an_admin(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        author = sign_in(ada)

        changed = data(sign_in(admin).patch(f"{USERS}/{ada.id}", json={"role": "editor"}))

        assert changed["role"] == "editor"
        assert code(author.get(f"{USERS}/me")) == "unauthenticated"
        kept = session.scalars(sa.select(UserSession.user_id)).all()
        assert sorted(kept) == sorted([ada.id, admin.id])  # a refresh brings the new role
        kinds = session.scalars(sa.select(AuditEvent.kind)).all()
        assert kinds.count("role-change") == 1
        assert data(sign_in(ada).get(f"{USERS}/me"))["role"] == "editor"

    def test_of_the_same_name_ends_nothing(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        author = sign_in(ada)

        data(sign_in(admin).patch(f"{USERS}/{ada.id}", json={"role": "author", "name": "Ada"}))

        assert data(author.get(f"{USERS}/me"))["name"] == "Ada"


class TestSuspend:
    def test_ends_tokens_and_hides(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        post = make_post(session, ada)
        author, root = sign_in(ada), sign_in(admin)

        data(root.patch(f"{USERS}/{ada.id}", json={"status": "suspended"}))

        assert code(author.get(f"{USERS}/me")) == "unauthenticated"
        grant = {"grant_type": "password", "username": "ada", "password": "a long way to Tipperary"}
        assert code(client.post("/api/v1/auth/token", json=grant)) == "invalid-grant"
        assert code(client.get(f"{POSTS}/{post.id}")) == "not-found"
        assert ids(client.get(f"{POSTS}?author=ada")) == []
        assert data(root.get(f"{POSTS}/{post.id}"))["id"] == post.id
        rows = session.execute(
            sa.select(Change.was, Change.now).where(Change.type == "posts", Change.id == post.id)
        )
        assert [tuple(row) for row in rows] == [(2, 1)]

        data(root.patch(f"{USERS}/{ada.id}", json={"status": "active"}))

        assert data(client.get(f"{POSTS}/{post.id}"))["version"] == post.version
        assert data(sign_in(ada).get(f"{USERS}/me"))["status"] == "active"


class TestLastAdmin:
    REFUSED: tuple[tuple[str, dict[str, str] | None], ...] = (
        ("PATCH", {"role": "editor"}),
        ("PATCH", {"status": "suspended"}),
        ("DELETE", None),
    )

    @pytest.mark.parametrize(("verb", "body"), REFUSED)
    def test_stays(
        self,
        verb: str,
        body: dict[str, str] | None,
        sign_in: SignIn,
        session: Session,
        admin: User,
    ) -> None:
        make_user(session, "gone", role="admin", status="suspended")
        root = sign_in(admin)

        answer = root.open(f"{USERS}/me", method=verb, json=body)

        assert answer.status_code == 409
        assert code(answer) == "last-admin"
        assert state(session, admin) == ("admin", "active", False)
        assert root.get(f"{USERS}/me").status_code == 200

    @pytest.mark.parametrize(("verb", "body"), REFUSED)
    def test_may_go_where_there_is_another(
        self,
        verb: str,
        body: dict[str, str] | None,
        sign_in: SignIn,
        session: Session,
        admin: User,
    ) -> None:
        make_user(session, "other", role="admin")

        answer = sign_in(admin).open(f"{USERS}/me", method=verb, json=body)

        assert answer.status_code in {200, 204}
        assert state(session, admin) != ("admin", "active", False)

    def test_keeps_the_role_in_a_replacement(
        self, sign_in: SignIn, session: Session, admin: User
    ) -> None:
        body = {"username": "root", "email": "root@example.com", "name": "R"}

        assert data(sign_in(admin).put(f"{USERS}/me", json=body))["role"] == "admin"

    def test_may_remove_a_suspended_one(
        self, sign_in: SignIn, session: Session, admin: User
    ) -> None:
        gone = make_user(session, "gone", role="admin", status="suspended")
        root = sign_in(admin)

        data(root.patch(f"{USERS}/{gone.id}", json={"role": "reader"}))

        assert root.delete(f"{USERS}/{gone.id}").status_code == 204


class TestMe:
    def test_needs_somebody(self, client: FlaskClient) -> None:
        for verb, path in (
            ("GET", ""),
            ("HEAD", ""),
            ("PUT", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("GET", "/can"),
            ("GET", "/posts"),
            ("PUT", "/password"),
        ):
            answer = client.open(f"{USERS}/me{path}", method=verb, json={})
            assert answer.status_code == 401, (verb, path)

    def test_is_the_caller(self, sign_in: SignIn, ada: User, mallory: User) -> None:
        for user in (ada, mallory):
            caller = sign_in(user)
            for path in ("", "?fields=id", "/"):
                assert data(caller.get(f"{USERS}/me{path}"))["id"] == user.id
        assert code(sign_in(ada).get(f"{POSTS}/me")) == "not-found"
