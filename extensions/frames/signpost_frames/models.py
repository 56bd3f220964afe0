"""A table that somebody uploaded; its content is stored like those of files."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from signpost.models import (
    Extended,
    PrimaryKey,
    SoftDeletable,
    User,
    Versioned,
    registry_of,
)

_LIVING = sa.text("deleted_at IS NULL")


def _listed(*columns: str) -> sa.Index:
    return sa.Index(None, *columns, sqlite_where=_LIVING, postgresql_where=_LIVING)


class Base(Extended, DeclarativeBase):
    """Base of the tables ``frames_...``."""

    registry = registry_of("frames")


class Frame(Versioned, SoftDeletable, Base):
    __tablename__ = "frames_tables"
    __table_args__ = (
        sa.CheckConstraint("visibility IN ('private', 'public')", name="visibility"),
        _listed("created_at", "id"),
        _listed("name", "id"),
        _listed("rows_count", "id"),
        sa.Index(None, "author_id", "size"),  # what counts for a quota is in the trash, too
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    visibility: Mapped[str] = mapped_column(default="private")
    format: Mapped[str]
    """Of the upload: ``csv`` or ``parquet``."""
    rows_count: Mapped[int]
    columns_count: Mapped[int]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    """``name``, ``dtype`` and ``nulls`` of each, in order."""
    size: Mapped[int]
    """Bytes, as it is stored."""
    sha256: Mapped[str] = mapped_column(
        sa.ForeignKey("contents.sha256", ondelete="RESTRICT"), index=True
    )

    author: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"Frame(id={self.id!r}, author_id={self.author_id!r}, size={self.size!r})"
