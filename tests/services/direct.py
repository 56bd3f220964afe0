"""Units of work without Flask: what an endpoint does for the services, for tests of sign-in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import AuditEvent
from models.engine import database_url, engine_options, prepare
from services import refresh
from services.refresh import Grant
from services.sessions import Credentials
from services.transaction import reading, transact
from tests.factories import PASSWORD

T = TypeVar("T")
#: Threads that work at the same time.
THREADS = 16
KEY = refresh.successor_key("0123456789abcdef" * 3)


class Direct:
    """Runs each unit of work in a session of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` for reading."""
        session = self._session()
        with reading(session):
            return work(session)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction."""
        with self._session() as session:
            return transact(session, lambda: work(session))

    def count(self, table: type) -> int:
        """Return how many rows a table has."""
        query = sa.select(sa.func.count()).select_from(table)
        return self.read(lambda session: session.scalar(query)) or 0

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False, autoflush=False)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 6, 45, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def advance(self, **amount: float) -> None:
        """Go on by some ``seconds``, ``minutes`` or ``days``."""
        self.time += timedelta(**amount)


def wide_engine(url: str) -> sa.Engine:
    """Return an engine with a connection for each of ``THREADS``."""
    parsed = database_url(url)
    engine = sa.create_engine(parsed, **engine_options(parsed, THREADS))
    prepare(engine)
    return engine


def at_once(times: int, work: Callable[[], T]) -> list[T | Exception]:
    """Run ``work`` that often, many at a time; return what each returned or raised."""

    def caught(_: int) -> T | Exception:
        try:
            return work()
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            return exc

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(caught, range(times)))


def credentials(name: str = "ada", password: str = PASSWORD, **more: Any) -> Credentials:
    """Return what ``name`` signs in with, on a device at an address."""
    return Credentials(name, password, **{"device": "Browser/1", "address": "203.0.113.7", **more})


def go_on(database: Direct, token: str) -> Grant:
    """Refresh."""
    return database.write(lambda session: refresh.refresh(session, token, KEY, "203.0.113.7"))


def kinds(session: Session) -> list[str]:
    """Return the kinds of the audit events, in order."""
    return list(session.scalars(sa.select(AuditEvent.kind).order_by(AuditEvent.id)))
