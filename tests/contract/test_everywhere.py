"""What holds on every route: one form of error, callers asked first, headers, bounded cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.problems import CODES
from models import User
from services.posts import PostService
from tests.contract.routes import API, READS, Route, routes
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]
MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}
#: What anybody may write: signing up, signing in and out.
FOR_ANYONE = {
    ("POST", "/api/v1/users"),
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/v1/auth/revoke"),
}


def is_problem(response: TestResponse) -> bool:
    """Whether an answer is a problem document with everything that one has."""
    body = response.get_json()
    known = body["code"] in CODES and body["type"].endswith(f"/problems/{body['code']}")
    agrees = body["status"] == response.status_code == CODES[body["code"]].status
    return (
        response.content_type == "application/problem+json"
        and set(body) >= MEMBERS
        and known
        and agrees
        and body["request_id"] == response.headers["X-Request-Id"]
    )


@pytest.fixture(params=["production", "testing", "debug"])
def mode(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application in each way in which Flask treats errors differently."""
    monkeypatch.setitem(app.config, "TESTING", request.param == "testing")
    monkeypatch.setitem(app.config, "DEBUG", request.param == "debug")
    return app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/posts/999", 404),
        ("GET", "/problems/nothing", 404),
        ("DELETE", "/api/v1/posts", 405),
        ("POST", "/healthz", 405),
        ("POST", "/api/v1/posts", 401),
        ("GET", "/api/v1/posts?limit=0", 400),
        ("POST", "/api/v1/users", 400),
    ],
)
def test_errors_have_one_form(mode: Flask, method: str, path: str, status: int) -> None:
    response = mode.test_client().open(path, method=method)

    assert response.status_code == status
    assert is_problem(response), response.text


def test_a_crash_tells_nothing(mode: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("the secret of division")

    monkeypatch.setattr(PostService, "list", crash)
    response = mode.test_client().get("/api/v1/posts")

    assert (response.status_code, response.get_json()["code"]) == (500, "internal")
    assert is_problem(response)
    assert "division" not in response.text


def test_every_write_asks_for_a_caller(app: Flask) -> None:
    client = app.test_client()
    writes = [each for each in routes(app) if each.method not in READS and API in each.rule]
    assert len(writes) > 10
    for method, url, rule in writes:
        response = client.open(url, method=method, json={"nonsense": True})
        if (method, rule) in FOR_ANYONE:
            assert response.status_code == 400, (method, rule)
        else:
            assert response.status_code == 401, (method, rule)
            assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_bad_token_is_refused_wherever_one_is_read(app: Flask) -> None:
    client = app.test_client()
    for method, url, rule in routes(app):
        if API in rule and "/auth/token" not in rule and "/auth/revoke" not in rule:
            if method == "OPTIONS" or rule.endswith(".json"):
                continue
            response = client.open(url, method=method, headers={"Authorization": "Bearer junk"})
            assert response.status_code == 401, (method, rule)


def test_every_answer_has_the_same_headers(app: Flask) -> None:
    client = app.test_client()
    for method, url, rule in routes(app):
        headers = client.open(url, method=method).headers
        assert headers["X-Content-Type-Options"] == "nosniff", (method, rule)
        assert headers["Referrer-Policy"] == "no-referrer", (method, rule)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), (method, rule)
        assert headers["X-Request-Id"], (method, rule)
        assert "Origin" in headers["Vary"], (method, rule)
        assert headers["Cache-Control"], (method, rule)


def test_every_get_has_head_and_options(app: Flask) -> None:
    found: dict[str, set[str]] = {}
    for method, _, rule in routes(app):
        found.setdefault(rule, set()).add(method)
    for rule, methods in found.items():
        assert "GET" not in methods or methods >= READS, rule


def test_every_operation_is_documented(app: Flask, client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").get_json()["paths"]
    described = {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method != "parameters"
    }
    served = {
        (method, _as_path(rule))
        for method, _, rule in routes(app)
        if rule.startswith(API) and not rule.endswith(".json") and method not in {"HEAD", "OPTIONS"}
    }
    assert described == served


@pytest.mark.parametrize("members", [1, 7])
def test_no_list_costs_more_with_more_rows(
    app: Flask,
    sign_in: SignIn,
    session: Session,
    ada: User,
    count_queries: CountQueries,
    members: int,
) -> None:
    for _ in range(members):
        make_post(session, ada, tags=["one", "two"])
    client = sign_in(ada)
    deleted = client.delete(f"/api/v1/posts/{make_post(session, ada).id}")
    assert deleted.status_code == 204
    lists = {route.url for route in routes(app) if _is_list(client, route)}
    assert {"/api/v1/posts", "/api/v1/users", "/api/v1/trash", "/api/v1/auth/sessions"} <= lists
    for url in sorted(lists):
        with count_queries() as queries:
            assert client.get(f"{url}?total=true").status_code == 200
        # Whose turn it is to read the revocations anew is a matter of time.
        own = [each for each in queries if "FROM revocations" not in each]
        assert len(own) <= 3, (url, own)


def _is_list(client: FlaskClient, route: Route) -> bool:
    if route.method != "GET" or not route.rule.startswith(API) or route.rule.endswith(".json"):
        return False
    body: Any = client.get(route.url).get_json()
    return isinstance(body, dict) and "items" in body


def _as_path(rule: str) -> str:
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.removeprefix("/api"))
