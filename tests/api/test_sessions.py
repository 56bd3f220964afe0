"""Signing in, going on and signing out over HTTP: /auth/token, /revoke, /sessions, /whoami."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import LoginAttempt, RefreshToken, User, UserSession
from services.registry import RESOURCES
from tests.factories import PASSWORD, make_user

TOKEN, REVOKE = "/api/v1/auth/token", "/api/v1/auth/revoke"
SESSIONS, WHOAMI = "/api/v1/auth/sessions", "/api/v1/auth/whoami"
SignIn = Callable[[User], FlaskClient]


def grant(name: str = "ada", password: str = PASSWORD) -> dict[str, str]:
    return {"grant_type": "password", "username": name, "password": password}


def signed_in(client: FlaskClient, name: str = "ada") -> dict[str, Any]:
    answer = client.post(TOKEN, json=grant(name))
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def assert_problem(answer: TestResponse, status: int, code: str, error: str) -> None:
    body = answer.get_json()
    assert (answer.status_code, body["code"], body["error"]) == (status, code, error)
    assert body["error_description"]
    assert answer.headers["Cache-Control"] == "no-store"


class TestPasswordGrant:
    @pytest.mark.parametrize("kind", ["json", "data"])
    def test_answers_as_oauth_does(self, client: FlaskClient, ada: User, kind: str) -> None:
        # when
        answer = client.post(TOKEN, **{kind: grant()})
        # then
        body = answer.get_json()
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert body.keys() == {
            "access_token", "token_type", "expires_in", "refresh_token", "scope",
        }  # fmt: skip
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert "posts:write" in body["scope"].split()

    @pytest.mark.parametrize(
        "header", ["Basic Og==", "Basic " + base64.b64encode(b"a:b").decode(), "Bearer x", ""]
    )
    def test_ignores_what_consoles_send_along(
        self, client: FlaskClient, ada: User, header: str
    ) -> None:
        # given
        form = grant() | {"scope": "", "client_id": "", "client_secret": ""}
        # when
        answer = client.post(TOKEN, data=form, headers={"Authorization": header})
        # then
        assert answer.status_code == 200

    def test_is_refused_alike_for_every_reason(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        # given
        make_user(session, "sue", status="suspended")
        tries = [grant("ada", "a wrong way"), grant("nobody"), grant("sue"), grant("x", "y")]
        # when
        answers = [client.post(TOKEN, json=each) for each in tries]
        # then
        for answer in answers:
            assert_problem(answer, 400, "invalid-grant", "invalid_grant")
        bodies = [{**each.get_json(), "request_id": None} for each in answers]
        headers = [{**each.headers, "X-Request-Id": "", "Date": ""} for each in answers]
        assert bodies == bodies[:1] * 4
        assert headers == headers[:1] * 4
        assert session.scalars(sa.select(UserSession)).all() == []

    @pytest.mark.parametrize(
        ("body", "fields", "error"),
        [
            ({}, ["grant_type"], "invalid_request"),
            ({"grant_type": "magic"}, ["grant_type"], "unsupported_grant_type"),
            ({"grant_type": "password"}, ["username", "password"], "invalid_request"),
            ({"grant_type": "refresh_token"}, ["refresh_token"], "invalid_request"),
            (grant() | {"password": {"$ne": ""}}, ["password"], "invalid_request"),
            (grant() | {"username": None}, ["username"], "invalid_request"),
            (grant() | {"is_admin": True}, ["is_admin"], "invalid_request"),
            (grant(password="x" * 1025), ["password"], "invalid_request"),
            (grant(password="x" * 1_000_000), ["password"], "invalid_request"),
        ],
        ids=range(9),
    )
    def test_names_every_fault(
        self, client: FlaskClient, ada: User, body: Any, fields: list[str], error: str
    ) -> None:
        # when
        answer = client.post(TOKEN, json=body)
        # then
        assert_problem(answer, 400, "validation", error)
        assert sorted(each["field"] for each in answer.get_json()["errors"]) == sorted(fields)

    @pytest.mark.parametrize(
        ("content", "kind", "status", "code"),
        [
            (b"{", "application/json", 400, "malformed-json"),
            (b"x", "text/plain", 415, "unsupported-media-type"),
            (b"", "application/x-www-form-urlencoded", 400, "malformed-json"),
            (b"[]", "application/json", 400, "validation"),
        ],
    )
    def test_of_another_kind_is_refused(
        self, client: FlaskClient, content: bytes, kind: str, status: int, code: str
    ) -> None:
        # when
        answer = client.post(TOKEN, data=content, content_type=kind)
        # then
        assert_problem(answer, status, code, "invalid_request")

    def test_given_twice_in_a_form_is_refused(self, client: FlaskClient, ada: User) -> None:
        # when
        form = "grant_type=password&username=ada&username=bob&password=x"
        answer = client.post(TOKEN, data=form, content_type="application/x-www-form-urlencoded")
        # then
        assert_problem(answer, 400, "validation", "invalid_request")

    def test_takes_a_password_as_it_is(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        assert client.post(TOKEN, json=grant(password=f" {PASSWORD}")).status_code == 400
        assert client.post(TOKEN, json=grant(password=f"{PASSWORD} ")).status_code == 400


class TestLimit:
    @pytest.fixture
    def limited(self, make_app: Callable[[Config], Flask], config: Config) -> FlaskClient:
        return make_app(replace(config, RATE_LIMITS=True)).test_client()

    def guess(self, client: FlaskClient, address: str = "203.0.113.7", **more: str) -> TestResponse:
        body = grant(password="a wrong way") | more
        return client.post(TOKEN, json=body, environ_base={"REMOTE_ADDR": address})

    def test_answers_429_and_when_to_try_again(self, limited: FlaskClient, ada: User) -> None:
        # given
        for _ in range(10):
            assert self.guess(limited).status_code == 400
        # when
        answer = self.guess(limited)
        # then
        assert_problem(answer, 429, "rate-limited", "temporarily_unavailable")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_is_the_same_for_a_name_that_nobody_has(self, limited: FlaskClient) -> None:
        # when
        statuses = [self.guess(limited, username="nobody").status_code for _ in range(11)]
        # then
        assert statuses == [400] * 10 + [429]

    def test_leaves_the_owner_elsewhere_alone(self, limited: FlaskClient, ada: User) -> None:
        # given
        for _ in range(20):
            self.guess(limited)
        # when
        elsewhere = {"REMOTE_ADDR": "198.51.100.1"}
        answer = limited.post(TOKEN, json=grant(), environ_base=elsewhere)
        # then
        assert answer.status_code == 200

    def test_is_not_escaped_by_headers_or_further_members(
        self, limited: FlaskClient, session: Session, ada: User
    ) -> None:
        # given
        for number in range(10):
            self.guess(limited, email=f"x{number}@example.com")
        # when
        answers = [
            self.guess(limited),
            self.guess(limited, email="y@example.com"),
            self.guess(limited, username="ADA"),
            limited.post(
                TOKEN,
                data=grant(),
                headers={"X-Forwarded-For": "198.51.100.1"},
                environ_base={"REMOTE_ADDR": "203.0.113.7"},
            ),
        ]
        # then
        assert [each.status_code for each in answers] == [429] * 4
        assert session.scalars(sa.select(LoginAttempt.count)).all() == [14]


class TestRefreshGrant:
    def refresh(self, client: FlaskClient, token: str) -> TestResponse:
        return client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})

    def test_goes_on(self, client: FlaskClient, ada: User) -> None:
        # given
        tokens = signed_in(client)
        # when
        answer = self.refresh(client, tokens["refresh_token"])
        # then
        following = answer.get_json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert following.keys() == tokens.keys()
        assert following["refresh_token"] != tokens["refresh_token"]
        assert client.get(WHOAMI, headers=bearer(following)).status_code == 200

    def test_of_a_stolen_token_ends_the_session(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        # given
        tokens = signed_in(client)
        following = self.refresh(client, tokens["refresh_token"]).get_json()
        last = self.refresh(client, following["refresh_token"]).get_json()
        # when
        answer = self.refresh(client, tokens["refresh_token"])
        # then
        assert_problem(answer, 400, "invalid-grant", "invalid_grant")
        assert session.scalars(sa.select(RefreshToken)).all() == []
        assert self.refresh(client, last["refresh_token"]).status_code == 400
        assert client.get(WHOAMI, headers=bearer(last)).status_code == 401


class TestRevoke:
    @pytest.mark.parametrize("which", ["refresh_token", "access_token"])
    @pytest.mark.parametrize("kind", ["json", "data"])
    def test_ends_the_session(
        self, client: FlaskClient, session: Session, ada: User, which: str, kind: str
    ) -> None:
        # given
        tokens, other = signed_in(client), signed_in(client)
        body = {"token": tokens[which], "token_type_hint": which}
        # when
        answer = client.post(REVOKE, **{kind: body})
        # then
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert client.get(WHOAMI, headers=bearer(tokens)).status_code == 401
        assert client.get(WHOAMI, headers=bearer(other)).status_code == 200
        assert len(session.scalars(sa.select(UserSession)).all()) == 1

    @pytest.mark.parametrize("token", ["x", "a.b.c", "y" * 8000, "é"])
    def test_of_an_unknown_token_is_no_error(
        self, client: FlaskClient, session: Session, ada: User, token: str
    ) -> None:
        # given
        signed_in(client)
        # when
        answer = client.post(REVOKE, data={"token": token}, headers={"Authorization": "Basic x"})
        # then
        assert answer.status_code == 200
        assert len(session.scalars(sa.select(UserSession)).all()) == 1

    def test_of_nothing_is_one(self, client: FlaskClient) -> None:
        # when
        answer = client.post(REVOKE, json={})
        # then
        assert_problem(answer, 400, "validation", "invalid_request")


class TestSessions:
    def test_lists_ones_own(self, client: FlaskClient, ada: User, bob: User) -> None:
        # given
        first, second = signed_in(client), signed_in(client)
        signed_in(client, "bob")
        # when
        answer = client.get(SESSIONS, headers=bearer(first))
        # then
        body = answer.get_json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert body.keys() == {"items", "next", "total"}
        assert [each["current"] for each in body["items"]] == [False, True]
        assert body["items"][0].keys() == {
            "id", "device", "ip", "created_at", "refreshed_at", "current",
        }  # fmt: skip
        assert body["items"][0]["ip"] == "127.0.0.1"
        assert second["refresh_token"] not in answer.text

    def test_pages(self, client: FlaskClient, ada: User) -> None:
        # given
        tokens = [signed_in(client) for _ in range(3)]
        first = client.get(f"{SESSIONS}?limit=2&total=true", headers=bearer(tokens[0])).get_json()
        # when
        query = {"limit": 2, "cursor": first["next"]}
        rest = client.get(SESSIONS, headers=bearer(tokens[0]), query_string=query).get_json()
        # then
        assert first["total"] == 3
        assert len({each["id"] for each in first["items"] + rest["items"]}) == 3
        assert rest["next"] is None

    def test_ends_one(self, client: FlaskClient, ada: User) -> None:
        # given
        first, second = signed_in(client), signed_in(client)
        listed = client.get(SESSIONS, headers=bearer(first)).get_json()["items"]
        (other,) = (each["id"] for each in listed if not each["current"])
        # when
        answer = client.delete(f"{SESSIONS}/{other}", headers=bearer(first))
        # then
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        assert client.get(WHOAMI, headers=bearer(first)).status_code == 200
        assert client.get(WHOAMI, headers=bearer(second)).status_code == 401

    def test_of_others_are_not_found(
        self, client: FlaskClient, session: Session, ada: User, mallory: User
    ) -> None:
        # given
        signed_in(client)
        (own,) = session.scalars(sa.select(UserSession.id))
        thief = bearer(signed_in(client, "mallory"))
        # when
        answers = [client.delete(f"{SESSIONS}/{id}", headers=thief) for id in (own, 2**40, "x")]
        # then
        assert [each.status_code for each in answers] == [404] * 3
        assert session.get(UserSession, own) is not None

    def test_ends_all_others(self, client: FlaskClient, ada: User, bob: User) -> None:
        # given
        first, second, third = (signed_in(client) for _ in range(3))
        stranger = signed_in(client, "bob")
        # when
        answer = client.delete(SESSIONS, headers=bearer(second))
        # then
        assert answer.status_code == 204
        statuses = [
            client.get(WHOAMI, headers=bearer(each)).status_code
            for each in (first, second, third, stranger)
        ]
        assert statuses == [401, 200, 401, 200]

    def test_are_nobodys_without_a_token(self, client: FlaskClient) -> None:
        # when
        answers = [client.get(SESSIONS), client.delete(SESSIONS), client.delete(f"{SESSIONS}/1")]
        # then
        assert [each.status_code for each in answers] == [401] * 3


class TestWhoAmI:
    def test_tells_user_session_and_scopes(self, client: FlaskClient, admin: User) -> None:
        # given
        tokens = signed_in(client, "root")
        # when
        answer = client.get(WHOAMI, headers=bearer(tokens))
        # then
        body = answer.get_json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert (body["user"]["id"], body["user"]["role"]) == (admin.id, "admin")
        assert body["user"]["email"] == "root@example.com"
        assert (body["session"]["current"], body["key"]) == (True, None)
        assert body["scopes"] == sorted(tokens["scope"].split())
        assert {f"{name}:write" for name in RESOURCES} <= set(body["scopes"])
        assert "admin" in body["scopes"]
        assert "hash" not in answer.text


class TestAccount:
    def test_with_a_new_password_keeps_the_present_session_only(
        self, client: FlaskClient, ada: User
    ) -> None:
        # given
        first, second = signed_in(client), signed_in(client)
        change = {"current_password": PASSWORD, "new_password": "another long way"}
        # when
        answer = client.put("/api/v1/users/me/password", json=change, headers=bearer(first))
        # then
        assert answer.status_code == 204
        assert client.get(WHOAMI, headers=bearer(first)).status_code == 200
        assert client.get(WHOAMI, headers=bearer(second)).status_code == 401
        going_on = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        ended = {"grant_type": "refresh_token", "refresh_token": second["refresh_token"]}
        assert client.post(TOKEN, json=going_on).status_code == 200
        assert client.post(TOKEN, json=ended).status_code == 400
        assert client.post(TOKEN, json=grant()).status_code == 400
        assert client.post(TOKEN, json=grant(password="another long way")).status_code == 200

    @pytest.mark.parametrize("change", [{"status": "suspended"}, {"role": "editor"}, None])
    def test_changed_by_an_admin_loses_its_tokens(
        self, client: FlaskClient, sign_in: SignIn, ada: User, admin: User, change: Any
    ) -> None:
        # given
        tokens, url = signed_in(client), f"/api/v1/users/{ada.id}"
        # when
        admins = sign_in(admin)
        answer = admins.patch(url, json=change) if change else admins.delete(url)
        # then
        assert answer.status_code in {200, 204}
        assert client.get(WHOAMI, headers=bearer(tokens)).status_code == 401
