"""The log: one narrow row per change of a resource, and each version's contents.

services/log.py writes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class Change(Base):
    """One change. ``was`` and ``now`` are audiences: 0 nobody, 1 owner and staff, 2 everyone.

    No foreign keys: the log outlives what it speaks of.
    """

    __tablename__ = "changes"
    __table_args__ = (
        sa.Index(None, "type", "id", "version"),
        sa.Index(None, "at"),
        sa.Index(None, "group_id"),
        Base.__table_args__,
    )

    seq: Mapped[PrimaryKey]
    """Order of commit."""
    at: Mapped[datetime]
    actor_id: Mapped[int | None]
    via: Mapped[str]
    """``session``, ``command``, ``system`` or, at a sign-up, ``anonymous``."""
    type: Mapped[str]
    id: Mapped[int]
    owner_id: Mapped[int | None]
    op: Mapped[str]
    """``create``, ``update``, ``delete``, ``restore`` or ``purge``."""
    version: Mapped[int]
    was: Mapped[int]
    now: Mapped[int]
    group_id: Mapped[int | None]
    """The deletion that it was part of."""

    def __repr__(self) -> str:
        return f"Change(seq={self.seq!r}, type={self.type!r}, id={self.id!r}, op={self.op!r})"


class Revision(Base):
    """The declared fields of one version of one item; never secrets, never derived text."""

    __tablename__ = "revisions"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)

    type: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    snapshot: Mapped[dict[str, Any]]
    made_at: Mapped[datetime | None]
    """When, if it came with an import. Otherwise its change says when, and who."""
    made_by: Mapped[int | None]
    """The user who made it elsewhere; None if that is not known, or nobody was signed in."""

    def __repr__(self) -> str:
        return f"Revision(type={self.type!r}, id={self.id!r}, version={self.version!r})"
