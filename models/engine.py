"""How connections are made: what SQLite and PostgreSQL are told before their first statement.

Source: the figures behind each setting are in docs/decisions/0003-databases.md.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

#: Execution option of a connection whose transaction is going to write.
WRITES = "signpost_writes"

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
        return {**pool, "connect_args": {"timeout": 5}}
    settings = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL_TIMEOUTS.items())
    return {
        "pool_size": threads,
        "max_overflow": 0,
        "pool_timeout": 1,
        "pool_recycle": 1_800,
        "pool_pre_ping": True,
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
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)


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
    ):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    """Begin a writing transaction with the write lock; let single reads go without one.

    A deferred transaction that reads and then writes fails at once when another wrote in between.
    """
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
