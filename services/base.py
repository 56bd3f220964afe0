"""The verbs that every resource has, and the few places where a resource differs.

A service is made per request, ``PostService(session, actor, config)``. It never commits (see
services/transaction.py) and knows no HTTP. Lists are in services/listing.py, deletions in
services/deletion.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import Config
from models import Deletion
from services import clock, deletion, log
from services.actor import Actor
from services.errors import Forbidden, NotFound, Stale, Unauthenticated
from services.listing import Filter, Page, Query, Sort, fetch

M = TypeVar("M", bound=Any)

#: Stand for the caller's id and the time in statements, so that these can be built once.
ACTOR = sa.bindparam("actor_id", type_=sa.BigInteger)
NOW: sa.BindParameter[datetime] = sa.bindparam("now")


@dataclass(frozen=True)
class Verdict:
    """Whether an action is allowed, and if not, why not."""

    allowed: bool
    reason: str | None = None


YES = Verdict(True)
SIGNED_OUT = Verdict(False, "signed-out")
ROLE = Verdict(False, "role")


class Service(Generic[M]):
    """Generic rules over one table. Subclasses declare, then override the hooks that differ."""

    model: ClassVar[Any]
    type: ClassVar[str]
    """Plural noun: URL segment, name in the log and in the trash."""
    sorts: ClassVar[Mapping[str, Sort]] = {}
    default_sort: ClassVar[str]
    filters: ClassVar[Mapping[str, Filter]] = {}
    defaults: ClassVar[Mapping[str, Any]] = {}
    """What PUT makes of an optional field that is absent; fields not named here stay."""
    history: ClassVar[tuple[str, ...]] = ()
    """Fields of a revision."""
    staff: ClassVar[str] = "editor"
    """The role from which on one may change, see and restore everybody's items."""
    _statements: ClassVar[dict[Any, sa.Select[Any]]]

    def __init_subclass__(cls) -> None:
        cls._statements = {}

    def __init__(
        self, session: Session, actor: Actor | None = None, config: Config | None = None
    ) -> None:
        self.session = session
        self.actor = actor
        self.config = config

    # -- where a resource differs ------------------------------------------------

    def visible(self) -> sa.Select[Any]:
        """Return the rows that this actor may see; every read starts here.

        Built once per role: the caller's id is ``ACTOR``, the time is ``NOW``.
        """
        return sa.select(self.model)

    def columns(self) -> tuple[Any, ...]:
        """Return what a read selects, labelled as the output names it."""
        return tuple(sa.inspect(self.model).columns)

    def allows(self, action: str, item: Any) -> Verdict:
        """Decide ``create``, ``update``, ``delete`` ... on ``item`` (None for create)."""
        return YES if self.is_at_least("admin") else ROLE if self.actor else SIGNED_OUT

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do the slow work on validated input before the transaction opens."""
        return dict(data)

    def build(self, data: Mapping[str, Any]) -> M:
        """Make a new, unsaved item of prepared input."""
        item: M = self.model(created_at=self.now, updated_at=self.now)
        self.apply(item, {**self.defaults, **data})
        return item

    def apply(self, item: M, changes: Mapping[str, Any]) -> None:
        """Change an item in place."""
        for name, value in changes.items():
            setattr(item, name, value)

    def audience(self, item: M) -> int:
        """Return who may see ``item`` now: one of the constants of services/log.py."""
        return log.EVERYONE

    def audience_of_rows(self) -> sa.ColumnElement[int]:
        """Return ``audience`` as an expression over this table's rows, trash or not."""
        return sa.literal(log.EVERYONE)

    def readmit(self, item: M, slug: str | None) -> None:
        """Before ``item`` comes back by itself: refuse, or make it fit under ``slug``."""

    def make_room(self, deletion: Deletion) -> None:
        """Before children come back: give way where their unique values are taken by now."""

    def loads(self) -> tuple[Any, ...]:
        """Return the loader options of an item that is about to change."""
        return ()

    @classmethod
    def parents(cls) -> Mapping[str, InstrumentedAttribute[int]]:
        """Return what takes these items along when it is deleted: type → foreign key."""
        return {}

    # -- reads ---------------------------------------------------------------------

    def list(self, query: Query) -> Page:
        """Return one page of visible rows; at most two queries.

        Raises:
            Invalid: a filter that this caller may not use.
        """
        return fetch(self, query)

    def row(self, id: int) -> Any:
        """Return one visible row with ``columns()``.

        Raises:
            NotFound: no such item, or not visible to this actor.
        """
        key = (self.rank, "row")
        if (statement := self._statements.get(key)) is None:
            statement = self.only(self.visible().where(self.model.id == sa.bindparam("item_id")))
            self._statements[key] = statement
        row = self.session.connection().execute(statement, {**self.params, "item_id": id}).first()
        if row is None:
            raise NotFound()
        return row

    def only(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Return ``statement`` reduced to ``columns()``."""
        return statement.with_only_columns(*self.columns(), maintain_column_froms=True)

    # -- writes --------------------------------------------------------------------

    def created(self, id: int) -> Any:
        """Return the row of an item that the caller has just made."""
        return self.row(id)

    def create(self, data: Mapping[str, Any]) -> int:
        """Create an item of prepared input; return its id."""
        self.require("create", None)
        item = self.build(data)
        self.session.add(item)
        self.session.flush()
        self.record("create", item, was=log.NOBODY)
        return int(item.id)

    def replace(self, id: int, data: Mapping[str, Any], expected: frozenset[int] | None) -> None:
        """Change an item to exactly ``data``; see ``patch``."""
        self.patch(id, {**self.defaults, **data}, expected)

    def patch(self, id: int, changes: Mapping[str, Any], expected: frozenset[int] | None) -> None:
        """Change some fields of an item. Without a difference nothing is stored or logged.

        Args:
            expected: versions that the caller has seen; None: any.

        Raises:
            NotFound, Forbidden, Stale: it is hidden, not the caller's to change, or newer.
        """
        item = self.load(id, "update", expected)
        was, before = self.audience(item), _values(item)
        self.apply(item, changes)
        if _values(item) != before:  # not session.is_modified: what apply calls may flush
            self.touch(item)
            self.session.flush()
            self.record("update", item, was=was)

    def delete(self, id: int, expected: frozenset[int] | None = None) -> Deletion:
        """Move an item to the trash, with what belongs to it. Raises as ``patch``."""
        return deletion.discard(self, self.load(id, "delete", expected))

    def load(self, id: int, action: str, expected: frozenset[int] | None = None) -> M:
        """Return one visible item, locked, that the actor may do ``action`` to."""
        statement = self.visible().where(self.model.id == id).options(*self.loads())
        statement = statement.with_for_update(of=self.model).execution_options(
            populate_existing=True
        )
        item: M | None = self.session.scalars(statement, self.params).one_or_none()
        if item is None:
            raise NotFound()
        self.require(action, item)
        if expected is not None and item.version not in expected:
            raise Stale()
        return item

    def check(self, action: str, id: int | None) -> None:
        """Raise what would refuse ``action`` before its input is looked at."""
        self.require(action, None if id is None else self.row(id))

    def confirm(self, id: int, changes: Mapping[str, Any]) -> None:
        """Before the transaction: ask again for what opens sensitive changes."""

    # -- the log -------------------------------------------------------------------

    def record(self, op: str, item: M, *, was: int, group_id: int | None = None) -> None:
        """Log one change of ``item``; contents are kept for ``create`` and ``update``."""
        keeps = op in {"create", "update"} and self.history
        entry = log.Entry(
            type=self.type,
            id=item.id,
            op=op,
            version=item.version,
            was=was,
            now=log.NOBODY if item.deleted_at else self.audience(item),
            actor_id=self.actor.user_id if self.actor else None,
            via=self.actor.via if self.actor else "anonymous",
            owner_id=self.owner_of(item),
            group_id=group_id,
        )
        log.record(self.session, entry, self.snapshot(item) if keeps else None)

    def snapshot(self, item: M) -> dict[str, Any]:
        """Return the fields that a revision keeps, as JSON values."""
        values = {name: getattr(item, name) for name in self.history}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }

    def log_rows(
        self, op: str, was: sa.ColumnElement[int], now: sa.ColumnElement[int], group_id: int | None
    ) -> sa.Select[Any]:
        """Select a log row for each row of this table; narrow it by ``where``."""
        actor = self.actor
        values: tuple[Any, ...] = (
            sa.literal(actor.user_id if actor else None, sa.BigInteger),
            sa.literal(actor.via if actor else "system"),
            sa.literal(self.type),
            self.model.id,
            self.owner_column(),
            sa.literal(op),
            self.model.version,
            was,
            now,
            sa.literal(group_id, sa.BigInteger),
        )
        return sa.select(*values)

    # -- shared --------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The transaction's one clock reading; outside of one, the clock."""
        return self.session.info.get("now") or clock.now()

    @property
    def rank(self) -> str | None:
        """The caller's role; None when anonymous."""
        return self.actor.role if self.actor else None

    @property
    def params(self) -> dict[str, Any]:
        """Values of ``ACTOR`` and ``NOW``."""
        return {"actor_id": self.actor.id if self.actor else None, "now": self.now}

    def children(self) -> Sequence[tuple[Service[Any], InstrumentedAttribute[int]]]:
        """Return what a deletion takes along: services, and their foreign keys to this table."""
        from services.registry import (
            RESOURCES,  # it knows all services, so none can import it first
        )

        return [
            (child(self.session, self.actor, self.config), child.parents()[self.type])
            for child in RESOURCES.values()
            if self.type in child.parents()
        ]

    def is_at_least(self, role: str) -> bool:
        """Whether the caller is signed in with ``role`` or a higher one."""
        return self.actor is not None and self.actor.is_at_least(role)

    def require(self, action: str, item: Any) -> None:
        """Raise Unauthenticated or Forbidden unless the actor may do ``action``."""
        if not self.allows(action, item).allowed:
            raise Forbidden() if self.actor else Unauthenticated()

    def touch(self, item: M) -> None:
        """Make the next version of ``item``."""
        item.version += 1
        item.updated_at = self.now

    def owner_of(self, item: M) -> int:
        """Return the id of the user whose item this is."""
        return int(item.author_id)

    def owner_column(self) -> sa.ColumnElement[int]:
        """Return the column behind ``owner_of``."""
        return self.model.author_id  # type: ignore[no-any-return]  # a column of the subclass

    def title_of(self, item: M) -> str:
        """Return what the trash calls it."""
        return str(item.title)


def _values(item: Any) -> list[Any]:
    """Return an item's columns, to compare later."""
    return [getattr(item, column.key) for column in sa.inspect(item).mapper.column_attrs]
