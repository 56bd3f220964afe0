"""Access tokens: which are believed, which are refused and how, and how soon they end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from threading import Thread
from typing import Any

import jwt
import pytest
from cachetools import FIFOCache
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api import auth
from config import Config
from models import User
from services import keys
from tests.bearer import WHOAMI, ask, assert_refused
from tests.factories import PASSWORD, make_user
from tests.servers import LiveServer


class TestToken:
    def test_has_every_claim(self, token: str, claims: dict[str, Any], ada: User) -> None:
        # then
        header = jwt.get_unverified_header(token)
        assert (header["alg"], set(header)) == ("EdDSA", {"alg", "kid", "typ"})
        assert {"iss": "signpost", "aud": "signpost", "sub": str(ada.id), "ver": 1}.items() <= (
            claims.items()
        )
        assert {"sid", "jti", "iat", "exp", "role", "scope"} <= claims.keys()
        assert claims["exp"] - claims["iat"] == 900

    def test_is_verified_by_others_with_the_published_keys(
        self, client: FlaskClient, token: str, ada: User
    ) -> None:
        # given
        answer = client.get("/.well-known/jwks.json")
        published = {each["kid"]: jwt.PyJWK(each) for each in answer.get_json()["keys"]}
        # when
        key = published[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="signpost")
        # then
        assert claims["sub"] == str(ada.id)
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert all("d" not in each for each in answer.get_json()["keys"])

    def test_names_the_public_url_as_issuer(
        self, make_app: Callable[[Config], Flask], config: Config, ada: User
    ) -> None:
        # given
        client = make_app(replace(config, PUBLIC_URL="https://example.org/blog")).test_client()
        grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
        # when
        answer = client.post("https://example.org/api/v1/auth/token", json=grant)
        # then
        token = answer.get_json()["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["iss"] == "https://example.org/blog"

    def test_of_another_issuer_is_refused(
        self, make_app: Callable[[Config], Flask], config: Config, token: str
    ) -> None:
        # given
        client = make_app(replace(config, PUBLIC_URL="https://example.org")).test_client()
        # then
        headers = {"Authorization": f"Bearer {token}"}
        assert_refused(client.get(f"https://example.org{WHOAMI}", headers=headers))

    def test_is_good_until_it_expires(
        self,
        client: FlaskClient,
        token: str,
        claims: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        assert ask(client, f"Bearer {token}").status_code == 200
        passed = {"now": claims["exp"] - 1.0}
        monkeypatch.setattr(auth, "time", type("Clock", (), {"time": lambda: passed["now"]}))
        assert ask(client, f"Bearer {token}").status_code == 200
        # when
        passed["now"] = claims["exp"] + 11.0
        # then
        assert_refused(ask(client, f"Bearer {token}"))

    def test_costs_no_query(
        self, client: FlaskClient, token: str, app: Flask, count_queries: Any
    ) -> None:
        # given
        ask(client, f"Bearer {token}")
        # when
        with (
            count_queries() as queries,
            app.test_request_context(headers={"Authorization": f"Bearer {token}"}),
        ):
            actor = auth.current_actor()
        # then
        assert actor is not None
        assert queries == []


class TestHeader:
    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a.b.c d",
            "Bearer a.b",
            "Bearer a.b.c.d",
            "Bearer ..",
            "Bearer \xe9.\xe9.\xe9",
            "Bearer a.b.c,Bearer a.b.c",
            "Basic YWRhOnB3",
            "Token a.b.c",
            "Digest",
            "Bearer\ta.b.c",
            "Bearer sgp_0123456789",
            "Bearer " + "a" * 9_000,
            "Bearer " + "a" * 4_000 + "." + "b" * 4_500 + ".c",
        ],
    )
    @pytest.mark.parametrize("url", [WHOAMI, "/api/v1/posts"])
    def test_that_is_malformed_is_refused_anywhere(
        self, client: FlaskClient, authorization: str, url: str
    ) -> None:
        assert_refused(ask(client, authorization, url))

    def test_twice_is_refused(self, client: FlaskClient, token: str) -> None:
        # when
        headers = [("Authorization", f"Bearer {token}")] * 2
        # then
        assert_refused(client.get(WHOAMI, headers=headers))

    def test_that_is_missing_is_asked_for(self, client: FlaskClient) -> None:
        assert_refused(ask(client, None), challenge="Bearer")
        assert ask(client, None, "/api/v1/posts").status_code == 200

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
    def test_may_spell_the_scheme_as_it_likes(
        self, client: FlaskClient, token: str, scheme: str
    ) -> None:
        assert ask(client, f"{scheme} {token}").status_code == 200

    @pytest.mark.parametrize("name", ["access_token", "jwt", "token"])
    def test_is_the_only_place_for_a_token(
        self, client: FlaskClient, token: str, name: str
    ) -> None:
        # when
        client.set_cookie(name, token)
        client.set_cookie(f"{name}_cookie", token)
        answer = client.get(WHOAMI, query_string={name: token})
        # then
        assert answer.status_code in {400, 401}


class TestRemembered:
    def test_is_found_although_another_is_about_to_push_it_out(
        self, app: Flask, client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        parts: Any = app.extensions["signpost"].auth
        assert ask(client, f"Bearer {token}").status_code == 200
        name, found = next(iter(parts.verified.items()))

        class Pushed(FIFOCache[bytes, Any]):
            def __contains__(self, key: object) -> bool:
                is_there = super().__contains__(key)
                pushing = Thread(target=push)
                pushing.start()
                pushing.join(0.2)  # it waits until this one was found
                return is_there

        def push() -> None:
            with parts.lock:
                del parts.verified[name]

        monkeypatch.setattr(parts, "verified", Pushed(1))
        parts.verified[name] = found
        # when
        kept = parts.find(name)
        # then
        assert kept is found


class TestRotation:
    def test_leaves_old_and_new_tokens_good(
        self, make_app: Callable[[Config], Flask], config: Config, tmp_path: Any, ada: User
    ) -> None:
        # given
        app = make_app(replace(config, DATA_DIR=tmp_path))
        client, grant = app.test_client(), {"grant_type": "password", "username": "ada"}
        grant["password"] = PASSWORD
        old = client.post("/api/v1/auth/token", json=grant).get_json()["access_token"]
        # when
        store: keys.KeyStore = app.extensions["signpost"].auth.keys
        key = store.rotate(now=True)
        new = client.post("/api/v1/auth/token", json=grant).get_json()["access_token"]
        # then
        assert jwt.get_unverified_header(new)["kid"] == key.kid
        assert [ask(client, f"Bearer {each}").status_code for each in (old, new)] == [200, 200]


class TestAccount:
    def test_whose_sessions_end_loses_its_token_on_every_worker(self, server: LiveServer) -> None:
        # given
        user = {"username": "ended", "email": "ended@example.com", "password": PASSWORD}
        made = server.client.post("/api/v1/users", json=user).raise_for_status().json()
        with ExitStack() as stack:
            token = server.token("ended", PASSWORD)
            callers = [stack.enter_context(server.caller(token)) for _ in range(8)]
            admin = stack.enter_context(server.admin)
            assert {each.get(WHOAMI).status_code for each in callers} == {200}
            # when
            admin.delete(f"/api/v1/users/{made['id']}").raise_for_status()
            ended_at = time.monotonic()
            # then
            while any(each.get(WHOAMI).status_code != 401 for each in callers):
                assert time.monotonic() - ended_at < 1.0
            assert {each.get(WHOAMI).status_code for each in callers} == {401}

    def test_of_a_later_user_is_not_reached_by_an_old_token(
        self, client: FlaskClient, session: Session, token: str, ada: User
    ) -> None:
        # given
        ask(client, f"Bearer {token}")
        session.delete(ada)
        session.commit()
        # when
        later = make_user(session, "bea")
        # then
        assert later.id != ada.id
        assert ask(client, f"Bearer {token}").status_code in {401, 404}
