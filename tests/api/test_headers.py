"""What every request and answer has in common, on a small app of its own: no database, no RESTX."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from api import errors, headers
from config import Config

MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client() -> MakeClient:
    """``make_client(PUBLIC_URL="https://example.org")``: a caller of an app of these settings."""

    def make(**settings: object) -> FlaskClient:
        config = Config(SECRET_KEY="0123456789abcdef" * 3, **settings)  # type: ignore[arg-type]
        app = Flask("api")
        app.config["SIGNPOST"] = config
        headers.init_app(app, config)
        errors.init_app(app)
        app.add_url_rule("/thing", view_func=_thing, methods=["GET", "POST"])
        app.add_url_rule("/page", view_func=_page)
        app.add_url_rule("/crash", view_func=_crash)
        app.add_url_rule("/healthz", endpoint="healthz", view_func=_thing)
        return app.test_client()

    return make


def _thing() -> dict[str, object]:
    return {
        "root": request.root_path,
        "path": request.path,
        "address": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
    }


def _page() -> Response:
    response = Response("hello", headers={"Content-Security-Policy": "default-src 'self'"})
    response.headers["Cache-Control"] = "public, max-age=60"
    response.vary.add("Accept")
    return response


def _crash() -> Response:
    raise RuntimeError("a secret")


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 128])
    def test_is_the_callers_own(self, make_client: MakeClient, given: str) -> None:
        # when
        answer = make_client().get("/thing", headers={"X-Request-Id": given})
        # then
        assert answer.headers["X-Request-Id"] == given

    @pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, "a\tb", "<script>"])
    def test_is_a_fresh_one_if_the_callers_is_unfit(
        self, make_client: MakeClient, given: str
    ) -> None:
        # when
        answer = make_client().get("/thing", headers={"X-Request-Id": given})
        # then
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])

    @pytest.mark.parametrize("path", ["/thing", "/nowhere", "/crash"])
    def test_differs_from_answer_to_answer(self, make_client: MakeClient, path: str) -> None:
        # given
        client = make_client()
        # when
        ids = {client.get(path).headers["X-Request-Id"] for _ in range(3)}
        # then
        assert len(ids) == 3

    def test_stands_in_problems_too(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().get("/nowhere", headers={"X-Request-Id": "mine"})
        # then
        assert answer.get_json()["request_id"] == "mine"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/thing", 200),
        ("HEAD", "/thing", 200),
        ("OPTIONS", "/thing", 200),
        ("POST", "/thing", 200),
        ("PUT", "/thing", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/crash", 500),
        ("GET", "/thing?" + "q" * 5000, 414),
    ],
)
class TestEveryAnswer:
    def test_has_the_security_headers(
        self, make_client: MakeClient, method: str, path: str, status: int
    ) -> None:
        # when
        answer = make_client().open(path, method=method)
        # then
        assert answer.status_code == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers.getlist("Content-Security-Policy") == [policy]
        assert "Origin" in answer.vary
        assert "Strict-Transport-Security" not in answer.headers

    def test_has_hsts_if_the_service_is_known_by_https(
        self, make_client: MakeClient, method: str, path: str, status: int
    ) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org")
        # when
        answer = client.open(path, method=method, headers={"Host": "example.org"})
        # then
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


class TestCaching:
    def test_of_what_anyone_may_see(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().get("/thing")
        # then
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert "Authorization" in answer.vary

    def test_of_a_signed_in_callers(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().get("/thing", headers={"Authorization": "Bearer x"})
        # then
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in answer.vary

    @pytest.mark.parametrize("path", ["/nowhere", "/crash"])
    def test_of_errors_is_none(self, make_client: MakeClient, path: str) -> None:
        # when
        answer = make_client().get(path)
        # then
        assert answer.headers.getlist("Cache-Control") == ["no-store"]

    def test_of_writes_by_nobody_is_none(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().post("/thing")
        # then
        assert answer.headers["Cache-Control"] == "no-store"

    def test_of_a_signed_in_callers_writes(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().post("/thing", headers={"Authorization": "Bearer x"})
        # then
        assert answer.headers["Cache-Control"] == "private, no-cache"

    def test_is_what_the_view_says(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().get("/page", headers={"Authorization": "Bearer x"})
        # then
        assert answer.headers.getlist("Cache-Control") == ["public, max-age=60"]
        assert answer.headers.getlist("Vary") == ["Accept, Origin"]
        assert answer.headers.getlist("Content-Security-Policy") == ["default-src 'self'"]


class TestLongUri:
    @pytest.mark.parametrize(
        "path", ["/thing?" + "a" * 4089, "/thing?" + "%41" * 1363, "/" + "a" * 4095]
    )
    def test_of_4096_bytes_is_read(self, make_client: MakeClient, path: str) -> None:
        # when
        answer = make_client().get(path)
        # then
        assert len(path) == 4096
        assert answer.status_code in (200, 404)

    @pytest.mark.parametrize(
        "path", ["/thing?" + "a" * 4090, "/" + "a" * 4096, "/" + "%C3%A9" * 683]
    )
    def test_over_it_is_refused(self, make_client: MakeClient, path: str) -> None:
        # when
        answer = make_client().get(path)
        # then
        assert len(path) > 4096
        assert answer.status_code == 414
        assert answer.get_json()["code"] == "uri-too-long"


class TestHost:
    @pytest.mark.parametrize(
        "host", ["example.org", "EXAMPLE.org", "example.org:8443", "api.example.org", "[::1]:8000"]
    )
    def test_that_is_configured_is_served(self, make_client: MakeClient, host: str) -> None:
        # given
        client = make_client(
            PUBLIC_URL="https://example.org", ALLOWED_HOSTS=("api.example.org", "[::1]")
        )
        # when
        answer = client.get("/thing", headers={"Host": host})
        # then
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "example.org.evil.example",
            "evil.example:443",
            "example.org@evil.example",
            "example.org:80@evil.example",
            "example.org:x",
            "xexample.org",
            "",
        ],
    )
    @pytest.mark.parametrize(
        "settings", [{"PUBLIC_URL": "https://example.org"}, {"ALLOWED_HOSTS": ("example.org",)}]
    )
    def test_that_is_not_is_refused(
        self, make_client: MakeClient, settings: dict[str, object], host: str
    ) -> None:
        # when
        answer = make_client(**settings).get("/thing", headers={"Host": host})
        # then
        assert answer.status_code == 400
        assert answer.get_json()["code"] == "unknown-host"
        assert host == "" or host not in answer.text

    def test_may_be_any_if_none_is_configured(self, make_client: MakeClient) -> None:
        # when
        answer = make_client().get("/thing", headers={"Host": "whatever.example"})
        # then
        assert answer.status_code == 200

    def test_may_be_any_for_health(self, make_client: MakeClient) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org")
        # when
        answer = client.get("/healthz", headers={"Host": "10.0.0.7:8000"})
        # then
        assert answer.status_code == 200


class TestPrefix:
    @pytest.mark.parametrize("path", ["/blog/thing", "/thing"])
    def test_may_be_stripped_by_the_proxy_or_not(self, make_client: MakeClient, path: str) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org/blog")
        # when
        answer = client.get(path, headers={"Host": "example.org"})
        # then
        assert answer.get_json()["root"].rstrip("/") == "/blog"
        assert answer.get_json()["path"] == "/thing"

    def test_is_a_whole_segment(self, make_client: MakeClient) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org/blog")
        # when
        answer = client.get("/blogthing", headers={"Host": "example.org"})
        # then
        assert answer.status_code == 404


SPOOFS = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Script-Name": "/evil",
    "Script-Name": "/evil",
    "Path-Info": "/evil",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
}


class TestProxy:
    def test_that_is_not_trusted_says_nothing(self, make_client: MakeClient) -> None:
        # given
        client = make_client()
        # when
        answer = client.get("/thing", headers=SPOOFS)
        # then
        assert answer.get_json() == client.get("/thing").get_json()
        assert "Strict-Transport-Security" not in answer.headers

    def test_that_is_trusted_tells_address_scheme_and_host(self, make_client: MakeClient) -> None:
        # when
        answer = make_client(TRUSTED_PROXIES=1).get("/thing", headers=SPOOFS)
        # then
        assert answer.get_json()["address"] == "203.0.113.9"
        assert answer.get_json()["scheme"] == "https"
        assert answer.get_json()["host"] == "evil.example"
        assert answer.get_json()["root"].rstrip("/") == ""
        assert "Strict-Transport-Security" in answer.headers

    def test_is_believed_only_as_far_as_counted(self, make_client: MakeClient) -> None:
        # given
        forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        # when
        answer = make_client(TRUSTED_PROXIES=1).get("/thing", headers=forged)
        # then
        assert answer.get_json()["address"] == "203.0.113.9"
