"""What Alembic runs: the migrations that are due, on a connection that services/schema.py prepared.

They are of the history that it says, the core's or an extension's. ``alembic revision
--autogenerate`` brings neither, so it gets the core's and the database of the settings.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from models.base import UTCDateTime
from services import drafts, schema

#: Our own type → its name in migrations/columns.py. More specific types first.
_NAMES: dict[type[sa.types.TypeEngine[Any]], str] = {
    UTCDateTime: "Moment",
    sa.Boolean: "Flag",
    sa.JSON: "Document",
    sa.Integer: "Number",
}


def _render(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Return how a type is written in a new migration; False: as Alembic does."""
    if kind != "type":
        return False
    for ours, name in _NAMES.items():
        if isinstance(item, ours):
            autogen.imports.add("from migrations import columns")
            return f"columns.{name}"
    return False


def _connection() -> AbstractContextManager[sa.Connection]:
    given: sa.Connection | None = context.config.attributes.get("connection")
    if given is not None:
        return nullcontext(given)
    from config import Config  # only at a developer's desk
    from models.engine import database_url

    return sa.create_engine(database_url(Config.from_env().DATABASE_URL)).connect()


_history: schema.History = context.config.attributes.get("history", schema.CORE)
with _connection() as connection:
    context.configure(
        connection=connection,
        target_metadata=drafts.metadata_of(_history),
        version_table=_history.table,
        render_item=_render,
        include_object=drafts.owned(_history, connection),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
