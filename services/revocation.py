"""Access tokens that end before they expire, known to every worker within one second.

What ends tokens writes rows in its own transaction; each process keeps a copy of the live rows, so
that no request asks the database. A copy older than ``FRESH`` is read again by one request while
the others go on; with one older than ``STALE`` everybody waits for the read. The process that ended
tokens itself knows at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Revocation
from services import clock
from services.errors import Unavailable
from services.lifetimes import lifetimes
from services.transaction import after_commit

#: Seconds of age from which a copy is read again, and from which it is not used.
FRESH, STALE = 0.25, 1.0
#: A row outlives the tokens that it ends by this: the leeway of their check, and clocks apart.
_SPARE = timedelta(minutes=2)
#: Seconds that a request waits for another one's read.
_WAIT = 3.0
#: Expired rows removed with each new one at most.
_SWEEP = 100


def revoke_sessions(session: Session, session_ids: Iterable[int]) -> None:
    """End the access tokens of some sign-ins, in the caller's transaction."""
    _add(session, {f"session:{each}": 0 for each in session_ids})


def revoke_session(session: Session, session_id: int) -> None:
    """End the access tokens of one sign-in, in the caller's transaction."""
    revoke_sessions(session, [session_id])


def revoke_user(session: Session, user_id: int, ver: int) -> None:
    """End a user's access tokens with a smaller claim ``ver``, in the caller's transaction."""
    _add(session, {f"user:{user_id}": ver})


class _Ended:
    """When this process itself ended tokens last (monotonic seconds): its copies are older."""

    at = float("-inf")

    def note(self) -> None:
        self.at = time.monotonic()


_ended = _Ended()


@dataclass(frozen=True)
class _Copy:
    """The live rows as they were at ``read_at`` or later (monotonic seconds)."""

    read_at: float = float("-inf")
    data_version: int | None = None
    sessions: frozenset[int] = frozenset()
    users: dict[int, int] = field(default_factory=dict)


class Registry:
    """This process's copy of the live rows.

    Args:
        engine: returns the engine; called at the first use, never before.
    """

    def __init__(self, engine: Callable[[], sa.Engine]) -> None:
        self._engine = engine
        self._copy = _Copy()
        self._lock = threading.Lock()
        self._failed_at = float("-inf")
        self._failure: SQLAlchemyError | None = None
        self._watcher: sa.Connection | None = None

    def is_revoked(self, user_id: int, session_id: int | None, ver: int) -> bool:
        """Whether a token with these claims was ended, as of one second ago or later.

        Raises:
            Unavailable: the database cannot be asked and the copy is too old to be believed.
        """
        copy = self._current()
        return session_id in copy.sessions or ver < copy.users.get(user_id, 0)

    def close(self) -> None:
        """Close the connection of its own."""
        self._drop_watcher()

    def _current(self) -> _Copy:
        copy, asked_at = self._copy, time.monotonic()
        age = asked_at - copy.read_at
        is_behind = copy.read_at <= _ended.at
        if age <= FRESH and not is_behind:
            return copy
        must_wait = is_behind or age > STALE
        if self._lock.acquire(blocking=must_wait, timeout=_WAIT if must_wait else -1):
            try:
                is_no_better = self._copy is copy or self._copy.read_at <= _ended.at
                if is_no_better and self._failed_at < asked_at:
                    self._refresh()
            finally:
                self._lock.release()
        if asked_at - self._copy.read_at > STALE:
            raise Unavailable(retry_after=1) from self._failure
        return self._copy

    def _refresh(self) -> None:
        try:
            self._copy = self._read(time.monotonic())
        except SQLAlchemyError as exc:
            self._failed_at, self._failure = time.monotonic(), exc
            self._drop_watcher()

    def _read(self, read_at: float) -> _Copy:
        data_version = self._data_version()
        if data_version is not None and data_version == self._copy.data_version:
            return replace(self._copy, read_at=read_at)
        sessions: set[int] = set()
        users: dict[int, int] = {}
        for subject, ver in self._rows():
            kind, _, number = subject.partition(":")
            if kind == "session":
                sessions.add(int(number))
            else:
                users[int(number)] = max(ver, users.get(int(number), 0))
        return _Copy(read_at, data_version, frozenset(sessions), users)

    def _rows(self) -> Sequence[sa.Row[str, int]]:
        with self._engine().connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="AUTOCOMMIT")
            return connection.execute(_LIVE, {"now": clock.now()}).all()

    def _data_version(self) -> int | None:
        """Return SQLite's counter of other connections' commits; None elsewhere.

        It must be the same connection each time, and one that never writes.
        """
        engine = self._engine()
        if engine.dialect.name != "sqlite" or engine.url.database in {None, "", ":memory:"}:
            return None
        if self._watcher is None:
            self._watcher = engine.connect()
            self._watcher.detach()
        return int(self._watcher.exec_driver_sql("PRAGMA data_version").scalar_one())

    def _drop_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        self._copy = replace(self._copy, data_version=None)  # the next one counts differently
        if watcher is not None:
            with suppress(SQLAlchemyError):  # it may be broken already
                watcher.close()


def _add(session: Session, ended: Mapping[str, int]) -> None:
    after_commit(session, _ended.note)
    now = session.info["now"]
    old = (
        sa.select(Revocation.id)
        .where(Revocation.expires_at <= now)
        .limit(_SWEEP)
        .with_for_update(skip_locked=True)
    )
    session.execute(sa.delete(Revocation).where(Revocation.id.in_(old)))
    expires_at = now + lifetimes.access + _SPARE
    session.add_all(
        Revocation(subject=subject, ver=ver, expires_at=expires_at)
        for subject, ver in ended.items()
    )


_LIVE = sa.select(Revocation.subject, Revocation.ver).where(
    Revocation.expires_at > sa.bindparam("now", type_=Revocation.expires_at.type)
)
