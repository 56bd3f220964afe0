"""Which version of the schema a database has, and the way to another. The steps are in migrations/.

The core has a history of versions, and so has each extension with tables of its own: each in a
folder, with a table that says which one the database has. How a step is drafted from the models is
in services/drafts.py. Alembic is imported only if a step is due: a start on a current database
reads one row of each history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models.engine import WRITES
from services.transaction import writing

#: What Alembic runs the steps of all histories by: env.py.
FOLDER = Path(__file__).parents[1] / "migrations"

#: Key of PostgreSQL's advisory lock around migrations (any constant, the same in every process).
LOCK = 0x5349_474D
#: Seconds that a node waits while another migrates.
PATIENCE = 300

_TABLE = "alembic_version"


class SchemaMismatch(Exception):
    """The database was written by a newer release, or a step left it inconsistent."""


@dataclass(frozen=True)
class History:
    """The versions of the core's tables, or of one extension's."""

    name: str
    """The extension's; empty: the core."""
    folder: Path
    """Where the steps are; a file's name begins with its version: ``0001_initial.py``."""
    table: str
    """Says which version a database has."""


#: Of the core's tables.
CORE = History("", FOLDER / "versions", _TABLE)


def history_of(name: str, folder: Path) -> History:
    """Return the history of an extension whose steps are, if it has any, in ``folder``."""
    return History(name, folder, f"{_TABLE}_{name}")


def versions(history: History = CORE) -> list[str]:
    """Return the versions that this release knows, oldest first."""
    return sorted(path.name.split("_")[0] for path in history.folder.glob("[0-9]*_*.py"))


def head(history: History = CORE) -> str:
    """Return the version that this release needs; empty: there are no steps."""
    return max(versions(history), default="")


def current(connection: sa.Connection, history: History = CORE) -> str | None:
    """Return the version that the database has; None: it is empty.

    Raises:
        SchemaMismatch: this release doesn't know that version.
    """
    if not sa.inspect(connection).has_table(history.table):
        return None
    of = sa.table(history.table, sa.column("version_num", sa.Text))
    version = connection.scalar(sa.select(of.c.version_num))
    if version is not None and version not in versions(history):
        whose = f" of {history.name}" if history.name else ""
        raise SchemaMismatch(
            f"The database has schema {version}{whose}, "
            f"this release knows only up to {head(history)}."
        )
    return version


def upgrade(engine: sa.Engine, history: History = CORE, *, version: str | None = None) -> bool:
    """Bring the database to ``version`` (default: the head); of several processes one does it.

    All steps of a history are one transaction: killed or refused, it has done nothing. Return
    whether any was due.

    Raises:
        SchemaMismatch: the database is newer than this release.
        Exception: whatever a step raises.
    """
    if not (target := version or head(history)):
        return False
    with engine.connect() as connection:
        if current(connection, history) == target:
            return False
    with _alone(engine) as connection:
        if current(connection, history) == target:
            return False
        _run(connection, "upgrade", target, history)
    return True


def downgrade(engine: sa.Engine, history: History = CORE, *, version: str = "base") -> None:
    """Take the database back to ``version``; what only newer versions can hold is lost."""
    with _alone(engine) as connection:
        _run(connection, "downgrade", version, history)


def settings_of(history: History, connection: sa.Connection) -> Any:
    """Return Alembic's settings for a history, whose env.py is to use ``connection``."""
    from alembic.config import Config  # 100 ms, so only when needed

    config = Config(attributes={"connection": connection, "history": history})
    for name, value in {
        "script_location": FOLDER,
        "version_locations": history.folder,
        "path_separator": "newline",  # a folder's name may have any other
        "file_template": "%(rev)s_%(slug)s",
    }.items():
        config.set_main_option(name, str(value).replace("%", "%%"))
    return config


def _run(connection: sa.Connection, direction: str, version: str, history: History) -> None:
    from alembic import command  # 100 ms, so only when needed

    getattr(command, direction)(settings_of(history, connection), version)


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give the one connection that may change the schema, inside a transaction."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            # The limits for requests are too short for a step over many rows.
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            yield connection
        return
    with writing(engine, PATIENCE), _without_foreign_keys(engine) as connection, connection.begin():
        yield connection
        if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise SchemaMismatch(f"A row of {broken[0]} would refer to nothing in {broken[2]}.")


@contextmanager
def _without_foreign_keys(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect so that a table may be rebuilt: dropping the old one must not cascade."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        try:
            yield connection.execution_options(**{WRITES: True})
        finally:
            connection.invalidate()  # the next one has foreign keys again
