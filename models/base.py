"""The declarative base and the columns that tables share; connections: models/engine.py.

Extensions have bases of their own: models/extended.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

#: Stable constraint names: migrations can drop them, services can recognise them.
NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: Below this, milliseconds as a float of seconds come out exact to the microsecond (the year 2109).
_EXACT = 2**42


def _from_milliseconds(value: int | None) -> datetime | None:
    if value is None:
        return None
    if 0 <= value < _EXACT:
        return datetime.fromtimestamp(value / 1000, UTC)
    return _EPOCH + timedelta(milliseconds=value)


class UTCDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, kept to the millisecond: an integer on SQLite, else timestamptz(3)."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return postgresql.TIMESTAMP(timezone=True, precision=3)  # adapting loses precision
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // _MILLISECOND

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Return how a value is read, without SQLAlchemy's detour: a list reads 60 of them."""
        return None if dialect.name == "postgresql" else _from_milliseconds


# SQLite's STRICT tables know INTEGER, TEXT, REAL and BLOB only.
@compiles(sa.BigInteger, "sqlite")
@compiles(sa.Boolean, "sqlite")
def _sqlite_integer(*_args: object, **_options: object) -> str:
    return "INTEGER"


@compiles(sa.JSON, "sqlite")
def _sqlite_text(*_args: object, **_options: object) -> str:
    return "TEXT"


class Base(DeclarativeBase):
    """Base of all tables: named constraints, strict types, ids that are never used twice."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UTCDateTime,
        str: sa.Text,
        int: sa.BigInteger,
        list[str]: sa.JSON,
        dict[str, Any]: sa.JSON,
    }
    __table_args__: Any = {"sqlite_strict": True, "sqlite_autoincrement": True}


#: An id: counts up, is never given twice (SQLite: AUTOINCREMENT), stays below 2**53.
PrimaryKey = Annotated[
    int, mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
]


class Versioned:
    """A row that clients see: when it came, when it changed, how often."""

    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


#: The condition of rows that are not in the trash.
LIVING = "deleted_at IS NULL"


def partial(where: str, *columns: str, name: str | None = None, unique: bool = False) -> sa.Index:
    """Return an index of the rows that meet a condition."""
    of = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=of, postgresql_where=of)


class SoftDeletable:
    """A row that goes to the trash first. ``deletion_id`` names the deletion that took it."""

    deleted_at: Mapped[datetime | None]

    @declared_attr
    def deletion_id(self) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey("deletions.id", ondelete="RESTRICT"), index=True)
