"""How often a password may be guessed: 10 times a minute per account and address.

A guess is counted before it is looked at, by one atomic statement, so that parallel guesses on any
number of workers count exactly. The owner signs in from elsewhere all the while.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import LoginAttempt
from models.upsert import insert_into
from services.errors import RateLimited

LIMIT = 10
WINDOW = timedelta(minutes=1)
#: Rows of windows that are over, removed with each guess at most.
_SWEEP = 20


def reserve(session: Session, key: str, limit: int = LIMIT) -> int:
    """Count one guess in the caller's short transaction; commit it before looking at the guess.

    Returns:
        Seconds until the next guess is allowed; 0 if this one is.
    """
    now = session.info["now"]
    fresh = insert_into(session, LoginAttempt).values(key=key, count=1, window_ends_at=now + WINDOW)
    ends_at = LoginAttempt.window_ends_at
    # One that is far ahead is from before the clock was set back; a host's may be a little ahead.
    is_over = sa.or_(ends_at <= now, ends_at > now + 2 * WINDOW)
    counted = fresh.on_conflict_do_update(
        index_elements=[LoginAttempt.key],
        set_={
            "count": sa.case((is_over, 1), else_=LoginAttempt.count + 1),
            "window_ends_at": sa.case((is_over, fresh.excluded.window_ends_at), else_=ends_at),
        },
    ).returning(LoginAttempt.count, LoginAttempt.window_ends_at)
    count, window_ends_at = session.execute(counted).one()
    _sweep(session)
    return 0 if count <= limit else max(1, math.ceil((window_ends_at - now).total_seconds()))


def allow(wait: int) -> None:
    """Refuse a guess that has to wait.

    Raises:
        RateLimited: with the seconds to wait.
    """
    if wait:
        raise RateLimited("Too many attempts to sign in; wait and try again.", retry_after=wait)


def forget(session: Session, key: str) -> None:
    """Start counting anew: the password was right."""
    session.execute(sa.delete(LoginAttempt).where(LoginAttempt.key == key))


def bucket(account: str, address: str | None) -> str:
    """Return the key of an account, by its normalised name, and an address (IPv6: its /64)."""
    return hashlib.sha256(f"{account}\0{_network(address)}".encode()).hexdigest()


def _network(address: str | None) -> str:
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _sweep(session: Session) -> None:
    old = (
        sa.select(LoginAttempt.key)
        .where(LoginAttempt.window_ends_at <= session.info["now"])
        .limit(_SWEEP)
        .with_for_update(skip_locked=True)
    )
    session.execute(sa.delete(LoginAttempt).where(LoginAttempt.key.in_(old)))
