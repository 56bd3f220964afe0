"""What holds on every route of the core: signpost/contract/everywhere.py, and bounded cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from services.posts import PostService
from signpost.contract import everywhere
from signpost.contract.everywhere import is_problem
from signpost.contract.subject import API, READS, Route, Subject, routes
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]


class TestEverywhere(everywhere.Everywhere):
    for_anyone = {
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/auth/token"),
        ("POST", "/api/v1/auth/revoke"),
    }
    takes_no_token = {"/api/v1/auth/token", "/api/v1/auth/revoke"}

    def test_there_are_writes(self, subject: Subject) -> None:
        assert len([each for each in subject.routes if each.method not in READS]) > 10

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
    def test_errors_have_one_form(self, mode: Flask, method: str, path: str, status: int) -> None:
        response = mode.test_client().open(path, method=method)

        assert response.status_code == status
        assert is_problem(response), response.text

    def test_a_crash_tells_nothing(self, mode: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError("the secret of division")

        monkeypatch.setattr(PostService, "list", crash)
        response = mode.test_client().get("/api/v1/posts")

        assert (response.status_code, response.get_json()["code"]) == (500, "internal")
        assert is_problem(response)
        assert "division" not in response.text


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
