"""Passwords of users: replaced by themselves and by admins, and what that ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from services import passwords
from services.users import UserService
from tests.answers import code, data, faults, items
from tests.factories import PASSWORD

SignIn = Callable[..., FlaskClient]

USERS = "/api/v1/users"
NEW_PASSWORD = "a violin in Oslo"


class TestReplace:
    def test_of_oneself(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        this, other = sign_in(ada), sign_in(ada)
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

        answer = this.put(f"{USERS}/me/password", json=body)

        assert (answer.status_code, answer.data) == (204, b"")
        assert data(this.get(f"{USERS}/me"))["version"] == 2
        assert data(sign_in(ada, NEW_PASSWORD).get(f"{USERS}/me"))
        grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
        assert code(client.post("/api/v1/auth/token", json=grant)) == "invalid-grant"
        assert len(items(this.get("/api/v1/auth/sessions"))) == 2
        del other

    def test_with_the_wrong_one(self, sign_in: SignIn, session: Session, ada: User) -> None:
        author, url, before = sign_in(ada), f"{USERS}/me/password", ada.password_hash
        session.refresh(ada)
        before = ada.password_hash

        wrong = author.put(url, json={"current_password": "x", "new_password": NEW_PASSWORD})
        without = author.put(url, json={"new_password": NEW_PASSWORD})
        common = author.put(url, json={"current_password": PASSWORD, "new_password": "12345678"})

        assert code(wrong) == code(without) == "reauthentication-required"
        assert faults(common) == {"new_password": "too_common"}
        session.refresh(ada)
        assert ada.password_hash == before

    def test_of_two_with_the_same_current_one_one_is_made(
        self, sign_in: SignIn, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        this, other, url = sign_in(ada), sign_in(ada), f"{USERS}/me/password"
        hash, winners = passwords.hash, []

        def overtaken(text: str) -> str:
            monkeypatch.setattr(passwords, "hash", hash)
            body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            with ThreadPoolExecutor(1) as pool:  # a request within one would share its caller
                winners.append(pool.submit(other.put, url, json=body).result())
            return hash(text)

        monkeypatch.setattr(passwords, "hash", overtaken)
        body = {"current_password": PASSWORD, "new_password": "a piano in Lima"}
        answer = this.put(url, json=body)

        assert [each.status_code for each in winners] == [204]
        assert code(answer) == "reauthentication-required"
        assert data(sign_in(ada, NEW_PASSWORD).get(f"{USERS}/me"))["version"] == 2
        assert code(this.get(f"{USERS}/me")) == "unauthenticated"
        assert data(other.get(f"{USERS}/me"))

    def test_by_an_admin_needs_no_current_one(
        self, sign_in: SignIn, ada: User, admin: User
    ) -> None:
        answer = sign_in(admin).put(
            f"{USERS}/{ada.id}/password", json={"new_password": NEW_PASSWORD}
        )

        assert answer.status_code == 204
        assert data(sign_in(ada, NEW_PASSWORD).get(f"{USERS}/me"))

    def test_by_someone_else(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, editor: User
    ) -> None:
        url, body = f"{USERS}/{ada.id}/password", {"new_password": NEW_PASSWORD}
        before = ada.password_hash

        assert code(client.put(url, json=body)) == "unauthenticated"
        assert code(sign_in(editor).put(url, json=body)) == "forbidden"
        assert code(sign_in(editor).put(url, json={})) == "forbidden"
        assert code(sign_in(editor).put(f"{USERS}/999999/password", json=body)) == "not-found"
        session.refresh(ada)
        assert ada.password_hash == before


class TestEmail:
    def test_is_not_changed_by_a_password_that_was_replaced_meanwhile(
        self, sign_in: SignIn, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        this, other = sign_in(ada), sign_in(ada)
        confirm = UserService.confirm

        def overtaken(service: UserService, id: int, changes: Any) -> Any:
            confirmed = confirm(service, id, changes)
            body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(other.put, f"{USERS}/me/password", json=body).result()
            assert answer.status_code == 204
            return confirmed

        monkeypatch.setattr(UserService, "confirm", overtaken)
        body = {"email": "new@example.com", "current_password": PASSWORD}
        answer = this.patch(f"{USERS}/me", json=body)

        assert code(answer) == "reauthentication-required"
        session.refresh(ada)
        assert ada.email == "ada@example.com"
