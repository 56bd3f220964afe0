"""One deletion: the root of what went to the trash together. Rules are in services/trash.py."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class Deletion(Base):
    __tablename__ = "deletions"
    __table_args__ = (
        sa.UniqueConstraint("type", "item_id"),
        sa.Index(None, "deleted_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    type: Mapped[str]
    item_id: Mapped[int]
    owner_id: Mapped[int]
    """Whose item it was."""
    title: Mapped[str]
    deleted_at: Mapped[datetime]
    deleted_by: Mapped[int | None] = mapped_column(index=True)
    """None: the command line."""
    children_count: Mapped[int] = mapped_column(default=0)

    def __repr__(self) -> str:
        return f"Deletion(id={self.id!r}, type={self.type!r}, item_id={self.item_id!r})"
