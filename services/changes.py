"""The change feed: pages of what a caller must do to its copy to have what it may see now.

A reader of the log. A first read walks everything visible by id, with the log's end and the time
fixed before; from there on it follows the log. What appears by the mere passing of its time is in
no row of the log, so that is walked each time the log has been read to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import Config
from models import Change
from services import clock, log
from services.actor import Actor
from services.base import Service
from services.errors import Fault, Invalid, ServiceError
from services.registry import told

#: Rows of the log that one page looks at, at most; bounds its cost where few concern the caller.
SCAN = 10_000
#: A row of the log is kept this long at least, and the last one for ever.
KEPT = timedelta(days=1)


class CursorExpired(ServiceError):
    """The copy cannot be brought up to date from here; ``extra["reason"]`` says why."""

    code = "cursor-expired"
    message = "Read everything anew: changes since then cannot be told."


@dataclass(frozen=True)
class Walk:
    """A walk under way: the place after which it goes on."""

    type: str
    id: int = 0
    until: datetime | None = None
    """Only what appeared after the cursor's time, up to here; None: everything."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a copy is. Plain here, encrypted by the HTTP edge."""

    caller: int | None
    role: str | None
    types: tuple[str, ...]
    seq: int
    """Last row of the log that is in the copy; 0: the log was empty."""
    seq_at: datetime | None
    """That row's time: tells it from another with its number, as after restoring a backup."""
    time: datetime
    """Until when the copy knows what appeared by itself."""
    walk: Walk | None = None


@dataclass(frozen=True)
class Item:
    """What to do with one item of the copy; ``data`` is a row with the service's ``columns()``."""

    type: str
    id: int
    op: Literal["upsert", "remove"]
    version: int
    at: datetime
    data: Any = None


@dataclass(frozen=True)
class Page:
    """Items in the order in which they must be applied; ``more``: there is another page now."""

    items: list[Item]
    next: Cursor
    more: bool


class ChangeService:
    """Reads the feed for one caller, who sees what is visible at ``moment``."""

    def __init__(
        self, session: Session, actor: Actor | None = None, config: Config | None = None
    ) -> None:
        self.session = session
        self.actor = actor
        self.config = config
        self.moment = clock.now()
        self.kinds = told()

    def page(
        self, since: Cursor | None = None, types: Sequence[str] | None = None, limit: int = 100
    ) -> Page:
        """Return the next ``limit`` items or fewer: three queries of the log, one or two a type.

        Args:
            since: ``next`` of the page before; None: start anew.
            types: names in ``told()``; None: those of the cursor, or all.

        Raises:
            CursorExpired: the cursor is older than the log, another caller's, or from before the
                caller's rights changed.
            Invalid: an unknown type, or others than at the start.
        """
        cursor = self._start(types) if since is None else self._checked(since, types)
        if cursor.walk:
            items, cursor = self._walk(cursor, cursor.walk, limit)
            return Page(items, cursor, cursor.walk is not None or latest(self.session) > cursor.seq)
        end = _end(self.session)
        if end is None or end.seq == cursor.seq:
            items, more = [], False
        else:
            items, cursor, more = self._follow(cursor, end, limit)
        if more:
            return Page(items, cursor, more=True)
        walk = Walk(cursor.types[0], until=self.moment)
        appeared, cursor = self._walk(cursor, walk, limit - len(items))
        told = {(item.type, item.id) for item in items}
        items += [item for item in appeared if (item.type, item.id) not in told]
        return Page(items, cursor, cursor.walk is not None)

    def _start(self, types: Sequence[str] | None) -> Cursor:
        names = self._known(types)
        end = _end(self.session)
        return Cursor(
            caller=self.actor.id if self.actor else None,
            role=self.actor.role if self.actor else None,
            types=names,
            seq=end.seq if end else 0,
            seq_at=end.at if end else None,
            time=self.moment,
            walk=Walk(names[0]),
        )

    def _known(self, types: Sequence[str] | None) -> tuple[str, ...]:
        """Return the wanted types in the order of a walk."""
        wanted = set(types or self.kinds)
        if unknown := sorted(wanted - self.kinds.keys()):
            message = f"Must be among {', '.join(self.kinds)}."
            raise Invalid(faults=[Fault("types", "choice", message) for _ in unknown])
        return tuple(name for name in self.kinds if name in wanted)

    def _checked(self, cursor: Cursor, types: Sequence[str] | None) -> Cursor:
        if types is not None and self._known(types) != cursor.types:
            raise Invalid(faults=[Fault("types", "choice", "The cursor is of other types.")])
        if cursor.caller != (self.actor.id if self.actor else None):
            raise CursorExpired(extra={"reason": "caller"})
        if cursor.role != (self.actor.role if self.actor else None):
            raise CursorExpired(extra={"reason": "rights"})
        if not self._is_remembered(cursor) or not self.kinds.keys() >= {*cursor.types}:
            raise CursorExpired(extra={"reason": "history"})
        return cursor

    def _is_remembered(self, cursor: Cursor) -> bool:
        """Whether the log still has every row after the cursor's."""
        if cursor.seq:
            at = self.session.scalar(sa.select(Change.at).where(Change.seq == cursor.seq))
            return at is not None and at == cursor.seq_at
        return self.moment - cursor.time < KEPT or _end(self.session) is None

    # -- what the log says ---------------------------------------------------------------

    def _follow(self, cursor: Cursor, end: Any, limit: int) -> tuple[list[Item], Cursor, bool]:
        """Go on to row ``end`` for ``limit`` rows that concern the caller.

        Return the items, how far the copy is then, and whether more may follow.
        """
        horizon = _end(self.session, after=cursor.seq) if end.seq - cursor.seq > SCAN else None
        to = horizon or end
        rows = self.session.execute(self._concerning(cursor, to.seq, limit + 1)).all()
        more = len(rows) > limit
        to = rows[limit - 1] if more else to
        reached = replace(cursor, seq=to.seq, seq_at=to.at)
        return self._items(rows[:limit], end), reached, more or horizon is not None

    def _concerning(self, cursor: Cursor, to: int, limit: int) -> sa.Select[Any]:
        seen_before, seen_after = self._includes(Change.was), self._includes(Change.now)
        return (
            sa.select(Change.seq, Change.at, Change.type, Change.id, Change.version)
            .add_columns(seen_before.label("was_seen"))
            .where(Change.seq > cursor.seq, Change.seq <= to)
            .where(Change.type.in_(cursor.types), sa.or_(seen_before, seen_after))
            .order_by(Change.seq)
            .limit(limit)
        )

    def _includes(self, audience: InstrumentedAttribute[int]) -> sa.ColumnElement[bool]:
        """Return the condition that an audience in the log has the caller in it."""
        staffed = [name for name, kind in self.kinds.items() if self._is_staff(kind)]
        mine: sa.ColumnElement[bool] = Change.type.in_(staffed)
        if self.actor:
            mine = sa.or_(mine, Change.owner_id == self.actor.id)
        return sa.or_(audience == log.EVERYONE, sa.and_(audience == log.OWNER_AND_STAFF, mine))

    def _is_staff(self, kind: type[Service[Any]]) -> bool:
        return self.actor is not None and self.actor.is_at_least(kind.staff)

    def _items(self, rows: Sequence[Any], end: Any) -> list[Item]:
        """Make one item per id: what it is now, or that it is gone.

        It is gone if any of its rows had the caller among those who saw it before: the first
        alone may be of a time when the caller didn't.
        """
        last = {(row.type, row.id): row for row in rows}
        current = self._current(last)
        gone = {(row.type, row.id) for row in rows if row.was_seen} - current.keys()
        versions = self._versions(gone, end)
        items = []
        for key, row in sorted(last.items(), key=lambda pair: pair[1].seq):
            if key in current:
                data = current[key]
                items.append(Item(*key, "upsert", data.version, row.at, data))
            elif key in gone:
                items.append(Item(*key, "remove", versions[key], row.at))
        return items

    def _versions(self, keys: Iterable[tuple[str, int]], end: Any) -> dict[tuple[str, int], int]:
        """Return the last versions that concern the caller: a page before may have told them."""
        statement = (
            sa.select(Change.type, Change.id, sa.func.max(Change.version))
            .where(sa.or_(self._includes(Change.was), self._includes(Change.now)))
            .where(Change.seq <= end.seq)
            .group_by(Change.type, Change.id)
        )
        return {
            (type, id): version
            for name, ids in _by_type(keys).items()
            for type, id, version in self.session.execute(
                statement.where(Change.type == name, Change.id.in_(ids))
            )
        }

    # -- what there is -------------------------------------------------------------------

    def _current(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Any]:
        """Return the rows among ``keys`` that the caller may see; one query a type."""
        return {
            (name, data.id): data
            for name, ids in _by_type(keys).items()
            for data in self._visible(name, self.kinds[name].model.id.in_(ids))
        }

    def _walk(self, cursor: Cursor, walk: Walk, limit: int) -> tuple[list[Item], Cursor]:
        """Go on with a walk for ``limit`` items; return them and how far the copy is then."""
        items: list[Item] = []
        for name in cursor.types[cursor.types.index(walk.type) :]:
            walk = walk if name == walk.type else replace(walk, type=name, id=0)
            room = limit - len(items)
            found = self._following(cursor, walk, room + 1)
            items += [
                Item(name, data.id, "upsert", data.version, self._time_of(walk, data), data)
                for data in found[:room]
            ]
            if len(found) > room:
                walk = replace(walk, id=found[room - 1].id) if room else walk
                return items, replace(cursor, walk=walk)
        return items, replace(cursor, walk=None, time=walk.until or cursor.time)

    def _following(self, cursor: Cursor, walk: Walk, limit: int) -> Sequence[Any]:
        kind = self.kinds[walk.type]
        conditions = [kind.model.id > walk.id]
        if walk.until is not None:
            if kind.appears_at is None or self._is_staff(kind):
                return ()  # nothing appears, or not to those who saw it before
            conditions += [kind.appears_at > cursor.time, kind.appears_at <= walk.until]
            if self.actor:
                conditions.append(self._service(walk.type).insider_column() != self.actor.id)
        return self._visible(walk.type, *conditions, limit=limit)

    def _visible(
        self, name: str, *conditions: sa.ColumnElement[bool], limit: int | None = None
    ) -> Sequence[Any]:
        """Return visible rows in order of id, with the service's ``columns()``."""
        service = self._service(name)
        statement = service.only(service.visible().where(*conditions))
        statement = statement.order_by(service.model.id).limit(limit)
        params = service.params | {"now": self.moment}
        return service.complete(self.session.execute(statement, params).all(), params)

    def _service(self, name: str) -> Service[Any]:
        return self.kinds[name](self.session, self.actor, self.config)

    def _time_of(self, walk: Walk, data: Any) -> datetime:
        appears_at = self.kinds[walk.type].appears_at
        if walk.until is None or appears_at is None:
            return data.updated_at  # type: ignore[no-any-return]  # a row's column
        return getattr(data, appears_at.key)  # type: ignore[no-any-return]  # the same


def latest(session: Session) -> int:
    """Return the number of the log's last row; what waits for changes polls this."""
    end = _end(session)
    return end.seq if end else 0


def _end(session: Session, after: int | None = None) -> Any:
    """Return ``seq`` and ``at`` of the log's last row, or of the one ``SCAN`` rows ``after``."""
    rows = sa.select(Change.seq, Change.at)
    if after is None:
        return session.execute(rows.order_by(Change.seq.desc()).limit(1)).first()
    rows = rows.where(Change.seq > after).order_by(Change.seq)
    return session.execute(rows.offset(SCAN - 1).limit(1)).first()


def _by_type(keys: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for name, id in keys:
        ids.setdefault(name, []).append(id)
    return ids
