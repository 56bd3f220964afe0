"""A tag, as it was written first, and how many posts have it. Rules are in services/tags.py."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = (sa.Index(None, "posts_count", "id"), Base.__table_args__)

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    """``name`` casefolded, as in ``post_tags``."""
    name: Mapped[str]
    posts_count: Mapped[int] = mapped_column(default=0)
    """Living posts of active authors that are published, scheduled ones included."""

    def __repr__(self) -> str:
        return f"Tag(id={self.id!r})"
