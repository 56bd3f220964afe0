"""What the models say and a database doesn't: told, or drafted as the next step of a history.

A history sees its own tables only: the core's, or those of one extension, which are called
``<name>_...``. Those of extensions that aren't installed any more are nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models import Base, registry_of
from models.engine import WRITES
from models.search import is_foreign_to
from services import schema
from services.schema import CORE, History

Owned = Callable[..., bool]


def metadata_of(history: History) -> sa.MetaData:
    """Return where the tables of a history are declared."""
    return registry_of(history.name).metadata if history.name else Base.metadata


def owned(history: History, connection: sa.Connection) -> Owned:
    """Return Alembic's ``include_object``: whether a history may see this."""
    names = _extensions(connection) | {history.name}
    dialect = connection.dialect.name

    def is_ours(_item: object, name: str | None, kind: str, *_: object) -> bool:
        if is_foreign_to(dialect, name, kind):
            return False
        return kind != "table" or _owner(str(name), names) == history.name

    return is_ours


def differences(engine: sa.Engine, history: History = CORE) -> list[Any]:
    """Return what a migrated database lacks, or has too much, of what the models say."""
    from alembic.autogenerate import compare_metadata  # with a database of the past only
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": owned(history, connection),
            "version_table": history.table,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata_of(history)))


def make_revision(engine: sa.Engine, history: History, message: str) -> Path | None:
    """Write the step from a migrated database to the models; return its file, None: none is due.

    Raises:
        alembic.util.CommandError: the database is not at the head of the history.
    """
    from alembic import command  # at a developer's desk

    history.folder.mkdir(parents=True, exist_ok=True)
    version = f"{int(schema.head(history) or 0) + 1:04}"
    # What Alembic writes meanwhile, a table of versions, is no part of it.
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        script = command.revision(
            schema.settings_of(history, connection),
            message,
            autogenerate=True,
            rev_id=version,
            process_revision_directives=_drop_empty,
        )
        connection.rollback()
    return Path(script.path) if script else None  # type: ignore[union-attr]  # one, not several


def _drop_empty(_context: object, _revision: object, directives: list[Any]) -> None:
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


def _extensions(connection: sa.Connection) -> set[str]:
    """Return the names of all extensions that ever had tables here."""
    prefix = f"{CORE.table}_"
    tables = sa.inspect(connection).get_table_names()
    return {name.removeprefix(prefix) for name in tables if name.startswith(prefix)}


def _owner(table: str, names: set[str]) -> str | None:
    """Return whose a table is: of an extension, the core's (empty) or nobody's."""
    if table in Base.metadata.tables:
        return ""
    if table.startswith(CORE.table):
        return None
    # A name may be the beginning of another one.
    return max((name for name in names if table.startswith(f"{name}_")), key=len, default="")
