"""Which version of the schema a database has, and the way to another. The steps are in migrations/.

Alembic is imported only if a step is due: a start on a current database reads one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from models.engine import WRITES
from services.transaction import writing

#: Where the steps are; a file's name begins with its version: ``0001_initial.py``.
FOLDER = Path(__file__).parents[1] / "migrations"

#: Key of PostgreSQL's advisory lock around migrations (any constant, the same in every process).
LOCK = 0x5349_474D
#: Seconds that a node waits while another migrates.
PATIENCE = 300

_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


class SchemaMismatch(Exception):
    """The database was written by a newer release, or a step left it inconsistent."""


def versions() -> list[str]:
    """Return the versions that this release knows, oldest first."""
    return sorted(path.name.split("_")[0] for path in FOLDER.glob("versions/[0-9]*_*.py"))


def head() -> str:
    """Return the version that this release needs."""
    return versions()[-1]


def current(connection: sa.Connection) -> str | None:
    """Return the version that the database has; None: it is empty.

    Raises:
        SchemaMismatch: this release doesn't know that version.
    """
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    version = connection.scalar(sa.select(_VERSION.c.version_num))
    if version is not None and version not in versions():
        raise SchemaMismatch(
            f"The database has schema {version}, this release knows only up to {head()}."
        )
    return version


def upgrade(engine: sa.Engine, version: str | None = None) -> bool:
    """Bring the database to ``version`` (default: the head); of several processes one does it.

    All steps are one transaction: killed, it has done nothing. Return whether any was due.

    Raises:
        SchemaMismatch: the database is newer than this release.
    """
    target = version or head()
    with engine.connect() as connection:
        if current(connection) == target:
            return False
    with _alone(engine) as connection:
        if current(connection) == target:
            return False
        _run(connection, "upgrade", target)
    return True


def downgrade(engine: sa.Engine, version: str = "base") -> None:
    """Take the database back to ``version``; what only newer versions can hold is lost."""
    with _alone(engine) as connection:
        _run(connection, "downgrade", version)


def _run(connection: sa.Connection, direction: str, version: str) -> None:
    from alembic import command  # 100 ms, so only when needed
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    getattr(command, direction)(config, version)


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
