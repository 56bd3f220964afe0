"""Rows for every table, made from the metadata: no table can be forgotten."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models import Base
from models.base import UTCDateTime
from models.engine import WRITES
from services import clock

#: What check constraints ask for.
_CHOICES = {
    ("users", "role"): "author",
    ("users", "status"): "active",
    ("posts", "status"): "draft",
    ("files", "visibility"): "private",
}


def fill(engine: sa.Engine, rows: int = 3) -> None:
    """Insert ``rows`` rows into every table, each referring to rows of the same number."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for table in Base.metadata.sorted_tables:
            values = [{c.name: _value(c, n) for c in table.columns} for n in range(1, rows + 1)]
            if table.name == "follows":  # nobody follows oneself
                values = [{**each, "followed_id": each["id"] % rows + 1} for each in values]
            connection.execute(sa.insert(table), values)


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return the number of rows of every table of the models."""
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def _value(column: sa.Column[Any], n: int) -> Any:
    if choice := _CHOICES.get((str(column.table), column.name)):
        return choice
    if isinstance(column.type, UTCDateTime):
        return clock.now()
    if isinstance(column.type, sa.JSON):
        return {"n": n}
    if isinstance(column.type, sa.Boolean):
        return n % 2 == 0
    return n if isinstance(column.type, sa.Integer) else f"{column.name}-{n}"
