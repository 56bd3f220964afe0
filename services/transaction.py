"""One transaction per unit of work; nothing else in the code base commits.

``transact`` runs a unit that writes, ``reading`` one that only reads. On SQLite writers queue on a
lock file, so that waiting is fair; on PostgreSQL they run side by side.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session

from models.engine import WRITES
from services import clock, log, queue
from services.errors import (
    Conflict,
    Invalid,
    OutOfStorage,
    ServiceError,
    TimedOut,
    Unavailable,
)
from services.hooks import hooks

T = TypeVar("T")

#: Seconds that a writer waits in SQLite's queue.
QUEUE_TIMEOUT = 5.0
_TRIES = 3
_AFTER_COMMIT, _COMMITTED, _EXPLAIN = "after_commit", "committed", "explain_conflict"
_READS, _SHARED = "reads", "shared"
_UNSURE = "The database went away while it stored this; look whether it is there before you repeat."

#: SQLSTATE, or its first two characters → what it means to the caller.
_MEANING: dict[str, type[ServiceError]] = {
    "22": Invalid,
    "23": Conflict,
    "57014": TimedOut,
    "53100": OutOfStorage,
}
_WORTH_A_RETRY = frozenset({"40001", "40P01"})


class Sharing(Session):
    """A session whose transaction may be a part of one that it shares with other threads'."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # By any other mode it would commit what others have not finished.
        super().__init__(*args, **{**options, "join_transaction_mode": "create_savepoint"})

    def get_bind(self, *args: Any, **kwargs: Any) -> sa.Engine | sa.Connection:
        """Return what it shares, while it does."""
        return self.info.get(_SHARED) or super().get_bind(*args, **kwargs)


class Retry(Exception):
    """Raised by a service to have its whole transaction run again, a few times at most."""


def transact(session: Session, work: Callable[[], T]) -> T:
    """Run ``work`` in one writing transaction and return what it returned.

    Serialisation failures and deadlocks run it again, up to 3 times in all; ``session.info`` has
    the time ("now") and which try it is ("attempt", from 1).

    Raises:
        ServiceError: what ``work`` raised (rolled back, unless its class keeps), or what the
            database's refusal means.
    """
    for attempt in range(1, _TRIES + 1):
        session.info["attempt"] = attempt
        try:
            return _once(session, work)
        except Retry as exc:
            if attempt == _TRIES:
                raise Unavailable(retry_after=1) from exc
        except SQLAlchemyError as exc:
            if attempt == _TRIES or _sqlstate(exc) not in _WORTH_A_RETRY:
                raise meaning(exc) from exc
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Read without a transaction: each statement sees what is committed when it starts.

    Raises:
        Unavailable: the database is away or too slow.
    """
    session.info[_READS] = True
    try:
        yield
    except SQLAlchemyError as exc:
        raise meaning(exc) from exc
    finally:
        session.info.pop(_READS, None)
        if session.in_transaction():
            session.close()


def begin_reading(state: ORMExecuteState) -> None:
    """Spare a reading session BEGIN and ROLLBACK on PostgreSQL; listens to ``do_orm_execute``."""
    session = state.session
    if _READS not in session.info or session.in_transaction():
        return
    if _bind(session).dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})


def after_commit(session: Session, call: Callable[[], object]) -> None:
    """Run ``call`` once the surrounding transaction has committed; drop it on rollback."""
    session.info.setdefault(_AFTER_COMMIT, []).append(call)


def explain_conflict(session: Session, explain: Callable[[], Exception | None]) -> None:
    """Ask ``explain``, after the rollback, what a violated constraint means.

    None means a plain conflict.
    """
    session.info[_EXPLAIN] = explain


def meaning(exc: SQLAlchemyError) -> ServiceError:
    """Return what a failure of the database means to the caller.

    Raises:
        SQLAlchemyError: ``exc`` itself, if it is a mistake of ours.
    """
    if isinstance(exc, PoolTimeout):
        return Unavailable(retry_after=1)
    if not isinstance(exc, DBAPIError):
        raise exc
    if isinstance(exc, IntegrityError):
        return Conflict()
    if state := _sqlstate(exc):
        kind = _MEANING.get(state) or _MEANING.get(state[:2])
        is_away = exc.connection_invalidated or state[:2] in {"08", "40", "53", "55", "57", "58"}
        if kind is None and is_away:
            kind = Unavailable
    else:
        kind = _meaning_without_state(exc)
    if kind is None:
        raise exc
    return kind(retry_after=1 if kind is Unavailable else None)


def _meaning_without_state(exc: DBAPIError) -> type[ServiceError] | None:
    text = str(exc.orig)
    if "disk is full" in text or "disk I/O error" in text:
        return OutOfStorage
    if exc.connection_invalidated or type(exc.orig).__name__ in {
        "OperationalError",
        "ConnectionTimeout",
    }:
        return None if "no such" in text or "syntax" in text else Unavailable
    return None


def _once(session: Session, work: Callable[[], T]) -> T:
    try:
        result = _at_turn(session, work)
    except queue.Lost as exc:
        session.info.pop(_COMMITTED, None)
        session.expunge_all()  # it takes them for stored
        raise _why_lost(exc) from exc
    except IntegrityError as exc:
        if (explain := session.info.get(_EXPLAIN)) is None:
            raise
        with reading(session):
            raise (explain() or meaning(exc)) from exc
    finally:
        calls = session.info.pop(_COMMITTED, ())
        session.info.clear()
        for call in calls:  # also where an error keeps what was done
            call()
    return result


def _in_transaction(session: Session, work: Callable[[], T], shared: sa.Connection | None) -> T:
    try:
        if shared is not None:
            _check_shared(shared)
            session.info[_SHARED] = shared
        session.connection(execution_options={WRITES: True})
        session.info["now"] = clock.now()
        result = work()
        _commit(session)
    except ServiceError as exc:
        if exc.keeps:
            _commit(session)
        raise
    finally:
        session.rollback()  # without effect after a commit
        session.info.pop(_SHARED, None)
    return result


def _commit(session: Session) -> None:
    session.flush()
    changes = log.recorded(session) if hooks.calls else ()
    try:
        log.flush(session)  # commits too, if there is anything to log
        session.commit()
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise Unavailable(_UNSURE, retry_after=1, extra={"outcome": "unknown"}) from exc
        raise
    session.info[_COMMITTED] = session.info.pop(_AFTER_COMMIT, [])
    if changes:
        session.info[_COMMITTED].append(lambda: hooks.run(changes))


@contextmanager
def writing(bind: sa.Engine, patience: float) -> Iterator[None]:
    """Keep all other writers out, once those before are done; PostgreSQL needs no queue.

    Raises:
        Unavailable: that took longer than ``patience`` seconds.
    """
    if (path := _queue_of(bind)) is None:
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(queue.turn(path, patience))
        except queue.NoTurn as exc:
            raise Unavailable(retry_after=1) from exc
        yield


def _at_turn(session: Session, work: Callable[[], T]) -> T:
    """Run ``work`` in a transaction when it is its turn, perhaps together with others' work.

    Raises:
        Unavailable: it took longer than ``QUEUE_TIMEOUT``, or the lock file cannot be opened.
    """
    bind = _bind(session)

    def write(shared: sa.Connection | None) -> T:
        return _in_transaction(session, work, shared)

    if (path := _queue_of(bind)) is None:
        return write(None)
    together = partial(_together, bind) if isinstance(session, Sharing) else None
    try:
        return queue.run(path, write, QUEUE_TIMEOUT, together)
    except queue.NoTurn as exc:
        raise Unavailable(retry_after=1) from exc


@contextmanager
def _together(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Lend a connection in whose transaction each session's is a savepoint.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: nothing is stored.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection
        _check_shared(connection)


def _check_shared(connection: sa.Connection) -> None:
    """Refuse to go on after an error that ended the whole transaction."""
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction:
        raise OperationalError(None, None, sqlite3.OperationalError("transaction was lost"))


def _why_lost(exc: queue.Lost) -> Exception:
    cause = exc.__cause__
    return meaning(cause) if isinstance(cause, SQLAlchemyError) else exc


def _queue_of(bind: sa.Engine) -> str | None:
    """Return the lock file of a database; None if its writers need not queue."""
    is_file = bind.dialect.name == "sqlite" and bind.url.database
    return f"{bind.url.database}.queue" if is_file else None


def _bind(session: Session) -> sa.Engine:
    bind = session.get_bind()
    return bind if isinstance(bind, sa.Engine) else bind.engine


def _sqlstate(exc: BaseException) -> str | None:
    return getattr(getattr(exc, "orig", None), "sqlstate", None)
