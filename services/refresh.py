"""Refresh tokens: opaque, used once, each making its one successor.

The successor is an HMAC of the spent token, so that a client whose answer got lost is told the same
one again, while only hashes are stored. Any other second use is a theft and ends the session.

Source: RFC 9700, section 4.14.2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import RefreshToken, User, UserSession
from services import audit, revocation
from services.errors import InvalidGrant
from services.lifetimes import lifetimes

#: How long a spent token is answered with the same successor.
REPEAT = timedelta(seconds=10)


class RefreshReused(InvalidGrant):
    """A spent token came again: the session has ended, and stays so."""

    keeps = True


@dataclass(frozen=True)
class Grant:
    """What a sign-in or a refresh is worth: claims of an access token, and the next refresh token.

    Args:
        expires_in: life of the access token (s); never longer than the session.
    """

    user_id: int
    role: str
    ver: int
    session_id: int
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"Grant(user_id={self.user_id!r}, session_id={self.session_id!r})"


def successor_key(secret: str) -> bytes:
    """Return the key of successors, derived from the service's secret."""
    return hmac.digest(secret.encode(), b"signpost: successor of a refresh token", "sha256")


def refresh(session: Session, token: str, key: bytes, address: str | None = None) -> Grant:
    """Spend a refresh token and return the next one.

    Raises:
        InvalidGrant: it is unknown or expired, or its user may not sign in.
        RefreshReused: it was spent before.
    """
    now = session.info["now"]
    row, user = _locked(session, token)
    successor = _successor(key, token)
    if _spend(session, token, now):
        row.refreshed_at = now
        store(session, row, successor)
        _refuse_expired(session, row, token, now)
    elif not _may_repeat(session, token, successor, now):
        _end(session, row, address)
    if user.status != "active" or user.deleted_at is not None or row.expires_at <= now:
        raise InvalidGrant()
    return grant(user, row, successor, now)


def grant(user: User, row: UserSession, token: str, now: datetime) -> Grant:
    """Return what a session is worth now."""
    life = min(lifetimes.access, row.expires_at - now)
    return Grant(user.id, user.role, user.token_version, row.id, token, int(life.total_seconds()))


def store(session: Session, row: UserSession, token: str) -> None:
    """Keep the hash of a session's next token."""
    expires_at = min(session.info["now"] + lifetimes.refresh, row.expires_at)
    session.add(RefreshToken(session_id=row.id, hash=_hash(token), expires_at=expires_at))


def session_of(session: Session, token: str) -> int | None:
    """Return the id of the session that a token, spent or not, belongs to."""
    return session.scalar(
        sa.select(RefreshToken.session_id).where(RefreshToken.hash == _hash(token))
    )


def _locked(session: Session, token: str) -> tuple[UserSession, User]:
    """Return the session, which nobody else refreshes or ends meanwhile, and its user."""
    session_id = session_of(session, token)
    statement = sa.select(UserSession).where(UserSession.id == session_id).with_for_update()
    row = session.scalars(statement).one_or_none() if session_id is not None else None
    user = session.get(User, row.user_id) if row is not None else None
    if row is None or user is None:
        raise InvalidGrant()
    return row, user


def _spend(session: Session, token: str, now: datetime) -> bool:
    """Mark a token as spent; False if it was already. One statement: it decides every race."""
    spent = (
        sa.update(RefreshToken)
        .where(RefreshToken.hash == _hash(token), RefreshToken.spent_at.is_(None))
        .values(spent_at=now)
        .returning(RefreshToken.id)
    )
    return session.scalar(spent, execution_options={"synchronize_session": False}) is not None


def _refuse_expired(session: Session, row: UserSession, token: str, now: datetime) -> None:
    """Refuse a token that lay unused too long; the rollback leaves it unspent."""
    expires_at = session.scalars(
        sa.select(RefreshToken.expires_at).where(RefreshToken.hash == _hash(token))
    ).one()
    if min(expires_at, row.expires_at) <= now:
        raise InvalidGrant()


def _may_repeat(session: Session, token: str, successor: str, now: datetime) -> bool:
    spent_at = session.scalars(
        sa.select(RefreshToken.spent_at).where(RefreshToken.hash == _hash(token))
    ).one()
    unused = session.scalar(
        sa.select(RefreshToken.id).where(
            RefreshToken.hash == _hash(successor), RefreshToken.spent_at.is_(None)
        )
    )
    return unused is not None and spent_at is not None and now - spent_at <= REPEAT


def _end(session: Session, row: UserSession, address: str | None) -> NoReturn:
    audit.record(
        session,
        audit.REFRESH_REUSE,
        subject_id=row.user_id,
        address=address,
        details={"session_id": row.id},
    )
    revocation.revoke_session(session, row.id)
    session.delete(row)
    raise RefreshReused()


def _successor(key: bytes, token: str) -> str:
    digest = hmac.digest(key, token.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
