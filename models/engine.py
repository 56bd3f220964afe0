"""How connections are made: what SQLite and PostgreSQL are told before their first statement.

Source: the figures behind each setting are in docs/decisions/0003-databases.md.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

#: Execution option of a connection whose transaction is going to write.
WRITES = "signpost_writes"

#: Seconds unused, after which a connection to PostgreSQL is asked whether it still is one.
IDLE = 1.0
_USED = "signpost_used"
#: SQLSTATE of a write where only reads are possible.
_READ_ONLY = "25006"

#: JSON columns by orjson.
_JSON = {
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}

#: What statements are called with (addresses, hashes) stays out of messages, and so of the log.
_QUIET = {"hide_parameters": True}

#: Milliseconds, as PostgreSQL counts them.
_POSTGRESQL_TIMEOUTS = {
    "statement_timeout": 5_000,
    "lock_timeout": 2_000,
    "idle_in_transaction_session_timeout": 10_000,
    "client_connection_check_interval": 2_000,
}


def database_url(text: str) -> sa.URL:
    """Return the SQLAlchemy URL of a setting; ``postgres://`` means psycopg 3."""
    url = sa.make_url(text.replace("postgres://", "postgresql://", 1))
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def engine_options(url: sa.URL, threads: int) -> dict[str, Any]:
    """Return the keyword arguments of ``create_engine`` for a process with this many threads."""
    if url.get_backend_name() == "sqlite":
        pool = {"pool_size": threads, "max_overflow": 2, "pool_timeout": 1}
        return {**pool, **_JSON, **_QUIET, "connect_args": {"timeout": 5}}
    settings = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL_TIMEOUTS.items())
    return {
        **_JSON,
        **_QUIET,
        "pool_size": threads,
        "max_overflow": 0,
        "pool_timeout": 1,
        "pool_recycle": 1_800,
        "connect_args": {
            "options": f"-c timezone=UTC {settings}",
            "connect_timeout": 2,
            "keepalives_idle": 5,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    }


def prepare(engine: sa.Engine) -> None:
    """Make every connection of ``engine`` behave; call once, before the first connection."""
    if engine.dialect.name == "sqlite":
        engine.dialect.statement_compiler = _Hinting
        for name, words in _SAVEPOINTS.items():
            setattr(engine.dialect, name, partial(_point, words))
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _ask_if_idle(engine.dialect))
        event.listen(engine, "handle_error", _note_loss)


class _Hinting(SQLiteCompiler):
    """Writes hints of ``with_hint`` behind a table's name, which SQLAlchemy has no use for here."""

    def get_from_hint_text(self, _table: object, text: str | None) -> str | None:
        """Return the hint as it is."""
        return text


def ends_use(exc: BaseException, driver: Any, dialect: sa.Dialect) -> bool:
    """Whether a connection of the driver is of no more use after this error of it."""
    return _is_read_only(exc) or dialect.is_disconnect(exc, driver, None)  # type: ignore[arg-type]


def as_sqlalchemy(exc: Any, dialect: sa.Dialect, is_lost: bool = False) -> sa.exc.DBAPIError:
    """Return what SQLAlchemy would raise for an error of the driver."""
    base: Any = dialect.loaded_dbapi.Error
    instance: Any = sa.exc.DBAPIError.instance
    made: sa.exc.DBAPIError = instance(
        None, None, exc, base, connection_invalidated=is_lost, dialect=dialect
    )
    return made


def _is_read_only(exc: BaseException | None) -> bool:
    """Whether this came of writing to a server that only reads, as one does that was primary."""
    return getattr(exc, "sqlstate", None) == _READ_ONLY


def _note_loss(context: sa.ExceptionContext) -> None:
    """Have the pool connect anew, to the present primary."""
    if _is_read_only(context.original_exception):
        context.is_disconnect = True


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _ask_if_idle(dialect: sa.Dialect) -> Callable[..., None]:
    """Return a listener that asks an idle connection whether it still is one.

    ``pool_pre_ping`` would ask before each use, which takes as long as reading a row.
    """

    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used = record.info.get(_USED, math.inf)  # a new one was not used yet
        if time.monotonic() - used < IDLE:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as exc:
            raise sa.exc.InvalidatePoolError from exc  # the pool connects anew

    return ask


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in (
        "busy_timeout=5000",  # first: the next line may have to wait
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "secure_delete=FAST",
        "journal_size_limit=67108864",
        "cache_size=-512",  # KiB of each thread's connection: the system caches the file anyway
    ):
        connection.execute(f"PRAGMA {pragma}")


#: SQLAlchemy's methods → what they say; by its own way a transaction's two take 80 us.
_SAVEPOINTS = {
    "do_savepoint": "SAVEPOINT",
    "do_rollback_to_savepoint": "ROLLBACK TO SAVEPOINT",
    "do_release_savepoint": "RELEASE SAVEPOINT",
}


def _point(words: str, connection: sa.Connection, name: str) -> None:
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(f"{words} {name}")
    except sqlite3.Error as exc:
        raise as_sqlalchemy(exc, connection.dialect) from exc


def _sqlite_begin(connection: sa.Connection) -> None:
    """Begin a writing transaction with the write lock; let single reads go without one.

    A deferred transaction that reads and then writes fails at once when another wrote in between.
    """
    if connection.get_execution_options().get(WRITES):
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.execute("BEGIN IMMEDIATE")  # others wait: by SQLAlchemy it takes 50 us longer
        except sqlite3.Error as exc:
            raise as_sqlalchemy(exc, connection.dialect) from exc
