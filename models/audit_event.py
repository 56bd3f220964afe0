"""Sign-ins, refusals and what else is worth keeping that is not a change of a resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from models.base import Base, PrimaryKey


class AuditEvent(Base):
    __tablename__ = "audit_events"
    __table_args__ = (sa.Index(None, "at"), Base.__table_args__)

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    kind: Mapped[str]
    """``sign-in``, ``sign-in-refused``, ``refresh-reuse``, ``password-change`` ..."""
    actor_id: Mapped[int | None]
    subject_id: Mapped[int | None]
    """The user whom it is about."""
    address: Mapped[str | None]
    details: Mapped[dict[str, Any] | None]

    def __repr__(self) -> str:
        return f"AuditEvent(id={self.id!r}, kind={self.kind!r})"
