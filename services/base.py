"""The verbs that every resource has: read, create, replace, patch, delete, and their log.

A service is made per request, ``PostService(session, actor, config)``. It never commits (see
services/transaction.py) and knows no HTTP. Where resources differ is in services/rules.py; lists
are in services/listing.py, deletions in services/deletion.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from models import Deletion
from models.prepared import Question
from services import deletion, log, search
from services.errors import NotFound, Stale
from services.listing import Page, Query, fetch, tallied
from services.rules import ACTOR, NOW, ROLE, SIGNED_OUT, YES, Rules, Verdict

__all__ = ["ACTOR", "NOW", "ROLE", "SIGNED_OUT", "YES", "Service", "Verdict"]

M = TypeVar("M", bound=Any)
_NO_SNIPPET = sa.null().label("snippet")


class Service(Rules[M]):
    """Generic verbs over one table. Subclasses declare, then override the hooks that differ."""

    # -- reads ---------------------------------------------------------------------

    def list(self, query: Query) -> Page:
        """Return one page of visible rows; at most two queries, and one for each tally.

        Raises:
            Invalid: a filter that this caller may not use, or a page too deep for a search.
        """
        page = search.fetch(self, query) if "q" in query.filters else fetch(self, query)
        return replace(page, rows=self.complete(page.rows, self.params))

    def complete(self, rows: Sequence[Any], params: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of a list with what is asked for all of them at once.

        Args:
            params: values of ``ACTOR`` and ``NOW``.
        """
        return tallied(self, rows, params)

    def row(self, id: int) -> Any:
        """Return one visible row with ``columns()``.

        Raises:
            NotFound: no such item, or not visible to this actor.
        """
        key = (self.rank, "row")
        if (question := self._statements.get(key)) is None:
            statement = self.visible().where(self.model.id == sa.bindparam("item_id"))
            question = self._statements[key] = Question(self.only(statement, of_one=True))
        found = question.ask(self.session, {**self.params, "item_id": id})
        if not found:
            raise NotFound()
        return found[0]

    def first(self, statement: sa.Select[Any]) -> Any:
        """Return the first row of a statement, with ``columns()``.

        Raises:
            NotFound: there is none.
        """
        row = self.session.execute(self.only(statement, of_one=True), self.params).first()
        if row is None:
            raise NotFound()
        return row

    def see(self, id: int) -> None:
        """Raise NotFound unless the item is there and visible to this actor."""
        key = (self.rank, "see")
        if (question := self._statements.get(key)) is None:
            statement = self.visible_ids().where(self.model.id == sa.bindparam("item_id"))
            question = self._statements[key] = Question(statement)
        if not question.ask(self.session, {**self.params, "item_id": id}):
            raise NotFound()

    def visible_ids(self) -> sa.Select[Any]:
        """Return ``visible()``, of which only ids are read."""
        return self.visible().with_only_columns(self.model.id, maintain_column_froms=True)

    def only(self, statement: sa.Select[Any], *, of_one: bool = False) -> sa.Select[Any]:
        """Return ``statement`` reduced to ``columns()``; its rows want ``complete``.

        Args:
            of_one: it reads one item, complete at once.
        """
        columns = (*self.columns(), *((_NO_SNIPPET,) if self.searched else ()))
        if of_one:
            told = (tally.of_one(self).label(name) for name, tally in self.tallies.items())
            columns = (*columns, *told)
        return statement.with_only_columns(*columns, maintain_column_froms=True)

    # -- writes --------------------------------------------------------------------

    def created(self, id: int) -> Any:
        """Return the row of an item that the caller has just made."""
        return self.row(id)

    def create(self, data: Mapping[str, Any]) -> int:
        """Create an item of prepared input; return its id."""
        self.require("create", None)
        counted, data = _without_counts(data)
        item = self.build(data)
        self.store(item)
        if self.searched:
            search.keep(self.session, self.searched, item, counted)
        self.record("create", item, was=log.NOBODY)
        return int(item.id)

    def store(self, item: M) -> None:
        """Insert a new item; gives it its id."""
        self.session.add(item)
        self.session.flush()

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
        counted, changes = _without_counts(changes)
        was, before, told = self.audience(item), _values(item), self._found_by(item)
        self.apply(item, changes)
        if _values(item) != before:  # not session.is_modified: what apply calls may flush
            self.touch(item)
            self.session.flush()
            if self.searched and self._found_by(item) != told:
                search.keep(self.session, self.searched, item, counted)
            self.record("update", item, was=was)
            if self.audience(item) != was:
                self.record_children(item, was)

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

    def _found_by(self, item: M) -> tuple[Any, ...]:
        """Return what ``q`` looks through."""
        fields = self.searched.fields if self.searched else ()
        return tuple(getattr(item, name) for name in fields)

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
            via=self.via,
            owner_id=self.insider_of(item),
            group_id=group_id,
        )
        log.record(self.session, entry, self.snapshot(item) if keeps else None)

    def record_children(self, item: M, was: int) -> None:
        """Log what appears or disappears because another audience than ``was`` sees ``item``."""
        before, after = sa.literal(was), sa.literal(self.audience(item))
        for child, key in self.children():
            rows = child.log_rows("update", before, after)
            living = child.model.deleted_at.is_(None)
            log.record_each(self.session, rows.where(key == item.id, living, child.shown_rows()))

    def snapshot(self, item: M) -> dict[str, Any]:
        """Return the fields that a revision keeps, as JSON values."""
        values = {name: getattr(item, name) for name in self.history}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }

    def log_rows(
        self,
        op: str,
        was: sa.ColumnElement[int],
        now: sa.ColumnElement[int],
        group_id: Any = None,
    ) -> sa.Select[Any]:
        """Select a log row for each row of this table; narrow it by ``where``.

        Args:
            group_id: the column or literal of the deletion that it is part of.
        """
        values: tuple[Any, ...] = (
            sa.literal(self.actor.user_id if self.actor else None, sa.BigInteger),
            sa.literal(self.via),
            sa.literal(self.type),
            self.model.id,
            self.insider_column(),
            sa.literal(op),
            self.model.version,
            was,
            now,
            sa.literal(None, sa.BigInteger) if group_id is None else group_id,
        )
        return sa.select(*values)

    # -- what belongs to it --------------------------------------------------------

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


def _without_counts(data: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return what ``prepare`` counted for the search, None if nothing, and the rest."""
    rest = dict(data)
    return rest.pop(search.COUNTED, None), rest


def _values(item: Any) -> list[Any]:
    """Return an item's columns, to compare later."""
    return [getattr(item, column.key) for column in sa.inspect(item).mapper.column_attrs]
