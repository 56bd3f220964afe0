"""Whether the process lives and can serve, as a load balancer asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from api.health import FRESH, PATIENCE, Flag, Readiness
from config import Config
from models.engine import WRITES
from services import schema


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class TestHealthz:
    def test_asks_nothing(
        self, client: FlaskClient, count_queries: Callable[[], Callable[[], list[str]]]
    ) -> None:
        with count_queries() as queries:  # type: ignore[attr-defined]
            answer = client.get("/healthz")

        assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert queries == []

    def test_by_any_host_name(self, make_app: Callable[[Config], Flask], config: Config) -> None:
        client = make_app(replace(config, ALLOWED_HOSTS=("example.org",))).test_client()
        assert client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
        assert client.get("/readyz", headers={"Host": "10.0.0.7"}).status_code == 200
        assert client.get("/docs", headers={"Host": "10.0.0.7"}).status_code == 400

    def test_tells_nothing_of_the_inside(self, client: FlaskClient) -> None:
        answer = client.get("/healthz")
        assert answer.text == '{"status":"ok"}'
        assert "Python" not in str(answer.headers)


class TestReadyz:
    def test_of_a_prepared_database(self, app: Flask) -> None:
        assert app.test_client().get("/readyz").status_code == 200

    def test_of_an_older_database(
        self, make_app: Callable[[Config], Flask], config: Config, engine: sa.Engine
    ) -> None:
        app = make_app(config)
        _set_version(engine, None)
        try:
            answer = app.test_client().get("/readyz")
        finally:
            _set_version(engine, schema.head())
        assert answer.status_code == 503
        assert answer.content_type == "application/problem+json"
        assert (answer.get_json()["code"], list(answer.get_json()["failing"])) == (
            "unavailable",
            ["migrations"],
        )

    @pytest.mark.parametrize(
        "url", ["sqlite:////nowhere/a.sqlite", "postgresql://u:hush@127.0.0.1:1/d"]
    )
    def test_without_a_database(self, config: Config, url: str) -> None:
        from api.app import create_app

        answer = create_app(replace(config, DATABASE_URL=url), ()).test_client().get("/readyz")
        assert answer.status_code == 503
        assert list(answer.get_json()["failing"]) == ["database"]
        assert answer.headers["Retry-After"] == "1"
        assert "nowhere" not in answer.text
        assert "hush" not in answer.text

    def test_while_draining(self, make_app: Callable[[Config], Flask], config: Config) -> None:
        app = make_app(config)
        app.extensions["signpost"].draining.set()
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, list(answer.get_json()["failing"])) == (503, ["process"])
        assert app.test_client().get("/healthz").status_code == 200


class TestReadiness:
    def test_checks_once_a_second(self) -> None:
        checks: list[float] = []
        clock = Clock()

        def check() -> dict[str, str]:
            checks.append(clock())
            return {}

        readiness = Readiness(check, clock)
        for _ in range(1000):
            assert readiness.failing() == {}
        assert len(checks) == 1

        clock.time += FRESH
        readiness.failing()
        assert len(checks) == 2

    def test_does_not_wait_for_a_slow_check(self) -> None:
        may_end, checks = threading.Event(), []

        def check() -> dict[str, str]:
            checks.append(1)
            may_end.wait()
            return {}

        readiness = Readiness(check)
        started = time.monotonic()
        answers = [readiness.failing() for _ in range(50)]
        took = time.monotonic() - started
        may_end.set()

        assert [list(failing) for failing in answers] == [["database"]] * 50
        assert len(checks) == 1
        assert took < PATIENCE * 3

    def test_of_a_check_that_crashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crashes: list[object] = []
        monkeypatch.setattr(threading, "excepthook", crashes.append)

        def check() -> dict[str, str]:
            raise RuntimeError

        assert list(Readiness(check).failing()) == ["database"]
        assert len(crashes) == 1


class TestFlag:
    def test_is_raised_for_good(self) -> None:
        flag = Flag()
        assert not flag
        flag.set()
        assert flag


def _set_version(engine: sa.Engine, version: str | None) -> None:
    table = sa.table("alembic_version", sa.column("version_num"))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(sa.delete(table))
        if version:
            connection.execute(sa.insert(table).values(version_num=version))
