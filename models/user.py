"""A user: somebody who signs in. Rules are in services/users.py."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey, SoftDeletable, Versioned, partial


class User(Versioned, SoftDeletable, Base):
    __tablename__ = "users"
    __table_args__ = (
        sa.CheckConstraint("role IN ('reader', 'author', 'editor', 'admin')", name="role"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
        sa.Index(None, "created_at", "id"),
        partial("avatar_id IS NOT NULL", "avatar_id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    """Casefolded; unique among the living and the deleted."""
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    """Normalised and casefolded; unique among the living and the deleted."""
    email_verified: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str]
    """argon2id, in PHC string format."""
    name: Mapped[str | None]
    bio: Mapped[str | None]
    avatar_id: Mapped[int | None]
    """A picture among the files; without a foreign key, for files refer to users."""
    role: Mapped[str] = mapped_column(default="author")
    status: Mapped[str] = mapped_column(default="active")
    token_version: Mapped[int] = mapped_column(default=1)
    """The claim ``ver``; raising it ends every access token issued before."""

    def __repr__(self) -> str:
        return f"User(id={self.id!r}, role={self.role!r}, status={self.status!r})"
