"""PATCH with application/json-patch+json (RFC 6902)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import Post, User
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]
TYPE = "application/json-patch+json"


@pytest.fixture
def post(session: Session, ada: User) -> Post:
    return make_post(session, ada, tags=["one", "two"])


def patch(client: FlaskClient, post: Post, operations: Any, **headers: str) -> TestResponse:
    url = f"/api/v1/posts/{post.id}"
    return client.patch(url, json=operations, content_type=TYPE, headers=headers)


def faults(response: TestResponse) -> dict[str, str]:
    return {fault["field"]: fault["code"] for fault in response.get_json()["errors"]}


class TestChange:
    def test_several_members_at_once(self, sign_in: SignIn, ada: User, post: Post) -> None:
        operations = [
            {"op": "test", "path": "/tags/0", "value": "one"},
            {"op": "replace", "path": "/title", "value": "Other"},
            {"op": "remove", "path": "/tags/0"},
            {"op": "add", "path": "/tags/-", "value": "three"},
        ]
        response = patch(sign_in(ada), post, operations)

        assert response.status_code == 200, response.text
        shown = response.get_json()
        assert (shown["title"], shown["tags"], shown["version"]) == ("Other", ["two", "three"], 2)

    def test_removing_puts_back_the_default(self, sign_in: SignIn, ada: User, post: Post) -> None:
        response = patch(sign_in(ada), post, [{"op": "remove", "path": "/tags"}])

        assert response.get_json()["tags"] == []

    def test_without_operations_makes_no_version(
        self, sign_in: SignIn, ada: User, post: Post
    ) -> None:
        response = patch(sign_in(ada), post, [])

        assert (response.status_code, response.get_json()["version"]) == (200, 1)

    def test_of_what_one_has_read(self, sign_in: SignIn, ada: User, post: Post) -> None:
        client, operations = sign_in(ada), [{"op": "replace", "path": "/title", "value": "Other"}]

        assert patch(client, post, operations, **{"If-Match": '"1"'}).status_code == 200
        late = patch(client, post, operations, **{"If-Match": '"1"'})
        assert (late.status_code, late.get_json()["code"]) == (412, "precondition-failed")
        assert late.headers["ETag"].startswith('"2-')


class TestConflict:
    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/title", "value": "Other"},
            {"op": "remove", "path": "/tags/7"},
            {"op": "replace", "path": "/tags/7", "value": "x"},
            {"op": "add", "path": "/tags/7", "value": "x"},
            {"op": "copy", "from": "/tags/7", "path": "/tags/0"},
            {"op": "add", "path": "/title/x", "value": "x"},
        ],
    )
    def test_changes_nothing(
        self, sign_in: SignIn, session: Session, ada: User, post: Post, operation: dict[str, Any]
    ) -> None:
        first = {"op": "replace", "path": "/title", "value": "Changed"}
        response = patch(sign_in(ada), post, [first, operation])

        assert (response.status_code, response.get_json()["code"]) == (409, "conflict")
        session.refresh(post)
        assert (post.title, post.version) == ("About something", 1)


class TestRefusal:
    @pytest.mark.parametrize(
        ("operations", "expected"),
        [
            ({"op": "remove", "path": "/tags"}, {"": "type"}),
            ([1], {"0.op": "choice"}),
            ([{"op": "jump", "path": "/title"}], {"0.op": "choice"}),
            ([{"op": "add", "path": "/title"}], {"0.value": "required"}),
            ([{"op": "remove", "path": "title"}], {"0.path": "format"}),
            ([{"op": "remove", "path": ""}], {"0.path": "format"}),
            ([{"op": "remove", "path": 3}], {"0.path": "format"}),
            ([{"op": "add", "path": "/tags/01", "value": "x"}], {"0.path": "format"}),
            ([{"op": "copy", "from": "/tags/x", "path": "/title"}], {"0.from": "format"}),
            ([{"op": "replace", "path": "/id", "value": 3}], {"0.path": "read_only"}),
            ([{"op": "replace", "path": "/html", "value": ""}], {"0.path": "read_only"}),
            ([{"op": "add", "path": "/colour", "value": ""}], {"0.path": "unknown"}),
            ([{"op": "move", "from": "/author", "path": "/title"}], {"0.from": "read_only"}),
            ([{"op": "remove", "path": "/title"}], {"title": "null"}),
            ([{"op": "replace", "path": "/title", "value": ""}], {"title": "too_short"}),
            ([{"op": "replace", "path": "/tags/1", "value": 3}], {"tags.1": "type"}),
        ],
    )
    def test_says_where(
        self,
        sign_in: SignIn,
        session: Session,
        ada: User,
        post: Post,
        operations: Any,
        expected: dict[str, str],
    ) -> None:
        response = patch(sign_in(ada), post, operations)

        assert response.status_code == 400, response.text
        assert faults(response) == expected
        session.refresh(post)
        assert post.version == 1

    def test_of_a_document_that_doubles(self, sign_in: SignIn, ada: User, post: Post) -> None:
        double = [{"op": "copy", "from": "/tags", "path": "/tags/0"}] * 64
        response = patch(sign_in(ada), post, double)

        assert (response.status_code, response.get_json()["code"]) == (400, "validation")

    def test_by_someone_else_comes_before_what_is_wrong(
        self, sign_in: SignIn, mallory: User, post: Post
    ) -> None:
        assert patch(sign_in(mallory), post, {"not": "a patch"}).status_code == 403
