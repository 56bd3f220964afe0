"""The gate: places are for requests that are all there, and nobody waits for ever."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from api import errors, gate, headers
from config import Config
from services.errors import Unavailable

Environ = dict[str, Any]


class Slow(io.RawIOBase):
    """A body that has not arrived."""

    def __init__(self) -> None:
        self.is_read = threading.Event()
        self.arrives = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.is_read.set()
        self.arrives.wait()
        return b"{}"


class App:
    """A WSGI application that holds its place until it is let go."""

    def __init__(self) -> None:
        self.is_called = threading.Event()
        self.may_answer = threading.Event()
        self.seen: list[Environ] = []

    def __call__(self, environ: Environ, start_response: object) -> Iterable[bytes]:
        self.seen.append(environ)
        if environ["PATH_INFO"] == "/hold" or environ.get("HOLD"):
            self.is_called.set()
            self.may_answer.wait()
        return [environ["wsgi.input"].read()]


def environ(path: str = "/", body: bytes | Slow = b"", **more: str) -> Environ:
    stream = body if isinstance(body, Slow) else io.BytesIO(body)
    return {"PATH_INFO": path, "wsgi.input": stream, **more}


@pytest.fixture
def app() -> Iterable[App]:
    app = App()
    yield app
    app.may_answer.set()


def call(gate_: gate.Gate, environ: Environ) -> bytes:
    return b"".join(gate_(environ, lambda *_: None))  # type: ignore[arg-type]


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


class TestBodies:
    def test_that_are_late_hold_no_place(self, app: App) -> None:
        only = gate.Gate(app, places=1, most=100)
        body = Slow()
        thread = in_thread(lambda: call(only, environ(body=body, CONTENT_LENGTH="2")))
        body.is_read.wait()

        assert call(only, environ(body=b"ab", CONTENT_LENGTH="2")) == b"ab"

        body.arrives.set()
        thread.join()
        assert len(app.seen) == 2

    @pytest.mark.parametrize(
        ("body", "headers", "seen"),
        [
            (b"abc", {"CONTENT_LENGTH": "2"}, b"ab"),
            (b"a", {"CONTENT_LENGTH": "2"}, b"a"),  # cut: for the app to notice
            (b"abc", {"HTTP_TRANSFER_ENCODING": "chunked"}, b"abc"),
            (b"x" * 200, {"HTTP_TRANSFER_ENCODING": "chunked"}, b"x" * 101),  # one too many
        ],
    )
    def test_are_read_ahead(
        self, app: App, body: bytes, headers: dict[str, str], seen: bytes
    ) -> None:
        assert call(gate.Gate(app, places=1, most=100), environ(body=body, **headers)) == seen
        assert app.seen[0]["wsgi.input_terminated"]

    @pytest.mark.parametrize("length", ["101", "-1", "x", "²", ""])
    def test_that_are_too_large_or_odd_are_left_alone(self, app: App, length: str) -> None:
        given = environ(body=b"abc", CONTENT_LENGTH=length)
        stream = given["wsgi.input"]
        call(gate.Gate(app, places=1, most=100), given)
        assert app.seen[0]["wsgi.input"] is stream

    @pytest.mark.parametrize(
        ("headers", "left"),
        [
            ({"CONTENT_LENGTH": "200"}, b""),
            ({"HTTP_TRANSFER_ENCODING": "chunked"}, b""),
            # Reading would ask a client to send what was refused.
            ({"CONTENT_LENGTH": "200", "HTTP_EXPECT": "100-continue"}, b"x" * 200),
        ],
    )
    def test_that_are_too_large_are_read_away_after_the_answer(
        self, headers: dict[str, str], left: bytes
    ) -> None:
        given = environ(body=b"x" * 200, **headers)
        stream = given["wsgi.input"]

        answer = iter(gate.Gate(lambda *_: [b"no"], places=1, most=100)(given, lambda *_: None))  # type: ignore[arg-type]

        assert next(answer) == b"no"
        assert stream.tell() < 200
        assert next(answer, None) is None
        assert stream.read() == left


class TestUploads:
    def test_read_their_bodies_themselves_and_hold_no_place(self, app: App) -> None:
        only = gate.Gate(app, places=1, most=100)
        body = Slow()
        upload = environ("/api/v1/files", body, REQUEST_METHOD="POST", CONTENT_LENGTH="2")
        thread = in_thread(lambda: call(only, upload))
        body.is_read.wait()

        assert call(only, environ(body=b"ab", CONTENT_LENGTH="2")) == b"ab"

        body.arrives.set()
        thread.join()

    def test_take_a_place_for_the_work_that_follows(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gate, "LONG_PATIENCE", 0.01)
        only = gate.Gate(app, places=1, most=100)
        call(only, environ("/api/v1/files", REQUEST_METHOD="POST"))
        (given,) = app.seen

        with gate.place(given), pytest.raises(Unavailable), gate.place(given):
            pass

    def test_beyond_the_most_are_refused(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gate, "UPLOADS_AT_ONCE", 1)
        only = gate.Gate(app, places=1, most=100)
        held = environ("/api/v1/files", REQUEST_METHOD="POST", HOLD="1")
        thread = in_thread(lambda: call(only, held))
        app.is_called.wait()

        call(only, environ("/api/v1/files", REQUEST_METHOD="POST"))

        assert [each.get("signpost.refused") for each in app.seen] == [None, True]
        app.may_answer.set()
        thread.join()

    @pytest.mark.parametrize(("expects", "left"), [({}, b""), ({"HTTP_EXPECT": "x"}, b"abc")])
    def test_that_are_refused_unread_are_not_asked_for(
        self, expects: dict[str, str], left: bytes
    ) -> None:
        given = environ("/api/v1/files", b"abc", REQUEST_METHOD="POST", **expects)
        stream = given["wsgi.input"]

        call(gate.Gate(lambda *_: [b"no"], places=1, most=100), given)

        assert stream.read() == left


class TestPlaces:
    def test_taken_by_others_are_waited_for_and_then_refused(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gate, "PATIENCE", 0.01)
        only = gate.Gate(app, places=1, most=100)
        thread = in_thread(lambda: call(only, environ("/hold")))
        app.is_called.wait()

        call(only, environ("/other"))
        call(only, environ("/healthz"))
        assert [each.get("signpost.refused") for each in app.seen] == [None, True, None]

        app.may_answer.set()
        thread.join()
        call(only, environ("/other"))
        assert app.seen[-1].get("signpost.refused") is None

    @pytest.mark.parametrize("path", ["/api/v1/auth/token", "/api/v1/auth/token/"])
    def test_of_sign_ins_are_not_those_of_others(
        self, app: App, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        monkeypatch.setattr(gate, "PATIENCE", 0.01)
        only = gate.Gate(app, places=2, most=100)
        thread = in_thread(lambda: call(only, environ(path, HOLD="1")))
        app.is_called.wait()

        call(only, environ(path))
        call(only, environ("/other"))
        assert [each.get("signpost.refused") for each in app.seen] == [None, True, None]

        app.may_answer.set()
        thread.join()

    def test_are_given_back_after_a_crash(self) -> None:
        def crash(environ: Environ, start_response: object) -> Iterable[bytes]:
            raise RuntimeError

        only = gate.Gate(crash, places=1, most=100)
        for _ in range(3):
            given = environ()
            with pytest.raises(RuntimeError):
                call(only, given)
            assert "signpost.refused" not in given


class TestPlaceAgain:
    """What an answer holds that has begun, while it goes on."""

    def test_is_one_of_those_for_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gate, "LONG_PATIENCE", 0)
        only = gate.Gate(lambda *_: [], places=1, most=100)
        one, other = environ(), environ()
        call(only, one)
        call(only, other)

        with gate.place(one), pytest.raises(Unavailable), gate.place(other):
            pass
        with gate.place(other):
            pass

    def test_is_none_where_there_is_no_gate(self) -> None:
        with gate.place(environ()), gate.place(environ()):
            pass


class TestRefusal:
    def test_is_a_problem_with_retry_after(self) -> None:
        config = Config(SECRET_KEY="0123456789abcdef" * 3)
        app = Flask("api")
        app.config["SIGNPOST"] = config
        app.extensions["signpost"] = SimpleNamespace(mounted={}, uploads=set())
        headers.init_app(app, config)
        errors.init_app(app)
        app.add_url_rule("/thing", endpoint="thing", view_func=lambda: "thing")
        gate.init_app(app, config)

        answer = app.test_client().get("/thing", environ_overrides={"signpost.refused": True})

        assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert app.test_client().get("/thing").text == "thing"


class TestExtensions:
    def test_hold_a_quarter_of_the_places_and_no_more(self) -> None:
        held, go_on = [], threading.Event()

        def app(environ: Any, start_response: Any) -> list[bytes]:
            held.append(environ["PATH_INFO"])
            if environ["PATH_INFO"].startswith("/blog/api/people/"):
                assert go_on.wait(10)
            return [str(environ.get("signpost.refused", False)).encode()]

        guarded = gate.Gate(app, 8, 100, ["/blog/api/people"])
        busy = [threading.Thread(target=ask, args=(guarded, "/blog/api/people/1")) for _ in "ab"]
        for thread in busy:
            thread.start()
        while len(held) < 2:
            time.sleep(0.001)

        answers = [ask(guarded, path) for path in ("/blog/api/people_2", "/blog/api/v1/posts")]
        third = ask(guarded, "/blog/api/v1/posts")
        go_on.set()
        for thread in busy:
            thread.join()

        assert [*answers, third] == [b"False"] * 3
        assert ask(guarded, "/blog/api/people") == b"False"

    def test_wait_a_second_for_theirs(self) -> None:
        go_on = threading.Event()

        def app(environ: Any, start_response: Any) -> list[bytes]:
            if "signpost.refused" not in environ:
                assert go_on.wait(10)
            return [str(environ.get("signpost.refused", False)).encode()]

        guarded = gate.Gate(app, 4, 100, ["/api/people"])
        first = threading.Thread(target=ask, args=(guarded, "/api/people"))
        first.start()

        refused = ask(guarded, "/api/people")
        go_on.set()
        first.join()

        assert refused == b"True"
        assert ask(guarded, "/api/people") == b"False"


def ask(guarded: gate.Gate, path: str) -> bytes:
    """Return what a request of a path without a body is answered."""
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    return b"".join(guarded(environ, lambda *_: lambda _: None))
