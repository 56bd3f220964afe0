"""Sign-ins and what ends them. Rules are in services/sessions.py and services/revocation.py."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class UserSession(Base):
    """One sign-in on one device; lives until ``expires_at`` at the latest."""

    __tablename__ = "sessions"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    refreshed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """90 days after ``created_at``, whatever is refreshed."""
    device: Mapped[str | None]
    """The User-Agent that signed in, up to 200 characters."""
    address: Mapped[str | None]

    def __repr__(self) -> str:
        return f"UserSession(id={self.id!r}, user_id={self.user_id!r})"


class RefreshToken(Base):
    """One refresh token of a session, by its hash. Spent once: ``spent_at``."""

    __tablename__ = "refresh_tokens"

    id: Mapped[PrimaryKey]
    session_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the token, hexadecimal."""
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"RefreshToken(id={self.id!r}, session_id={self.session_id!r})"


class Revocation(Base):
    """Access tokens that end before they expire: of a session, or of a user below a version."""

    __tablename__ = "revocations"

    id: Mapped[PrimaryKey]
    subject: Mapped[str]
    """``session:<id>`` or ``user:<id>``."""
    ver: Mapped[int]
    """Tokens of a user with a smaller claim ``ver`` are refused; 0 for a session."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When the last token that it ends has expired anyway."""

    def __repr__(self) -> str:
        return f"Revocation(subject={self.subject!r}, ver={self.ver!r})"


class LoginAttempt(Base):
    """Guesses at one account from one address within one window, counted exactly."""

    __tablename__ = "login_attempts"
    __table_args__ = ({"sqlite_strict": True, "sqlite_with_rowid": False},)

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of account and address, hexadecimal."""
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]

    def __repr__(self) -> str:
        return f"LoginAttempt(count={self.count!r})"
