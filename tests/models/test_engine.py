"""What connections are told before their first statement, and what URLs mean."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from models import Revocation
from models.engine import WRITES, database_url, engine_options, prepare
from services import clock

_SETTINGS: dict[str, dict[str, str | int]] = {
    "sqlite": {
        "PRAGMA journal_mode": "wal",
        "PRAGMA synchronous": 2,  # FULL: nothing acknowledged is lost when the power goes
        "PRAGMA foreign_keys": 1,
        "PRAGMA busy_timeout": 5000,
        "PRAGMA trusted_schema": 0,
        "PRAGMA cell_size_check": 1,
        "PRAGMA secure_delete": 2,
        "PRAGMA journal_size_limit": 64 * 1024 * 1024,
    },
    "postgresql": {
        "SHOW transaction_isolation": "read committed",
        "SHOW statement_timeout": "5s",
        "SHOW lock_timeout": "2s",
        "SHOW idle_in_transaction_session_timeout": "10s",
        "SHOW client_connection_check_interval": "2s",
        "SHOW synchronous_commit": "on",
        "SHOW timezone": "UTC",
    },
}


class TestConnection:
    def test_is_told_its_settings(self, engine: sa.Engine) -> None:
        expected = _SETTINGS[engine.dialect.name]

        with engine.connect() as connection:
            told = {text: connection.exec_driver_sql(text).scalar() for text in expected}

        assert told == expected

    def test_reads_what_is_committed_when_each_statement_starts(self, engine: sa.Engine) -> None:
        with engine.connect() as reader:
            assert _count(reader) == 0
            _write(engine)
            assert _count(reader) == 1

    def test_that_writes_holds_the_lock_from_its_beginning(self, engine: sa.Engine) -> None:
        with _writing(engine) as first, first.begin():
            assert _count(first) == 0
            second = threading.Thread(target=_write, args=(engine,))
            second.start()
            is_alone = engine.dialect.name == "sqlite"  # on PostgreSQL they run side by side
            second.join(0.05 if is_alone else 5)
            assert second.is_alive() is is_alone
            _insert(first)
        second.join(5)

        with engine.connect() as reader:
            assert _count(reader) == 2


class TestUrl:
    @pytest.mark.parametrize(
        "text", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"]
    )
    def test_of_postgresql_means_psycopg_3(self, text: str) -> None:
        assert database_url(text).drivername == "postgresql+psycopg"

    def test_of_sqlite_stays(self) -> None:
        assert database_url("sqlite:////data/x.sqlite").database == "/data/x.sqlite"


class TestPool:
    @pytest.mark.parametrize("text", ["sqlite:///x.sqlite", "postgresql://h/d"])
    def test_is_as_large_as_there_are_threads_and_is_not_waited_for(self, text: str) -> None:
        options = engine_options(database_url(text), 7)

        assert (options["pool_size"], options["pool_timeout"]) == (7, 1)

    def test_of_postgresql_does_not_grow(self) -> None:
        options = engine_options(database_url("postgresql://h/d"), 7)

        assert options["max_overflow"] == 0

    def test_connects_anew_where_an_idle_connection_is_dead(
        self, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("models.engine.IDLE", 0.0)
        own = sa.create_engine(engine.url, **engine_options(engine.url, 1))
        prepare(own)
        with own.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
        if own.dialect.name == "postgresql":  # a file does not go away
            driver.close()

        with own.connect() as connection:
            assert _count(connection) == 0
        own.dispose()

    def test_uses_a_connection_again_without_asking(
        self, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []
        monkeypatch.setattr(engine.dialect, "do_ping", asked.append)

        for _ in range(2):
            with engine.connect() as connection:
                assert _count(connection) == 0

        assert asked == []


def _writing(engine: sa.Engine) -> sa.Connection:
    return engine.connect().execution_options(**{WRITES: True})


def _write(engine: sa.Engine) -> None:
    with _writing(engine) as connection, connection.begin():
        _insert(connection)


def _insert(connection: sa.Connection) -> None:
    row = {"subject": "user:1", "ver": 1, "expires_at": clock.now()}
    connection.execute(sa.insert(Revocation).values(row))


def _count(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(Revocation)) or 0
