"""Lists: filters, sorts, and pages by cursor or by number. Statements are built once and kept.

A page costs one query, and one more for ``total`` and for each tally. A cursor is a position (sort
value, id); its encrypted form is the business of api/pagination.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from models.prepared import Question

if TYPE_CHECKING:
    from services.base import Service

#: Statements kept per service: roles x sorts x combinations of filters in use.
_KEPT = 500

#: How many rows to read, and how many to pass over.
LIMIT, OFFSET = (sa.bindparam(name, type_=sa.Integer) for name in ("limit", "offset"))

#: A position in a list: the sort column's value (None: null) and the id.
Position = tuple[Any, int]


@dataclass(frozen=True)
class Sort:
    """A column that a list may be ordered by; nulls come last.

    Args:
        index: SQLite goes along this one where nothing narrows the list much (``Filter.wide``). By
            itself it enters another by a condition that most rows meet, and sorts them all.
    """

    column: InstrumentedAttribute[Any]
    nullable: bool = False
    index: str | None = None


@dataclass(frozen=True)
class Order:
    """The order of one list, ties broken by id.

    Args:
        nulls: the column may be null; such rows come last.
    """

    column: InstrumentedAttribute[Any]
    descending: bool
    nulls: bool

    def by(self, value: Any, id: Any) -> tuple[sa.ColumnElement[Any], ...]:
        """Return what to order rows by whose value of the column is ``value``."""
        ordered = value.desc() if self.descending else value.asc()
        by_id = id.desc() if self.descending else id.asc()
        return ordered.nulls_last() if self.nulls else ordered, by_id

    def past(self, here: tuple[Any, Any], there: tuple[Any, Any]) -> sa.ColumnElement[bool]:
        """Return the condition: one (value, id) comes after another one."""
        one, other = sa.tuple_(*here), sa.tuple_(*there)
        # The plain bound says nothing new, but PostgreSQL enters the index by it.
        if self.descending:
            return sa.and_(here[0] <= there[0], one < other)
        return sa.and_(here[0] >= there[0], one > other)


@dataclass(frozen=True)
class Filter:
    """One query parameter as a condition.

    Args:
        condition: (service, value) → condition. With ``shape`` None the value is a bound
            parameter, and the statement is kept whatever the value.
        shape: value → what of it the statement's text depends on (hashable).
        params: value → the values of the parameters that ``condition`` bound by itself.
        rules_out_nulls: shape → sort columns that are never null where it holds.
        wide: shapes that most rows pass.
    """

    condition: Callable[[Service[Any], Any], sa.ColumnElement[bool]]
    shape: Callable[[Any], Any] | None = None
    params: Callable[[Any], Mapping[str, Any]] = lambda _value: {}
    rules_out_nulls: Mapping[Any, frozenset[str]] = field(default_factory=dict)
    wide: frozenset[Any] = frozenset()


@dataclass(frozen=True)
class Tally:
    """How many rows of another table belong to an item, and count.

    Args:
        of: that table's foreign key to the item's.
        where: service → which of them count; of the item's own table it may speak, too.
    """

    of: InstrumentedAttribute[int]
    where: Callable[[Service[Any]], sa.ColumnElement[bool]]

    def of_one(self, service: Service[Any]) -> sa.ScalarSelect[int]:
        """Return the number for a statement that reads one item."""
        model = service.model
        counted = sa.select(sa.func.count()).where(self.of == model.id, self.where(service))
        return counted.correlate(model).scalar_subquery()

    def of_page(self, service: Service[Any]) -> sa.Select[int, int]:
        """Select the numbers of the items ``ids``, of those that have any."""
        model = service.model
        counted = sa.select(self.of, sa.func.count()).join(model, self.of == model.id)
        among = self.of.in_(sa.bindparam("ids", expanding=True))
        return counted.where(among, self.where(service)).group_by(self.of)


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a list request asks for; ``sort`` is a declared name, with ``-`` for descending."""

    limit: int = 20
    sort: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    after: Position | None = None
    page: int | None = None
    total: bool = False
    is_whole: bool = False
    """To the end, also where lists end after so many."""


@dataclass(frozen=True)
class Page:
    """Rows of one page; ``next`` is the position after them, None on the last page."""

    rows: Sequence[Any]
    next: Position | None
    total: int | None


def equals(column: InstrumentedAttribute[Any]) -> Filter:
    """Return a filter by equality."""
    return Filter(lambda _service, value: column == value)


def equals_folded(column: InstrumentedAttribute[Any]) -> Filter:
    """Return a filter by equality with a casefolded column, whatever the case given."""
    name = f"folded_{column.key}"
    return Filter(
        lambda _service, _value: column == sa.bindparam(name),
        shape=lambda _value: None,
        params=lambda value: {name: value.strip().casefold()},
    )


def after(column: InstrumentedAttribute[Any]) -> Filter:
    """Return a filter: strictly later."""
    return Filter(lambda _service, value: column > value)


def before(column: InstrumentedAttribute[Any]) -> Filter:
    """Return a filter: strictly earlier."""
    return Filter(lambda _service, value: column < value)


def any_of(column: InstrumentedAttribute[Any]) -> Filter:
    """Return a filter: one of a list of values."""
    name = f"any_{column.key}"
    return Filter(
        lambda _service, _value: column.in_(sa.bindparam(name, expanding=True)),
        shape=lambda _value: None,
        params=lambda value: {name: list(value)},
    )


def fetch(
    service: Service[Any],
    query: Query,
    build: Callable[[Service[Any], Query], sa.Select[Any]] | None = None,
) -> Page:
    """Run ``query``: one statement for the rows, one more for the total if it is wanted.

    Args:
        build: makes the statement for the rows, if it is not ``rows_of``.
    """
    params = params_of(service, query)
    if query.after:
        params |= {"after": query.after[0], "after_id": query.after[1]}
    found = kept(service, query, "rows", build or rows_of).ask(service.session, params)
    total = total_of(service, query, params, _total) if query.total else None
    rows = found[: query.limit]
    following = (rows[-1].sort_value, rows[-1].id) if len(found) > query.limit else None
    return Page(rows, following, total)


def tallied(service: Service[Any], rows: Sequence[Any], params: Mapping[str, Any]) -> Sequence[Any]:
    """Return ``rows`` with the service's tallies; one query for each tally, however many rows."""
    if not service.tallies or not rows:
        return rows
    params = {**params, "ids": [row.id for row in rows]}
    counts = {
        name: {row[0]: row[1] for row in service.session.execute(statement, params)}
        for name, statement in _tallies(service)
    }
    return [
        SimpleNamespace(
            **(vars(row) if isinstance(row, SimpleNamespace) else row._asdict()),
            **{name: found.get(row.id, 0) for name, found in counts.items()},
        )
        for row in rows
    ]


def _tallies(service: Service[Any]) -> Iterator[tuple[str, sa.Select[int, int]]]:
    for name, tally in service.tallies.items():
        key = (service.rank, "tally", name)
        if (question := service._statements.get(key)) is None:
            question = service._statements[key] = Question(tally.of_page(service))
        yield name, question.statement


def total_of(
    service: Service[Any],
    query: Query,
    params: Mapping[str, Any],
    build: Callable[[Service[Any], Query], sa.Select[Any]],
) -> int:
    """Return how many rows match, as ``build`` counts them."""
    found = kept(service, query, "total", build).ask(service.session, params)
    return int(found[0][0])


def params_of(service: Service[Any], query: Query) -> dict[str, Any]:
    """Return the values of a list's parameters, those of its position apart."""
    params = service.params | {"limit": query.limit + 1}
    params |= {"offset": query.limit * ((query.page or 1) - 1)}
    for name, value in query.filters.items():
        declared = service.filters[name]
        params |= declared.params(value) if declared.shape else {f"f_{name}": value}
    return params


def kept(
    service: Service[Any],
    query: Query,
    kind: str,
    build: Callable[[Service[Any], Query], sa.Select[Any]],
) -> Question:
    """Return what ``build`` makes of a query, made once per kind, role and shape."""
    shapes = tuple(
        (name, shape(value) if (shape := service.filters[name].shape) else None)
        for name, value in query.filters.items()
    )
    position = None if query.after is None else (query.after[0] is None)
    key = (service.rank, kind, query.sort, shapes, position, query.page is not None)
    question = service._statements.get(key)
    if question is None:
        # To plan takes 3 ms; a plan for few rows took 5 s once there were thousands.
        question = Question(build(service, query), planned_anew="q" in query.filters)
        if len(service._statements) >= _KEPT:  # of odd ones, perhaps: they must not keep others out
            service._statements.clear()
        service._statements[key] = question
    return question


def narrowed(service: Service[Any], filters: Mapping[str, Any]) -> sa.Select[Any]:
    """Return the visible rows that pass ``filters``."""
    statement = service.visible()
    for name, value in filters.items():
        declared = service.filters[name]
        bound = value if declared.shape else sa.bindparam(f"f_{name}")
        statement = statement.where(declared.condition(service, bound))
    return statement


def _total(service: Service[Any], query: Query) -> sa.Select[Any]:
    statement = narrowed(service, query.filters)
    return statement.with_only_columns(sa.func.count(), maintain_column_froms=True)


def order_of(service: Service[Any], query: Query) -> Order:
    """Return the order that ``query`` asks for."""
    never_null: frozenset[str] = frozenset()
    for name, value in query.filters.items():
        declared = service.filters[name]
        if declared.shape:
            never_null |= declared.rules_out_nulls.get(declared.shape(value), frozenset())
    wanted = query.sort or service.default_sort
    name = wanted.removeprefix("-")
    sort = service.sorts[name]
    return Order(sort.column, wanted.startswith("-"), sort.nullable and name not in never_null)


def ordered(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Return the visible rows that pass the filters and come after the position, in order."""
    statement, order = narrowed(service, query.filters), order_of(service, query)
    if query.after is not None:
        statement = _started(statement, beyond(service, order, query.after))
    index = service.sorts[(query.sort or service.default_sort).removeprefix("-")].index
    if index and _is_wide(service, query.filters):
        statement = statement.with_hint(service.model, f"INDEXED BY {index}", "sqlite")
    return statement.order_by(*order.by(order.column, service.model.id))


def _is_wide(service: Service[Any], filters: Mapping[str, Any]) -> bool:
    declared = ((service.filters[name], value) for name, value in filters.items())
    return bool(filters) and all(
        each.shape and each.shape(value) in each.wide for each, value in declared
    )


def rows_of(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Return what selects the rows of a page, with their ``sort_value``; kept, see ``kept``."""
    value = order_of(service, query).column.label("sort_value")
    return paged(service.only(ordered(service, query)).add_columns(value), query)


def paged(statement: sa.Select[Any], query: Query) -> sa.Select[Any]:
    """Return ``statement`` cut to a page, and the row that tells whether there are more."""
    statement = statement.limit(LIMIT)
    return statement.offset(OFFSET) if query.page else statement


def _started(statement: sa.Select[Any], beyond: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return ``statement`` with ``beyond`` as its first condition.

    SQLite enters an index by the first bound that it reads: by ``published_at <= now``, page 900
    cost eight times as much as the first.
    """
    (source,) = statement.get_final_froms()
    conditions = () if statement.whereclause is None else (statement.whereclause,)
    return sa.select(source).where(beyond, *conditions)


def beyond(service: Service[Any], order: Order, after: Position) -> sa.ColumnElement[bool]:
    """Return the condition: comes after the position that ``after``, ``after_id`` hold."""
    value, id = order.column, service.model.id
    id_is = sa.bindparam("after_id", type_=sa.BigInteger)
    if after[0] is None:
        return sa.and_(value.is_(None), id < id_is if order.descending else id > id_is)
    further = order.past((value, id), (sa.bindparam("after", type_=value.type), id_is))
    return sa.or_(further, value.is_(None)) if order.nulls else further
