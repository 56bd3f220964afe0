"""What Alembic runs: the migrations that are due, on a connection that services/schema.py prepared.

``alembic revision --autogenerate`` brings none, so it gets one to the database of the settings.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from models import Base
from models.base import UTCDateTime
from models.search import is_foreign_to

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


def _is_ours(item: Any, name: str | None, kind: str, *_: object) -> bool:
    return not is_foreign_to(context.get_context().dialect.name, name, kind)


with _connection() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=_render,
        include_object=_is_ours,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
