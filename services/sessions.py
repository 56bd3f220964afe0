"""Sign-ins: how one begins, which ones there are, how they end.

How one goes on is in services/refresh.py; the access tokens it is worth are made in api/auth.py and
end early by services/revocation.py. Guesses are counted in services/guesses.py.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import User, UserSession
from services import audit, guesses, passwords, refresh, revocation
from services.actor import Actor
from services.base import ACTOR, NOW, Service
from services.errors import InvalidGrant, NotFound, Unauthenticated, Unavailable
from services.lifetimes import lifetimes
from services.listing import Sort
from services.refresh import Grant

T = TypeVar("T")

#: Characters kept of a User-Agent.
DEVICE_LENGTH = 200
#: Expired sessions removed with each sign-in at most.
_SWEEP = 20
#: A password may change, or its hash be renewed, while it is being checked.
_TRIES = 3
_IDLE_SINCE = sa.bindparam("idle_since", type_=UserSession.refreshed_at.type)
_CURRENT = sa.bindparam("session_id", type_=sa.BigInteger)


class Database(Protocol):
    """What runs a unit of work in a session of its own: for reading, or in a transaction."""

    def read(self, work: Callable[[Session], T]) -> T: ...

    def write(self, work: Callable[[Session], T]) -> T: ...


@dataclass(frozen=True, repr=False)
class Credentials:
    """What somebody signs in with, and from where.

    Args:
        name: a username or an email address.
        limit: guesses a minute; 0 for any number.
    """

    name: str
    password: str
    device: str | None = None
    address: str | None = None
    limit: int = guesses.LIMIT


class _Found(NamedTuple):
    id: int
    password_hash: str


class SignInRefused(InvalidGrant):
    """One answer for every reason; the audit event stays."""

    keeps = True


class SessionService(Service[UserSession]):
    """The caller's own sign-ins, as they see them."""

    model = UserSession
    type = "sessions"
    sorts = {"created_at": Sort(UserSession.created_at)}
    default_sort = "-created_at"

    def visible(self) -> sa.Select[Any]:
        return sa.select(UserSession).where(
            UserSession.user_id == ACTOR,
            UserSession.expires_at > NOW,
            UserSession.refreshed_at > _IDLE_SINCE,
        )

    def columns(self) -> tuple[Any, ...]:
        return (
            UserSession.id,
            UserSession.device,
            UserSession.address.label("ip"),
            UserSession.created_at,
            UserSession.refreshed_at,
            (UserSession.id == _CURRENT).label("current"),
        )

    @property
    def params(self) -> dict[str, Any]:
        """Values of what stands for the caller, the time and the present sign-in."""
        current = self.actor.session_id if self.actor else None
        return super().params | {
            "idle_since": self.now - lifetimes.refresh,
            "session_id": current or 0,
        }

    def end(self, id: int) -> None:
        """End one of the caller's sign-ins.

        Raises:
            NotFound: there is none with this id, or it is somebody else's.
        """
        actor = self._actor
        if not end(self.session, id, actor.id):
            raise NotFound()
        self._record({"session_id": id})

    def end_others(self) -> None:
        """End all of the caller's sign-ins but the present one."""
        ended = end_others(self.session, self._actor.id, self._actor.session_id)
        self._record({"ended": len(ended)})

    def current(self) -> Any:
        """Return the sign-in that the token belongs to; None for what is no sign-in."""
        try:
            return self.row(self._actor.session_id or 0)
        except NotFound:
            return None

    @property
    def _actor(self) -> Actor:
        if self.actor is None:
            raise Unauthenticated()
        return self.actor

    def _record(self, details: dict[str, Any]) -> None:
        actor = self._actor
        audit.record(
            self.session, audit.SIGN_OUT, actor=actor, subject_id=actor.id, details=details
        )


def sign_in(database: Database, credentials: Credentials) -> Grant:
    """Begin a session for a name and a password.

    The guess is counted and committed first, then the password is checked outside of every
    transaction, then the session is written.

    Raises:
        SignInRefused: whatever is wrong with them.
        RateLimited: too many guesses at this account from this address.
        Unavailable: too many others are signing in.
    """
    key = count_guess(database, credentials)
    for _ in range(_TRIES):
        found = database.read(lambda session: _find(session, credentials.name))
        right = passwords.verify(found.password_hash if found else None, credentials.password)
        if found is None or not right:
            database.write(partial(_refuse, found=found, credentials=credentials))
            raise SignInRefused()
        better = _better(found.password_hash, credentials.password)
        begin = partial(_begin, found=found, better=better, key=key, credentials=credentials)
        if (granted := database.write(begin)) is not None:
            return granted
    raise Unavailable(retry_after=1)


def begin(session: Session, user: User, credentials: Credentials) -> Grant:
    """Write a session, in the caller's transaction, for a user known to be who they say."""
    now = session.info["now"]
    _sweep(session, now)
    device = "".join(filter(str.isprintable, credentials.device or ""))[:DEVICE_LENGTH]
    row = UserSession(
        user_id=user.id,
        created_at=now,
        refreshed_at=now,
        expires_at=now + lifetimes.session,
        device=device or None,
        address=credentials.address,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        audit.SIGN_IN,
        actor=Actor(user.id, user.role),
        subject_id=user.id,
        address=credentials.address,
        details={"session_id": row.id},
    )
    token = secrets.token_urlsafe(32)
    refresh.store(session, row, token)
    return refresh.grant(user, row, token, now)


def count_guess(database: Database, credentials: Credentials) -> str:
    """Count a guess, committed before anything else happens; return what it is counted under.

    Raises:
        RateLimited: too many at this account from this address.
    """
    key = guesses.bucket(_key(credentials.name), credentials.address)
    if credentials.limit:
        wait = database.write(lambda session: guesses.reserve(session, key, credentials.limit))
        guesses.allow(wait)
    return key


def end(session: Session, session_id: int, user_id: int | None = None) -> bool:
    """End one session, its refresh tokens and its access tokens; say whether there was one.

    Args:
        user_id: only if it is this user's.
    """
    gone = sa.delete(UserSession).where(UserSession.id == session_id)
    if user_id is not None:
        gone = gone.where(UserSession.user_id == user_id)
    if not _ended(session, gone):
        return False
    revocation.revoke_session(session, session_id)
    return True


def end_all(session: Session, user_id: int, ver: int) -> None:
    """End every session of a user, in the caller's transaction.

    Args:
        ver: the user's new ``token_version``; access tokens made before it are refused.
    """
    _ended(session, sa.delete(UserSession).where(UserSession.user_id == user_id))
    revocation.revoke_user(session, user_id, ver)


def end_others(session: Session, user_id: int, keep_sid: int | None) -> Sequence[int]:
    """End every session of a user but one, in the caller's transaction; return their ids."""
    others = sa.delete(UserSession).where(UserSession.user_id == user_id)
    if keep_sid is not None:
        others = others.where(UserSession.id != keep_sid)
    ended = _ended(session, others)
    revocation.revoke_sessions(session, ended)
    return ended


def sign_out(session: Session, token: str | None, session_id: int | None) -> None:
    """End the session of a refresh token, or of an access token by its ``sid``; if there is one.

    Source: RFC 7009: whoever holds a token may revoke it, and an unknown one is no error.
    """
    if session_id is None and token is not None:
        session_id = refresh.session_of(session, token)
    row = session.get(UserSession, session_id) if session_id is not None else None
    if row is not None and end(session, row.id):
        details = {"session_id": row.id}
        audit.record(session, audit.SIGN_OUT, subject_id=row.user_id, details=details)


def _find(session: Session, name: str) -> _Found | None:
    """Return id and hash of the user with this name or address, of deleted ones too."""
    key = _key(name)
    statement = sa.select(User.id, User.password_hash).where(
        sa.or_(User.username_key == key, User.email_key == key)
    )
    found = session.execute(statement.order_by(User.id).limit(1)).first()
    return _Found(*found) if found else None


def _key(name: str) -> str:
    """Return what users are found by: names and addresses are unique in this form."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _refuse(session: Session, found: _Found | None, credentials: Credentials) -> NoReturn:
    subject = found.id if found else None
    audit.record(session, audit.SIGN_IN_REFUSED, subject_id=subject, address=credentials.address)
    raise SignInRefused()


def _begin(
    session: Session, found: _Found, better: str | None, key: str, credentials: Credentials
) -> Grant | None:
    """Write a session for a user whose password was right; None if it is another one by now."""
    # The lock makes what ends a user's sessions wait, so that it sees this one.
    locked = sa.select(User).where(User.id == found.id).with_for_update(key_share=True)
    user = session.scalars(locked).one_or_none()
    if user is None or user.status != "active" or user.deleted_at is not None:
        _refuse(session, found, credentials)
    if user.password_hash != found.password_hash:
        return None
    if better is not None:
        user.password_hash = better
    guesses.forget(session, key)
    return begin(session, user, credentials)


def _better(stored: str, text: str) -> str | None:
    return passwords.hash(text) if passwords.is_outdated(stored) else None


def _ended(session: Session, statement: sa.Delete) -> Sequence[int]:
    session.flush()
    returning = statement.returning(UserSession.id)
    ended = session.scalars(returning, execution_options={"synchronize_session": False})
    return ended.all()


def _sweep(session: Session, now: datetime) -> None:
    old = (
        sa.select(UserSession.id)
        .where(UserSession.expires_at <= now)
        .limit(_SWEEP)
        .with_for_update(skip_locked=True)
    )
    _ended(session, sa.delete(UserSession).where(UserSession.id.in_(old)))
