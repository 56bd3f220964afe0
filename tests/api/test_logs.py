"""The log: one line each, whatever is in it, and no secret."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask, g
from flask.testing import FlaskClient

from api import errors, headers, logs, seen
from config import Config
from models.engine import database_url, engine_options
from services.errors import Unavailable

SECRET = "0123456789abcdef" * 3
NASTY = 'a\r\n{"event":"forged"}\x1b[31m\x85\u2028\u202eb'


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What is configured once per process."""
    root = logging.getLogger()
    before = structlog.get_config(), root.handlers[:], root.level
    yield
    structlog.configure(**before[0])
    root.handlers, root.level = before[1], before[2]


@pytest.fixture
def make_client() -> Callable[..., FlaskClient]:
    """``make_client(LOG_FORMAT="text")``: a caller of a small app of these settings."""

    def make(**settings: object) -> FlaskClient:
        config = Config(SECRET_KEY=SECRET, **settings)  # type: ignore[arg-type]
        app = Flask("api")
        app.config["SIGNPOST"] = config
        app.extensions["signpost"] = SimpleNamespace()
        seen.init_app(app)
        logs.init_app(app, config)
        headers.init_app(app, config)
        errors.init_app(app)
        app.add_url_rule("/thing/<name>", view_func=_thing)
        app.add_url_rule("/crash", view_func=_crash)
        app.add_url_rule("/away", view_func=_away)
        return app.test_client()

    return make


def _thing(name: str) -> str:
    g.actor = SimpleNamespace(id=7)
    return name


def _crash() -> str:
    logging.getLogger("library").warning("careful with %s", NASTY)
    raise RuntimeError(f"broken {NASTY}")


def _away() -> NoReturn:
    refusal = sa.exc.OperationalError("SELECT hush", {}, OSError("no route\nto host"))
    raise Unavailable(retry_after=1) from refusal


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[Any]]:
    """``lines()``: what was logged since, parsed."""

    def read() -> list[Any]:
        out, err = capfd.readouterr()
        assert err == ""
        return [json.loads(line) for line in out.split("\n") if line]

    return read


class TestRequest:
    def test_is_one_line(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]]
    ) -> None:
        make_client().get("/thing/x", headers={"X-Request-Id": "abc"})
        [line] = lines()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
        assert line.pop("duration_ms") >= 0
        assert line == {
            "level": "info",
            "event": "request",
            "request_id": "abc",
            "method": "GET",
            "route": "/thing/<name>",
            "path": "/thing/x",
            "status": 200,
            "actor": 7,
            "address": "127.0.0.1",
        }

    def test_has_neither_query_nor_token(
        self, make_client: Callable[..., FlaskClient], capfd: pytest.CaptureFixture[str]
    ) -> None:
        make_client().get("/thing/x?token=hush", headers={"Authorization": "Bearer hush"})
        assert "hush" not in "".join(capfd.readouterr())

    @pytest.mark.parametrize(
        "path", ["/%0d%0a%1b%5b31m", "/%ff%fe", "/%ed%a0%80", "/%00", "/%E2%80%AE"]
    )
    def test_of_any_path_is_one_line(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]], path: str
    ) -> None:
        make_client().get(path, headers={"User-Agent": "x\x1b[31m"})
        assert [line["status"] for line in lines()] == [404]

    def test_that_an_unknown_host_got_is_logged_too(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]]
    ) -> None:
        make_client(ALLOWED_HOSTS=("example.org",)).get("/thing/x")
        assert [line["status"] for line in lines()] == [400]

    def test_is_quiet_where_only_errors_are_wanted(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]]
    ) -> None:
        make_client(LOG_LEVEL="error").get("/thing/x")
        assert lines() == []


class TestCrash:
    def test_has_its_traceback_under_the_request_id(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]]
    ) -> None:
        answer = make_client().get("/crash")
        library, crash, request = lines()
        ids = {line["request_id"] for line in (library, crash, request)}
        assert ids == {answer.headers["X-Request-Id"]} == {answer.get_json()["request_id"]}
        assert (library["level"], library["logger"]) == ("warning", "library")
        assert (crash["level"], crash["event"]) == ("error", "crash")
        assert "RuntimeError: broken" in crash["exception"]
        assert request["status"] == 500
        assert "broken" not in answer.text

    def test_is_reported_to_sentry_only_if_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sentry_sdk

        reported: list[Any] = []
        monkeypatch.setattr(sentry_sdk, "init", lambda dsn, **options: reported.append(options))
        monkeypatch.setattr(sentry_sdk, "capture_exception", reported.append)
        dsn = "https://key@sentry.example/1"
        logs.configure(Config(SECRET_KEY=SECRET, SENTRY_DSN=dsn, LOG_LEVEL="error"))
        options = reported.pop()
        assert not options["send_default_pii"]
        assert not options["include_local_variables"]

        structlog.get_logger().error("no crash")
        assert reported == []
        crash = ValueError("x")
        structlog.get_logger().error("crash", exc_info=crash)
        assert reported == [crash]


class TestUnavailable:
    def test_has_its_reason_under_the_request_id(
        self, make_client: Callable[..., FlaskClient], lines: Callable[[], list[Any]]
    ) -> None:
        answer = make_client().get("/away")

        why, request = lines()
        assert why["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
        assert (why["level"], why["event"]) == ("warning", "unavailable")
        assert why["reason"] == "OSError: no route"
        assert request["status"] == 503
        assert "no route" not in answer.text


class TestDatabaseError:
    @pytest.mark.parametrize("url", ["sqlite://", "postgresql://localhost/x"])
    def test_does_not_tell_what_was_asked_with(self, url: str) -> None:
        options = engine_options(database_url(url), threads=1)
        engine = sa.create_engine("sqlite://", hide_parameters=options["hide_parameters"])
        with pytest.raises(sa.exc.OperationalError) as caught, engine.connect() as connection:
            connection.execute(sa.text("SELECT 1 FROM nowhere WHERE x = :x"), {"x": "hush"})
        engine.dispose()
        assert "nowhere" in str(caught.value)
        assert "hush" not in str(caught.value)


class TestText:
    def test_escapes_what_could_forge_a_line(
        self, make_client: Callable[..., FlaskClient], capfd: pytest.CaptureFixture[str]
    ) -> None:
        make_client(LOG_FORMAT="text").get("/crash")
        make_client(LOG_FORMAT="text").get("/%0d%0aforged%1b%5b31m")
        out = capfd.readouterr().out
        assert not set(out) & set("\r\x1b\x85\u2028\u202e")
        beginnings = {line.split(" ")[0][:2] for line in out.splitlines()}
        assert beginnings == {"20", ""}  # a time, or the indentation of a traceback

    def test_shows_what_is_there(
        self, make_client: Callable[..., FlaskClient], capfd: pytest.CaptureFixture[str]
    ) -> None:
        make_client(LOG_FORMAT="text").get("/thing/x")
        assert " info request " in capfd.readouterr().out


class TestValues:
    @pytest.mark.parametrize(
        "value", ["\ud800", b"\xff", object(), {1: 2}, float("nan"), 2**70, {"a"}]
    )
    @pytest.mark.parametrize("format", ["json", "text"])
    def test_of_any_kind_make_one_line(
        self, capfd: pytest.CaptureFixture[str], value: object, format: str
    ) -> None:
        logs.configure(Config(SECRET_KEY=SECRET, LOG_FORMAT=format))
        structlog.get_logger().info("odd", value=value)
        assert capfd.readouterr().out.count("\n") == 1

    def test_of_libraries_below_the_level_are_dropped(self, lines: Callable[[], list[Any]]) -> None:
        logs.configure(Config(SECRET_KEY=SECRET, LOG_LEVEL="warning"))
        logging.getLogger("library").info("chatter")
        logging.getLogger("library").error("trouble")
        assert [line["event"] for line in lines()] == ["trouble"]

    def test_go_nowhere_if_nobody_reads(self) -> None:
        logs.configure(Config(SECRET_KEY=SECRET), descriptor=9_999)
        structlog.get_logger().error("said to nobody")
