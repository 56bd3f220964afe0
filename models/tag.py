"""A tag, as it was written first, and how many posts have it. Rules are in services/tags.py."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class Tag(Base):
    """A row is there as long as a post counts: the last one takes it along."""

    __tablename__ = "tags"
    __table_args__ = (sa.Index(None, "posts_count", "id"), Base.__table_args__)

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    """``key_of`` its name, as in ``post_tags``."""
    name: Mapped[str]
    posts_count: Mapped[int] = mapped_column(default=0)
    """Living posts of active authors that are published, scheduled ones included."""

    def __repr__(self) -> str:
        return f"Tag(id={self.id!r})"


def key_of(name: str) -> str:
    """Return what is the same for a tag however its case is.

    Source: Unicode 3.13, canonical caseless matching: folding takes some letters apart.
    """
    key = name.casefold()
    return key if key.isascii() else unicodedata.normalize("NFC", key)
