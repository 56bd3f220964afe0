"""Which pages of other origins may call the API, and what browsers are told before they do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import errors, headers
from config import Config

MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client() -> MakeClient:
    """``make_client(CORS_ORIGINS=...)``: a caller of a small app of these settings."""

    def make(**settings: object) -> FlaskClient:
        config = Config(SECRET_KEY="0123456789abcdef" * 3, **settings)  # type: ignore[arg-type]
        app = Flask("api")
        app.config["SIGNPOST"] = config
        headers.init_app(app, config)
        errors.init_app(app)
        app.add_url_rule("/thing", "thing", dict, methods=["GET", "PATCH"])
        app.add_url_rule("/crash", view_func=_crash)
        return app.test_client()

    return make


def _crash() -> str:
    raise RuntimeError("a secret")


ORIGINS = ("https://good.com", "https://app.good.com:8443", "http://[::1]:3000")


def preflight(client: FlaskClient, origin: str, **more: str) -> TestResponse:
    """Ask as a browser does before it sends a PATCH."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, content-type, if-match, x-evil",
    }
    return client.options("/thing", headers=asked | more)


class TestCrossOrigin:
    @pytest.mark.parametrize("origin", ORIGINS)
    def test_read_by_a_listed_origin(self, make_client: MakeClient, origin: str) -> None:
        # when
        answer = make_client(CORS_ORIGINS=ORIGINS).get("/thing", headers={"Origin": origin})
        # then
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [origin]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert sorted(exposed) == sorted(headers.EXPOSE_HEADERS)
        assert "Origin" in answer.vary

    def test_preflight_by_a_listed_origin(self, make_client: MakeClient) -> None:
        # when
        answer = preflight(make_client(CORS_ORIGINS=ORIGINS), ORIGINS[0])
        # then
        assert answer.status_code == 200
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"]
        assert allowed == "authorization, content-type, if-match"
        assert int(answer.headers["Access-Control-Max-Age"]) >= 600

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil",
            "null",
            "https://good.com.evil.com",
            "http://good.com",
            "https://good.com:444",
            "https://xgoodxcom",
            "https://goodxcom",
            "https://good.com\u00a0",
            "http://localhost.evil.com",
            "http://localhost:3000",
        ],
    )
    def test_by_any_other_origin(self, make_client: MakeClient, origin: str) -> None:
        # given
        client = make_client(CORS_ORIGINS=ORIGINS)
        for answer in (
            # when
            client.get("/thing", headers={"Origin": origin}),
            client.get("/nowhere", headers={"Origin": origin}),
            preflight(client, origin),
        ):
            # then
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
            assert "Origin" in answer.vary

    def test_without_an_origin_names_none(self, make_client: MakeClient) -> None:
        # when
        answer = make_client(CORS_ORIGINS=ORIGINS).get("/thing")
        # then
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.vary

    def test_problems_may_be_read_too(self, make_client: MakeClient) -> None:
        # when
        answer = make_client(CORS_ORIGINS=ORIGINS).get("/crash", headers={"Origin": ORIGINS[0]})
        # then
        assert answer.status_code == 500
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [ORIGINS[0]]

    def test_never_opens_the_private_network(self, make_client: MakeClient) -> None:
        # given
        private = {"Access-Control-Request-Private-Network": "true"}
        # when
        answer = preflight(make_client(CORS_ORIGINS=ORIGINS), ORIGINS[0], **private)
        # then
        assert answer.headers.get("Access-Control-Allow-Private-Network") != "true"

    def test_in_production_is_closed_by_default(self, make_client: MakeClient) -> None:
        # when
        answer = preflight(make_client(), "http://localhost:3000")
        # then
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize(
        "origin", ["http://localhost:3000", "http://127.0.0.1:5173", "http://localhost"]
    )
    def test_in_development_is_open_to_this_machine(
        self, make_client: MakeClient, origin: str
    ) -> None:
        # when
        answer = preflight(make_client(ENV="development"), origin)
        # then
        assert answer.headers["Access-Control-Allow-Origin"] == origin

    @pytest.mark.parametrize(
        "origin",
        [
            "http://localhost.evil.com",
            "http://localhost:3000.evil.com",
            "http://127.0.0.1.evil",
            "https://localhost:3000",
        ],
    )
    def test_in_development_is_closed_to_others(self, make_client: MakeClient, origin: str) -> None:
        # when
        answer = preflight(make_client(ENV="development"), origin)
        # then
        assert "Access-Control-Allow-Origin" not in answer.headers
