"""What is there as a whole goes to the server as a list; what comes bit by bit does not."""

from __future__ import annotations

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app


def _ask(app: Flask, path: str, method: str = "GET") -> tuple[object, str, dict[str, str]]:
    environ = EnvironBuilder(path=path, method=method).get_environ()
    seen: list[tuple[str, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        seen.append((status, dict(headers)))

    body = app.wsgi_app(environ, start)  # type: ignore[arg-type]  # a test needs no write()
    return body, *seen[0]


class TestAnswers:
    def test_a_whole_one_is_a_list(self, app: Flask) -> None:
        body, status, headers = _ask(app, "/healthz")

        assert isinstance(body, list)
        assert status == "200 OK"
        assert headers["Content-Length"] == str(len(b"".join(body)))

    def test_that_of_head_is_an_empty_list(self, app: Flask) -> None:
        body, _, headers = _ask(app, "/healthz", "HEAD")

        assert body == []
        assert int(headers["Content-Length"]) > 0

    def test_one_is_closed_when_it_is_sent(self, app: Flask) -> None:
        closed: list[bool] = []
        response = app.response_class("x")
        response.call_on_close(lambda: closed.append(True))

        run_wsgi_app(response, EnvironBuilder().get_environ())

        assert closed == [True]

    def test_a_streamed_one_is_not_collected(self, app: Flask) -> None:
        response = app.response_class(iter([b"a", b"b"]))

        body = response(EnvironBuilder().get_environ(), lambda *_: lambda _: None)

        assert not isinstance(body, list)
