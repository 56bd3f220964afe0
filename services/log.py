"""The one log: every change of a resource is a row, written just before the commit that makes it.

Readers (feed, revisions, audit) are services of their own; none keeps a log of its own. Order of
``seq`` is order of commit: on PostgreSQL an advisory lock is held from the first row to the commit,
on SQLite there is one writer anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, Revision
from models.prepared import Command, Passing, run_last
from services.hooks import Changed

#: Audiences: who could see an item before a change, and after it.
NOBODY, OWNER_AND_STAFF, EVERYONE = 0, 1, 2
#: What everyone is going to see within this time has everyone as its audience already: before the
#: transaction is committed, or by another node's clock, they may. Readers look at what is there.
FORESIGHT = timedelta(seconds=20)

#: Key of PostgreSQL's advisory lock around the log (any constant, the same in every process).
LOCK = 0x5349_474E
_ENTRIES, _BEFORE, _WITHIN = "log_entries", "log_before", "log_within"
#: A command, and the rows that it is run for.
Step = tuple[Command, Sequence[Mapping[str, Any]]]
_COLUMNS = (
    "at",
    "actor_id",
    "via",
    "type",
    "id",
    "owner_id",
    "op",
    "version",
    "was",
    "now",
    "group_id",
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of one item; see ``models.change.Change`` for the fields."""

    type: str
    id: int
    op: str
    version: int
    was: int
    now: int
    actor_id: int | None
    via: str
    owner_id: int | None
    group_id: int | None = None


def record(session: Session, entry: Entry, snapshot: dict[str, Any] | None = None) -> None:
    """Log one change; with ``snapshot``, keep that version of the item too."""
    session.info.setdefault(_ENTRIES, []).append((entry, snapshot))


def record_each(session: Session, entries: sa.Select[Any]) -> None:
    """Log what a cascade did by one INSERT ... SELECT.

    Args:
        entries: selects the columns of ``Change`` after ``at``, in the table's order.
    """
    session.info.setdefault(_ENTRIES, []).append((entries, None))


def recorded(session: Session) -> tuple[Changed, ...]:
    """Return what was logged one by one and is not written yet; of a cascade only its root."""
    return tuple(
        Changed(each.type, each.id, each.op, each.version, each.actor_id, each.via)
        for each, _ in session.info.get(_ENTRIES, ())
        if isinstance(each, Entry)
    )


def run_before(session: Session, command: Command, *rows: Mapping[str, Any]) -> None:
    """Run ``command`` for each row shortly before the log is written; nobody waits for it then."""
    session.info.setdefault(_BEFORE, []).append((command, rows))


def run_within(session: Session, make: Callable[[Session], Sequence[Step]]) -> None:
    """Run what ``make`` returns then within the log's lock, where one writer is at a time."""
    session.info.setdefault(_WITHIN, {})[make] = None  # once, however often it is asked for


def flush(session: Session) -> None:
    """Write what was recorded: the transaction's last statements; its commit comes with them."""
    pending, before = session.info.pop(_ENTRIES, []), session.info.pop(_BEFORE, [])
    within = [step for make in session.info.pop(_WITHIN, ()) for step in make(session)]
    if not pending and not within:
        if before:
            run_last(session, *before)
        return
    moment = {"moment": session.info["now"]}
    steps: list[Step] = within + [
        (_ADD, [{**moment, **vars(entry)}])
        if isinstance(entry, Entry)
        else (_add_each(entry), [moment])
        for entry, _ in pending
    ]
    if session.get_bind().dialect.name == "postgresql":
        steps.insert(0, (_LOCK, [{}]))
    snapshots = [
        {"type": entry.type, "id": entry.id, "version": entry.version, "snapshot": snapshot}
        for entry, snapshot in pending
        if snapshot is not None
    ]
    run_last(session, *before, *steps, (_KEEP, snapshots))


def _add_each(entries: sa.Select[Any]) -> Command:
    rows = entries.with_only_columns(_AT, *entries.selected_columns)
    return Passing(sa.insert(Change).from_select(_COLUMNS, rows))


_END = sa.select(sa.func.max(Change.seq)).correlate(None).scalar_subquery()
_LAST = sa.select(Change.at).where(Change.seq == _END).scalar_subquery()
_NOW = sa.bindparam("moment", type_=Change.at.type)
#: Now, or the last row's time if that is later.
_AT = sa.case((_LAST > _NOW, _LAST), else_=_NOW)
_ADD = Command(sa.insert(Change).values(at=_AT), _COLUMNS[1:])
_KEEP = Command(sa.insert(Revision), ("type", "id", "version", "snapshot"))
#: In a statement of its own: the next one has to see what others committed meanwhile.
_LOCK = Command(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
