"""What holds on every route: callers asked first, one form of error, headers, documentation."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.access import ANYONE, needed
from api.problems import CODES
from signpost.contract.selection import Kit
from signpost.contract.subject import API, READS, Subject

MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}


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


class Everywhere(Kit):
    """Each route by itself, whatever it does."""

    for_anyone: ClassVar[Collection[tuple[str, str]] | None] = None
    """What anybody may write, as (method, rule); None: what is declared so."""
    takes_no_token: ClassVar[Collection[str] | None] = None
    """Rules that read no token; None: what is declared so."""

    @pytest.fixture(params=["production", "testing", "debug"])
    def mode(
        self, request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> Flask:
        """The application in each way in which Flask treats errors differently."""
        monkeypatch.setitem(app.config, "TESTING", request.param == "testing")
        monkeypatch.setitem(app.config, "DEBUG", request.param == "debug")
        return app

    def test_every_write_asks_for_a_caller(self, subject: Subject) -> None:
        client = subject.app.test_client()
        for method, url, rule in subject.routes:
            if method in READS or API not in rule:
                continue
            response = client.open(url, method=method, json={"nonsense": True})
            if self._is_for_anyone(subject, method, rule):
                assert response.status_code not in {401, 403}, (method, rule)
                assert self.for_anyone is None or response.status_code == 400, (method, rule)
            else:
                assert response.status_code == 401, (method, rule)
                assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_a_bad_token_is_refused_wherever_one_is_read(self, subject: Subject) -> None:
        client = subject.app.test_client()
        for method, url, rule in subject.routes:
            if API not in rule or method == "OPTIONS" or rule.endswith(".json"):
                continue
            if self._takes_no_token(subject, method, rule):
                continue
            response = client.open(url, method=method, headers={"Authorization": "Bearer junk"})
            assert response.status_code == 401, (method, rule)

    def test_every_answer_has_the_same_headers(self, subject: Subject) -> None:
        client = subject.app.test_client()
        for method, url, rule in subject.routes:
            headers = client.open(url, method=method).headers
            assert headers["X-Content-Type-Options"] == "nosniff", (method, rule)
            assert headers["Referrer-Policy"] == "no-referrer", (method, rule)
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), (method, rule)
            assert headers["X-Request-Id"], (method, rule)
            assert "Origin" in headers["Vary"], (method, rule)
            assert headers["Cache-Control"], (method, rule)

    def test_every_get_has_head_and_options(self, subject: Subject) -> None:
        found: dict[str, set[str]] = {}
        for method, _, rule in subject.routes:
            found.setdefault(rule, set()).add(method)
        for rule, methods in found.items():
            assert "GET" not in methods or methods >= READS, rule

    def test_every_operation_is_documented(self, subject: Subject, client: FlaskClient) -> None:
        served = {
            (method, as_path(rule))
            for method, _, rule in subject.routes
            if rule.startswith(API)
            and not rule.endswith(".json")
            and method not in {"HEAD", "OPTIONS"}
        }
        for name in ("openapi.json", "swagger.json"):
            paths: dict[str, Any] = client.get(f"/api/v1/{name}").get_json()["paths"]
            described = {
                (method.upper(), path)
                for path, item in paths.items()
                for method in item
                if method != "parameters" and subject.has(f"/api{path}")
            }
            assert described == served, name

    def _takes_no_token(self, subject: Subject, method: str, rule: str) -> bool:
        if self.takes_no_token is None:
            return not getattr(subject.view(method, rule), "takes_token", True)
        return rule in self.takes_no_token

    def _is_for_anyone(self, subject: Subject, method: str, rule: str) -> bool:
        if self.for_anyone is None:
            return needed(subject.view(method, rule), method) == ANYONE
        return (method, rule) in self.for_anyone


def as_path(rule: str) -> str:
    """Return a rule as the specifications write it, below the base of the API."""
    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.removeprefix("/api"))
