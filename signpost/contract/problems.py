"""What is wrong with a request is told as a problem, or in the shape that is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import mounted
from api.problems import CODES
from signpost.contract.everywhere import MEMBERS, as_path
from signpost.contract.selection import Kit
from signpost.contract.subject import READS, Subject

JSON = "application/json"
#: Bodies that are none, with their media type.
BROKEN = ((b"{", JSON), (b"[1, 2", JSON), (b"\xff\xfe", JSON), (b"null", JSON), (b"7", JSON))
OTHER = ((b"words", "text/plain"), (b"<a/>", "application/xml"), (b"", "application/x-nothing"))
SECRET = "a word that nobody is to read"


class Problems(Kit):
    """Errors below the path of an extension."""

    def test_an_unknown_url_is_a_problem(self, subject: Subject, client: FlaskClient) -> None:
        for path in ("/zq-nobody/zq/nowhere", "/zq-nobody/", "//"):
            answer = client.get(f"{subject.base}{path}")
            assert answer.status_code in {400, 401, 403, 404}, path
            assert_told(subject, answer)

    def test_another_method_is_a_problem(self, subject: Subject, client: FlaskClient) -> None:
        for url, methods in _urls(subject):
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
                answer = client.open(url, method=method)
                assert answer.status_code == 405, (method, url)
                assert set(answer.headers["Allow"].split(", ")) == methods, url
                assert_told(subject, answer)

    def test_options_names_the_methods(self, subject: Subject, client: FlaskClient) -> None:
        for url, methods in _urls(subject):
            answer = client.options(url)
            assert answer.status_code in {200, 204}, url
            assert set(answer.headers["Allow"].split(", ")) == methods, url

    def test_what_is_no_body_is_a_problem(
        self, subject: Subject, sign_in: Callable[..., FlaskClient]
    ) -> None:
        caller = sign_in("admin")
        for method, url, rule in subject.routes:
            if method in READS or method == "DELETE":
                continue
            for body, kind in (*BROKEN, *OTHER):
                answer = caller.open(url, method=method, data=body, content_type=kind)
                assert answer.status_code < 500, (method, rule, body, answer.text)
                if answer.status_code >= 400:
                    assert_told(subject, answer)

    def test_what_is_sent_in_json_is_refused_as_anything_else(
        self, subject: Subject, sign_in: Callable[..., FlaskClient]
    ) -> None:
        caller = sign_in("admin")
        paths = caller.get("/api/v1/openapi.json").get_json()["paths"]
        for method, url, rule in subject.routes:
            body = _described(paths, method, rule).get("requestBody", {})
            if body and all(each.endswith("json") for each in body["content"]):
                answer = caller.open(url, method=method, data=b"words", content_type="text/plain")
                assert 400 <= answer.status_code < 500, (method, rule)
                assert_told(subject, answer)

    def test_a_mistake_of_the_code_tells_nothing(
        self,
        subject: Subject,
        sign_in: Callable[..., FlaskClient],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def crash(*_: object, **__: object) -> None:
            raise ZeroDivisionError(SECRET)

        caller = sign_in("admin")
        for method, url, rule in subject.routes:
            view = subject.view(method, rule)
            if method in {"HEAD", "OPTIONS"} or not isinstance(view, type):
                continue
            monkeypatch.setattr(view, method.lower(), crash)
            answer = caller.open(url, method=method)
            assert answer.status_code == 500, (method, rule)
            assert SECRET not in answer.text + str(answer.headers)
            assert_told(subject, answer)


def assert_told(subject: Subject, answer: TestResponse) -> None:
    """Check the form of an error: a problem, or whatever object the extension makes of it."""
    body: Any = answer.get_json()
    assert isinstance(body, dict), answer.text
    known = subject.app.extensions["signpost"].mounted.get(subject.extension)
    if isinstance(known, mounted.Mounted) and known.shape:
        return
    assert answer.content_type == "application/problem+json"
    assert set(body) >= MEMBERS
    assert body["status"] == answer.status_code
    assert body["code"] in CODES
    assert body["request_id"] == answer.headers["X-Request-Id"]


def _urls(subject: Subject) -> Iterator[tuple[str, set[str]]]:
    """Yield each URL and all of its methods, whichever rules they are of."""
    matching = subject.app.url_map.bind("localhost")
    for url in sorted({url for _, url, _ in subject.routes}):
        yield url, set(matching.allowed_methods(url))


def _described(paths: dict[str, Any], method: str, rule: str) -> dict[str, Any]:
    described: dict[str, Any] = paths.get(as_path(rule), {}).get(method.lower(), {})
    return described
