"""Moments of the database: two that are equal have nothing committed between them.

With them an answer can be kept and still never be old. What else changes what is visible is time
alone: ``until`` says how long it doesn't.

Source: https://sqlite.org/pragma.html#pragma_data_version; PostgreSQL, 9.27.9, pg_current_snapshot
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from models.prepared import Question
from services.registry import RESOURCES
from services.transaction import meaning

#: A server that takes over after another one counts transactions anew that the other had, too.
_SNAPSHOT = Question(
    sa.select(
        sa.cast(sa.func.pg_current_snapshot(), sa.Text).label("snapshot"),
        sa.cast(sa.func.pg_postmaster_start_time(), sa.Text).label("server"),
    )
)
#: Later than everything that appears.
_NEVER = datetime.max.replace(tzinfo=UTC)


class Moments:
    """Tells moments to one process; each of its methods may be called by several threads.

    Args:
        engine: returns the engine; called at the first use, never before.
    """

    def __init__(self, engine: Callable[[], sa.Engine]) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._watcher: Any = None
        self._watchers = count(1)
        self._watching = 0
        self._appearances: dict[Any, Question] = {}

    def now(self) -> Hashable | None:
        """Return the present moment; None if the database doesn't tell.

        Everything that was acknowledged before the call is part of it.

        Raises:
            Unavailable: the database is away or too slow.
        """
        engine = self._engine()
        try:
            if engine.dialect.name == "postgresql":
                return tuple(_SNAPSHOT.ask_apart(engine, {})[0])
            if engine.url.database in {None, "", ":memory:"}:
                return None
            with self._lock:
                return self._data_version(engine)
        except SQLAlchemyError as exc:
            raise meaning(exc) from exc
        except sqlite3.Error:
            return None  # whoever asks for data is told what is wrong

    def until(self, now: datetime) -> datetime:
        """Return when the next thing appears after ``now``; ``now`` if the database fails."""
        engine = self._engine()
        try:
            found = [ask.ask_apart(engine, {"now": now})[0][0] for ask in self._asked()]
        except SQLAlchemyError:
            return now
        return min((moment for moment in found if moment), default=_NEVER)

    def _asked(self) -> Iterator[Question]:
        """Yield what asks for the next moment of each column; extensions may bring more."""
        for column in {service.appears_at for service in RESOURCES.values()}:
            if column is None:
                continue
            if column not in self._appearances:
                self._appearances[column] = _next_of(column)
            yield self._appearances[column]

    def _data_version(self, engine: sa.Engine) -> tuple[int, int]:
        """Ask a connection that never writes, the same one each time: its count is its own."""
        if self._watcher is None:
            self._watcher, self._watching = engine.raw_connection(), next(self._watchers)
            self._watcher.detach()
        try:
            return self._watching, self._ask_watcher()
        except sqlite3.Error:
            watcher, self._watcher = self._watcher, None
            with suppress(sqlite3.Error):  # it may be broken already
                watcher.close()
            raise

    def _ask_watcher(self) -> int:
        found = self._watcher.dbapi_connection.execute("PRAGMA data_version").fetchone()
        return int(found[0])


def _next_of(column: InstrumentedAttribute[Any]) -> Question:
    later = sa.and_(column > sa.bindparam("now"), column.class_.deleted_at.is_(None))
    return Question(sa.select(sa.func.min(column)).where(later))
