"""Section F: which pages of other origins may read answers, on every route of the real service."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from flask import Flask

from config import Config
from tests.contract.routes import routes
from tests.security.conftest import HOST, ORIGIN
from tests.security.raw import ask
from tests.security.world import API
from tests.servers import LiveServer

REFUSED = [
    *("https://evil", "null", "https://good.com.evil.com", "http://good.com", "https://xgoodxcom"),
    *("http://localhost.evil.com", "http://localhost:3000", "http://127.0.0.1:8000", "file://"),
    *("https://good.com:444", "https://good.com.", "https://GOOD.com", "https://good.com/"),
    *(
        "https://evil@good.com",
        "https://good.com@evil",
        "https://good.com%00.evil",
        "https://goodxcom",
    ),
    *(f"{ORIGIN} {ORIGIN}", f"{ORIGIN},https://evil", f"{ORIGIN}x", f"https://{HOST}", "*", ""),
]


@pytest.fixture
def guarded(make_app: Callable[[Config], Flask], config: Config) -> Flask:
    """The service as in production, for pages of one other origin."""
    return make_app(replace(config, CORS_ORIGINS=(ORIGIN,)))


def preflight(origin: str, method: str = "PATCH") -> dict[str, str]:
    """Return what a browser asks before it sends a request."""
    wanted = {"Access-Control-Request-Headers": "authorization, x-evil"}
    return {"Origin": origin, "Access-Control-Request-Method": method} | wanted


def test_case_076_no_other_origin_is_allowed_anywhere(guarded: Flask) -> None:
    # given
    client = guarded.test_client()
    for route, origin in itertools.product(routes(guarded), REFUSED):
        # when
        asked = preflight(origin, "PUT") if route.method == "OPTIONS" else {"Origin": origin}
        answer = client.open(route.url, method=route.method, headers=asked)
        # then
        told = [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        assert told == [], (route, origin)
        assert "Origin" in answer.vary, route


@pytest.mark.parametrize("origin", REFUSED)
def test_case_077_a_live_server_varies_for_whom_it_refuses(
    strict: httpx.Client, origin: str
) -> None:
    for path in (f"{API}/posts", f"{API}/nowhere", "/", "/docs", "/healthz"):
        for method in ("GET", "OPTIONS"):
            # when
            asked = preflight(origin) if method == "OPTIONS" else {"Origin": origin}
            answer = strict.request(method, path, headers=asked)
            # then
            assert "Origin" in answer.headers["Vary"].split(", ")
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_case_077_the_listed_origin_is_allowed_everywhere_without_credentials(
    guarded: Flask,
) -> None:
    # given
    client = guarded.test_client()
    for route in routes(guarded):
        # when
        answer = client.open(route.url, method=route.method, headers={"Origin": ORIGIN})
        # then
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [ORIGIN], route
        assert "Access-Control-Allow-Credentials" not in answer.headers, route


@pytest.mark.parametrize(
    "path",
    [
        *("/API/v1/posts", "/api/v1/posts+x", "/api/v1/po%2Bsts", "/a+b", "//api/v1/posts"),
        *("/api/v1/posts/", "/api/v1/posts;x", "/api/v1/posts%0a", "/api/v1/.*", "/api/v1/%5C"),
        *("/api/v1/pos\xc3\xb6", "/%61pi/v1/posts", "/api/v1/posts?x=/open", "/x/../api/v1/posts"),
    ],
)
def test_case_078_no_spelling_of_a_path_has_a_laxer_rule(
    strict_server: LiveServer, path: str
) -> None:
    for origin in ("https://evil", "null", "https://good.com.evil.com"):
        for method in ("GET", "OPTIONS", "POST"):
            # when
            asked = [f"{name}: {value}" for name, value in preflight(origin).items()]
            answer = ask(strict_server.url, path, f"Host: {HOST}", *asked, method=method)
            # then
            assert "access-control-allow-origin" not in answer.headers
            assert "Origin" in answer.headers["vary"]
    allowed = ask(strict_server.url, path, f"Host: {HOST}", f"Origin: {ORIGIN}")
    assert allowed.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", [ORIGIN, "https://evil"])
def test_case_079_nobody_is_let_into_a_private_network(strict: httpx.Client, origin: str) -> None:
    # given
    private = {
        "Access-Control-Request-Private-Network": "true",
        "Access-Control-Request-Local-Network": "true",
    }
    for path in (f"{API}/posts", f"{API}/auth/token", f"{API}/nowhere", "/metrics"):
        # when
        answer = strict.options(path, headers=preflight(origin) | private)
        # then
        for name in ("Private-Network", "Local-Network", "Credentials"):
            assert answer.headers.get(f"Access-Control-Allow-{name}") in {None, "false"}


def test_case_079_no_origin_is_allowed_by_default(server: LiveServer) -> None:
    for origin in ("http://localhost:3000", "https://evil", "null", server.url):
        # when
        answer = server.client.options(f"{API}/posts", headers=preflight(origin))
        # then
        assert not [name for name in answer.headers if name.startswith("access-control")]
