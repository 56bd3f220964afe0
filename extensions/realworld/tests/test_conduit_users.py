"""Accounts: sign up, sign in, look at oneself, change oneself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from config import Config
from models import AuditEvent, User, UserSession

if TYPE_CHECKING:
    from tests.conduit import Caller

ADA = {"username": "ada", "email": "ada@test.com", "password": "password"}
BLANK = ["can't be blank"]
TAKEN = ["has already been taken"]
MEMBERS = {"email", "token", "username", "bio", "image"}


class TestSignUp:
    def test_answers_the_account_with_a_token_that_works(self, anyone: Caller) -> None:
        # when
        said = anyone("POST", "/users", 201, {"user": ADA})
        # then
        assert set(said) == {"user"}
        user = said["user"]
        assert set(user) == MEMBERS
        assert (user["username"], user["email"]) == ("ada", "ada@test.com")
        assert user["bio"] is None
        assert user["image"] is None
        found = replace(anyone, token=user["token"])("GET", "/user", 200)
        assert found["user"] == user

    @pytest.mark.parametrize("blank", ["", None])
    @pytest.mark.parametrize("field", ["username", "email", "password"])
    def test_with_a_blank_field(self, anyone: Caller, field: str, blank: Any) -> None:
        found = anyone.errors("POST", "/users", 422, {"user": ADA | {field: blank}})
        assert found == {field: BLANK}

    @pytest.mark.parametrize("body", [{}, {"user": {}}, {"user": None}, {"ada": ADA}, []])
    def test_without_anything_names_all_that_is_missing(self, anyone: Caller, body: Any) -> None:
        found = anyone.errors("POST", "/users", 422, body)
        assert found == {"username": BLANK, "email": BLANK, "password": BLANK}

    def test_with_a_taken_name(self, ada: Caller, anyone: Caller, session: Session) -> None:
        found = anyone.errors("POST", "/users", 409, {"user": ADA | {"email": "b@test.com"}})
        assert found == {"username": TAKEN}
        assert session.query(User).count() == 1

    def test_with_a_taken_address(self, ada: Caller, anyone: Caller, session: Session) -> None:
        found = anyone.errors("POST", "/users", 409, {"user": ADA | {"username": "bob"}})
        assert found == {"email": TAKEN}
        assert session.query(User).count() == 1

    def test_with_both_taken_tells_both(self, ada: Caller, anyone: Caller) -> None:
        found = anyone.errors("POST", "/users", 409, {"user": ADA})
        assert found == {"username": TAKEN, "email": TAKEN}

    @pytest.mark.parametrize("password", ["password", "password123", "bonjour1", "a" * 64])
    def test_takes_simple_passwords(self, anyone: Caller, password: str) -> None:
        anyone("POST", "/users", 201, {"user": ADA | {"password": password}})
        anyone("POST", "/users/login", 200, {"user": {**ADA, "password": password}})

    @pytest.mark.parametrize("name", ["ea_blankp_17951582491234567", "A1_", "x" * 40])
    def test_takes_long_names(self, anyone: Caller, name: str) -> None:
        user = anyone("POST", "/users", 201, {"user": ADA | {"username": name}})["user"]
        assert user["username"] == name

    @pytest.mark.parametrize("host", ["test.com", "mail.com", "example.com"])
    def test_takes_addresses_of_test_hosts(self, anyone: Caller, host: str) -> None:
        email = f"ada@{host}"
        user = anyone("POST", "/users", 201, {"user": ADA | {"email": email}})["user"]
        assert user["email"] == email

    def test_ignores_what_it_does_not_know(self, anyone: Caller) -> None:
        extra = {"role": "admin", "id": 7, "status": "x", "demo": True}
        anyone("POST", "/users", 201, {"user": ADA | extra, "more": 1})

    def test_gives_nobody_a_role(self, anyone: Caller, session: Session) -> None:
        anyone("POST", "/users", 201, {"user": ADA | {"role": "admin"}})
        assert session.query(User).one().role == "author"

    def test_with_a_stale_token_in_the_way(self, anyone: Caller) -> None:
        replace(anyone, token="stale")("POST", "/users", 201, {"user": ADA})

    def test_signs_in_as_any_sign_in_does(self, ada: Caller, session: Session) -> None:
        assert session.query(UserSession).count() == 1
        assert session.query(AuditEvent).filter_by(kind="sign-in").count() == 1

    def test_while_registration_is_closed(
        self, make_app: Callable[[Config], Flask], config: Config, session: Session
    ) -> None:
        closed = make_app(replace(config, REGISTRATION="closed")).test_client()
        answer = closed.post("/api/realworld/users", json={"user": ADA})
        assert answer.status_code == 403
        assert answer.get_json() == {"errors": {"registration": ["forbidden"]}}
        assert session.query(User).count() == 0

    def test_refuses_common_passwords_unless_told_otherwise(
        self, make_app: Callable[[Config], Flask], config: Config, session: Session
    ) -> None:
        strict = make_app(config).test_client()
        answer = strict.post("/api/realworld/users", json={"user": ADA})
        assert answer.status_code == 422
        assert set(answer.get_json()["errors"]) == {"password"}
        assert session.query(User).count() == 0


class TestSignIn:
    def test_answers_the_account_with_a_token_that_works(self, ada: Caller) -> None:
        anyone = replace(ada, token=None)
        user = anyone("POST", "/users/login", 200, {"user": ADA})["user"]
        assert set(user) == MEMBERS
        assert user["token"]
        assert replace(ada, token=user["token"])("GET", "/user", 200)["user"] == user

    @pytest.mark.parametrize("field", ["email", "password"])
    @pytest.mark.parametrize("blank", ["", None])
    def test_with_a_blank_field(self, anyone: Caller, field: str, blank: Any) -> None:
        found = anyone.errors("POST", "/users/login", 422, {"user": ADA | {field: blank}})
        assert found == {field: BLANK}

    @pytest.mark.parametrize("wrong", [{"password": "wrongpass"}, {"email": "no@test.com"}])
    def test_with_wrong_credentials_has_one_answer(
        self, ada: Caller, anyone: Caller, wrong: dict[str, str]
    ) -> None:
        found = anyone.errors("POST", "/users/login", 401, {"user": ADA | wrong})
        assert found == {"credentials": ["invalid"]}

    def test_with_a_stale_token_in_the_way(self, ada: Caller) -> None:
        replace(ada, token="stale")("POST", "/users/login", 200, {"user": ADA})

    def test_counts_guesses(self, make_app: Callable[[Config], Flask], config: Config) -> None:
        limited = replace(config, RATE_LIMITS=True, SIGN_IN_LIMIT=2)
        client = make_app(limited).test_client()
        guesses = [client.post("/api/realworld/users/login", json={"user": ADA}) for _ in range(3)]
        assert [each.status_code for each in guesses] == [401, 401, 429]
        assert set(guesses[2].get_json()) == {"errors"}
        assert guesses[2].headers["Retry-After"]


class TestCurrentUser:
    def test_without_a_token(self, anyone: Caller) -> None:
        assert anyone.errors("GET", "/user", 401) == {"token": ["is missing"]}
        found = anyone.errors("PUT", "/user", 401, {"user": {"bio": "x"}})
        assert found == {"token": ["is missing"]}

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJ0eXAi.e30.x" * 9, "undefined", "null"])
    @pytest.mark.parametrize("scheme", ["Token", "Bearer", "Basic"])
    def test_with_a_bad_token(self, anyone: Caller, token: str, scheme: str) -> None:
        bad = replace(anyone, token=token, scheme=scheme)
        assert bad.errors("GET", "/user", 401) == {"token": ["is invalid"]}

    @pytest.mark.parametrize("scheme", ["Token", "token", "Bearer"])
    def test_with_either_scheme(self, ada: Caller, scheme: str) -> None:
        user = replace(ada, scheme=scheme)("GET", "/user", 200)["user"]
        assert user["token"] == ada.token

    def test_what_has_a_token_is_kept_nowhere(self, ada: Caller) -> None:
        for answer in (
            ada.ask("GET", "/user"),
            ada.ask("PUT", "/user", json={"user": {}}),
            ada.ask("POST", "/users/login", json={"user": ADA}),
        ):
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "no-store"

    def test_after_signing_out_elsewhere(self, ada: Caller) -> None:
        ada.client.post("/api/v1/auth/revoke", json={"token": ada.token})
        assert ada.errors("GET", "/user", 401) == {"token": ["is invalid"]}

    def test_tokens_of_the_core_are_the_same(self, ada: Caller) -> None:
        headers = {"Authorization": f"Bearer {ada.token}"}
        assert ada.client.get("/api/v1/users/me", headers=headers).status_code == 200

    def test_the_scheme_is_good_here_alone(self, ada: Caller) -> None:
        headers = {"Authorization": f"Token {ada.token}"}
        assert ada.client.get("/api/v1/users/me", headers=headers).status_code == 401


class TestUpdate:
    def change(self, caller: Caller, status: int = 200, **members: Any) -> Any:
        said = caller("PUT", "/user", status, {"user": members})
        return said.get("user", said.get("errors"))

    def test_changes_what_is_given_only(self, ada: Caller) -> None:
        before = ada("GET", "/user", 200)["user"]
        after = self.change(ada, bio="I write.", image="https://example.org/a.png")
        assert after == before | {"bio": "I write.", "image": "https://example.org/a.png"}
        assert ada("GET", "/user", 200)["user"] == after
        assert self.change(ada, bio="Less.") == after | {"bio": "Less."}

    def test_with_nothing_changes_nothing(self, ada: Caller, session: Session) -> None:
        before = ada("GET", "/user", 200)["user"]
        assert self.change(ada) == before
        assert session.query(User).one().version == 1

    @pytest.mark.parametrize("empty", ["", None])
    @pytest.mark.parametrize("field", ["bio", "image"])
    def test_empty_text_is_null(self, ada: Caller, field: str, empty: Any) -> None:
        self.change(ada, 200, **{field: "something"})
        assert self.change(ada, 200, **{field: empty})[field] is None
        assert ada("GET", "/user", 200)["user"][field] is None
        assert ada("GET", "/profiles/ada", 200)["profile"][field] is None

    @pytest.mark.parametrize(
        "image",
        [
            "javascript:alert(1)",
            '"><script>alert(1)</script>',
            "x' onerror='alert(1)",
            "data:text/html;base64,PHNjcmlwdD4=",
            "not a url",
        ],
    )
    def test_an_image_is_any_text(self, ada: Caller, image: str) -> None:
        assert self.change(ada, image=image)["image"] == image
        assert ada("GET", "/profiles/ada", 200)["profile"]["image"] == image

    @pytest.mark.parametrize("field", ["email", "username", "password"])
    @pytest.mark.parametrize("blank", ["", None])
    def test_what_must_not_be_blank(self, ada: Caller, field: str, blank: Any) -> None:
        assert self.change(ada, 422, **{field: blank}) == {field: BLANK}
        assert ada("GET", "/user", 200)["user"]["email"] == "ada@test.com"

    def test_a_short_password_is_refused(self, ada: Caller) -> None:
        assert set(self.change(ada, 422, password="1234567")) == {"password"}
        ada("POST", "/users/login", 200, {"user": ADA})

    @pytest.mark.parametrize("password", ["12345678", "a" * 64])
    def test_a_password_of_8_to_64_characters(self, ada: Caller, password: str) -> None:
        self.change(ada, password=password)
        ada("POST", "/users/login", 200, {"user": ADA | {"password": password}})
        ada("POST", "/users/login", 401, {"user": ADA})

    def test_the_token_outlives_new_passwords(self, ada: Caller) -> None:
        assert self.change(ada, password="new-password-1")["token"] == ada.token
        self.change(ada, password="new-password-2")
        ada("GET", "/user", 200)

    def test_a_new_password_ends_other_sign_ins(self, ada: Caller) -> None:
        other = ada("POST", "/users/login", 200, {"user": ADA})["user"]["token"]
        self.change(ada, password="new-password-1")
        replace(ada, token=other).errors("GET", "/user", 401)

    def test_new_names_keep_the_token_and_the_rest(self, ada: Caller) -> None:
        self.change(ada, bio="I write.")
        after = self.change(ada, username="ada_upd", email="ada_upd@test.com")
        found = replace(ada, token=after["token"])("GET", "/user", 200)["user"]
        assert (found["username"], found["email"]) == ("ada_upd", "ada_upd@test.com")
        assert found["bio"] == "I write."
        ada("POST", "/users/login", 200, {"user": {**ADA, "email": "ada_upd@test.com"}})
        ada.errors("GET", "/profiles/ada", 404)

    def test_ones_own_address_is_not_taken(self, ada: Caller) -> None:
        user = ada("GET", "/user", 200)["user"]
        assert self.change(ada, 200, **{**user, "password": "new-password-1"}) == user

    def test_anothers_name_or_address_is_taken(self, ada: Caller, bob: Caller) -> None:
        assert self.change(ada, 409, username="bob") == {"username": TAKEN}
        assert self.change(ada, 409, email="bob@test.com") == {"email": TAKEN}
        assert ada("GET", "/user", 200)["user"]["email"] == "ada@test.com"

    def test_a_refused_change_changes_nothing_at_all(self, ada: Caller, bob: Caller) -> None:
        self.change(ada, 409, username="bob", image="x", password="new-password-1")
        assert ada("GET", "/user", 200)["user"]["image"] is None
        ada("POST", "/users/login", 200, {"user": ADA})

    def test_ignores_what_it_does_not_know(self, ada: Caller, session: Session) -> None:
        self.change(ada, role="admin", token="x", demo=True)
        assert session.query(User).one().role == "author"

    def test_an_account_shows_its_profile_to_the_core(self, ada: Caller) -> None:
        self.change(ada, bio="I write.")
        user = ada.client.get("/api/v1/users?sort=created_at").get_json()["items"][0]
        assert (user["username"], user["bio"]) == ("ada", "I write.")

    def test_no_answer_has_a_password(self, ada: Caller) -> None:
        answer = ada.ask("PUT", "/user", json={"user": {"password": "new-password-1"}})
        assert not re.search("new-password-1|argon2|hash", answer.text)


class TestConfirmation:
    """By default the present password is asked for, as the core does."""

    @pytest.fixture
    def careful(self, ada: Caller, make_app: Callable[[Config], Flask], config: Config) -> Caller:
        app = make_app(replace(config, PASSWORD_BLOCKLIST=Path("off")))
        return replace(ada, client=app.test_client())

    @pytest.mark.parametrize("change", [{"password": "new-password-1"}, {"email": "x@test.com"}])
    @pytest.mark.parametrize("given", [{}, {"currentPassword": "wrong"}])
    def test_is_missing_or_wrong(
        self, careful: Caller, change: dict[str, str], given: dict[str, str]
    ) -> None:
        found = careful.errors("PUT", "/user", 422, {"user": change | given})
        assert found == {"currentPassword": ["is missing or wrong"]}
        careful("POST", "/users/login", 200, {"user": ADA})

    def test_is_right(self, careful: Caller) -> None:
        change = {"password": "new-password-1", "email": "x@test.com"}
        given = {"currentPassword": "password"}
        user = careful("PUT", "/user", 200, {"user": change | given})["user"]
        assert user["email"] == "x@test.com"
        careful("GET", "/user", 200)

    def test_is_not_needed_for_the_rest(self, careful: Caller) -> None:
        same = {"email": "ada@test.com", "username": "ada_2", "bio": "x", "image": "y"}
        user = careful("PUT", "/user", 200, {"user": same})["user"]
        assert (user["username"], user["bio"], user["image"]) == ("ada_2", "x", "y")
