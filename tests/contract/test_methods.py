"""Every URL answers the methods that it declares, and 405 with ``Allow`` to all others."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}


@pytest.fixture
def declared(app: Flask) -> dict[str, set[str]]:
    """Return the methods of each path, its variables filled in: ``/api/v1/posts/1``."""
    found: dict[str, set[str]] = defaultdict(set)
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<([^>]+:)?kind>", "posts", rule.rule)
        found[re.sub(r"<[^>]+>", "1", path)] |= rule.methods or set()
    return found


def test_there_are_urls(declared: dict[str, set[str]]) -> None:
    assert {"/api/v1/posts", "/api/v1/posts/1", "/healthz"} <= set(declared)


def test_a_method_that_is_not_declared_is_405_and_told_what_is(
    client: FlaskClient, declared: dict[str, set[str]]
) -> None:
    # when
    wrong: dict[tuple[str, str], object] = {}
    for path, methods in declared.items():
        for method in METHODS - methods:
            answer = client.open(path, method=method)
            allowed = set(answer.headers.get("Allow", "").split(", "))
            if (answer.status_code, allowed) != (405, methods):
                wrong[method, path] = (answer.status, allowed)
            elif method != "HEAD" and answer.get_json()["code"] != "method-not-allowed":
                wrong[method, path] = answer.text
    # then
    assert wrong == {}


def test_a_method_that_is_not_declared_is_405_whatever_else_is_wrong(client: FlaskClient) -> None:
    # when
    answer = client.put(f"/api/v1/posts?{'q' * 5_000}", data=b"{", content_type="text/plain")
    # then
    assert answer.status_code == 405
    assert "PUT" not in answer.headers["Allow"]


def test_options_names_what_is_declared(client: FlaskClient, declared: dict[str, set[str]]) -> None:
    # when
    wrong = {
        path: (answer.status, answer.headers.get("Allow"))
        for path, methods in declared.items()
        if (answer := client.options(path)).status_code not in (200, 204)
        or set(answer.headers.get("Allow", "").split(", ")) != methods
    }
    # then
    assert wrong == {}


def test_head_stands_wherever_get_does(declared: dict[str, set[str]]) -> None:
    # when
    without = [path for path, methods in declared.items() if len({"GET", "HEAD"} & methods) == 1]
    # then
    assert without == []
