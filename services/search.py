"""Search: what is indexed of an item, lists by ``q``, best first, and the snippets in them.

A service names what it is searched by (``Searched``); the rest follows. The words of an item are
written in the transaction that changes it, just before the commit.

Best first: an item is as good as the weakest of the words asked for. A word in a title outweighs
one that is very often in the text, that one outweighs one that is there often, that one a word
that is just there (models/words.py). Of equally good items the newest come first. Each level is an
ordered walk of an index that ends as soon as the page is full, so that common words cost no more
than rare ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Join

from models.prepared import Command
from models.words import LEVELS, Leveled, at_level, count, document, leveled, words
from services import listing, log
from services.errors import Fault, Invalid
from services.listing import Filter, Page, Query
from services.snippets import snippet

if TYPE_CHECKING:
    from services.base import Service

#: Items of a search that can be reached, best first.
DEEPEST = 1_000
#: Characters and different words of a ``q``.
MAX_LENGTH, MAX_WORDS = 200, 10
#: Beside the data of an item: how often each word is in its texts, by field.
COUNTED = "counted"
_LEVELS = range(1, LEVELS + 1)
_ANY = 0
#: Beyond any id.
_NO_ID = 2**63 - 1

#: Newest rows that PostgreSQL looks through one by one.
_WINDOW = 500
#: Rows to find: those of the page, those before it, and one that tells whether there are more.
_REACH = sa.bindparam("reach", type_=sa.Integer)

#: Different words, folded, in the order given.
Wanted = tuple[str, ...]


@dataclass(frozen=True)
class Searched:
    """What items are found by.

    Args:
        table: keeps their words, see models/search.py.
        heads: fields that tell what an item is, texts or lists of texts.
        text: the field of its long text.
    """

    table: sa.Table
    heads: tuple[str, ...]
    text: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields, those first of which a snippet says most."""
        return (self.text, *self.heads) if self.text else self.heads

    def counted(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return what counting the words of new data brings; slow for long texts."""
        if not self.text or not data.get(self.text):
            return {}
        return {COUNTED: leveled(count(data[self.text]))}

    def document(self, item: Any, counted: Leveled | None) -> str:
        """Return the words of ``item``; ``counted``: those of its text, if that is known."""
        if counted is None:
            counted = leveled(count(getattr(item, self.text) or "") if self.text else {})
        heads = (getattr(item, name) for name in self.heads)
        return document((text for head in heads for text in _texts(head)), counted)


class NoWords(ValueError):
    """A ``q`` cannot be searched for; ``code`` is one of ``services.validation.CODES``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def wanted(text: str) -> Wanted:
    """Return the words of a ``q``.

    Raises:
        NoWords: there is none, or there are too many.
    """
    found = tuple(dict.fromkeys(words(text)))
    if not found:
        raise NoWords("format", "Must have a word: letters or digits.")
    if len(found) > MAX_WORDS:
        raise NoWords("too_many", f"At most {MAX_WORDS} different words.")
    return found


def keep(session: Session, searched: Searched, item: Any, counted: Leveled | None) -> None:
    """Have the index keep the words of ``item`` with this transaction."""
    row = {"rowid": item.id, "words": searched.document(item, counted)}
    command = _keep(searched.table, _dialect(session))
    log.run_before(session, command, row)


def forget(session: Session, searched: Searched, ids: list[int]) -> None:
    """Remove the words of items that are about to be purged."""
    session.execute(sa.delete(searched.table).where(searched.table.c.rowid.in_(ids)))


def by_words(searched: Searched) -> Filter:
    """Return the filter ``q``: all words, in any order."""
    found = sa.select(searched.table.c.rowid).where(_has(searched.table, _ANY))
    return Filter(
        lambda service, _words: service.model.id.in_(found),
        shape=lambda _words: None,
        params=lambda words: {f"words_{level}": (words, level) for level in (_ANY, *_LEVELS)},
    )


def fetch(service: Service[Any], query: Query) -> Page:
    """Run a ``query`` for words: in the order asked for, or best first; with snippets.

    Raises:
        Invalid: a page beyond the 1,000 best.
    """
    searched = service.searched
    assert searched is not None  # noqa: S101 - else there is no filter q
    page = listing.fetch(service, query) if query.sort else _best(service, query)
    asked = frozenset(query.filters["q"])
    rows = [
        SimpleNamespace(**row._asdict() | {"snippet": _snippet(searched, row, asked)})
        for row in page.rows
    ]
    return replace(page, rows=rows)


def _best(service: Service[Any], query: Query) -> Page:
    (level, seen), last = query.after or ((LEVELS, 0), _NO_ID)
    seen = seen or query.limit * ((query.page or 1) - 1)
    if query.page and query.page * query.limit > DEEPEST:
        message = f"A search ends at row {DEEPEST:,}; with `sort` it goes deeper."
        raise Invalid(message, faults=[Fault("page", "too_large", message)])
    limit = query.limit if query.is_whole else min(query.limit, DEEPEST - seen)
    params = listing.params_of(service, query)
    params |= {"limit": limit + 1, "reach": params["offset"] + limit + 1}
    params |= {f"below_{n}": _NO_ID if n < level else last if n == level else 0 for n in _LEVELS}
    kind = f"best {_dialect(service.session)}"
    found = listing.kept(service, query, kind, _ranked).ask(service.session, params)
    total = listing.total_of(service, query, params, _counted) if query.total else None
    rows, seen = found[:limit], seen + limit
    if len(found) <= limit or (seen >= DEEPEST and not query.is_whole):
        return Page(rows, None, total)
    return Page(rows, ((rows[-1].level, seen), rows[-1].id), total)


def _ranked(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Select rows with their ``level``: first the ids, level by level, then what is shown.

    A level is looked through only if those above it do not fill the page.
    """
    narrowed = _narrowed(service, query)
    walk = _walk_in_windows if _dialect(service.session) == "postgresql" else _walk
    found: list[sa.CTE] = []
    for level in reversed(_LEVELS):
        found += walk(service, narrowed, level, found)
    best = sa.union_all(*(sa.select(each.c.id, each.c.level) for each in found)).subquery("best")
    statement = sa.select().select_from(entered_by(best, best.c.id, service))
    statement = service.only(statement).add_columns(best.c.level)
    statement = statement.order_by(best.c.level.desc(), best.c.id.desc())
    statement = statement.limit(sa.bindparam("limit", type_=sa.Integer))
    return statement.offset(sa.bindparam("offset", type_=sa.Integer)) if query.page else statement


def _walk(
    service: Service[Any], narrowed: sa.Select[Any], level: int, found: Sequence[sa.CTE]
) -> list[sa.CTE]:
    """Find the newest of a level; SQLite walks its index in the order of ids.

    With a limit of 0 it does not begin to; a condition it would look at for each row.
    """
    table = _table(service)
    arm = _at(table, narrowed, level).where(_has(table, level), table.c.rowid < _below(level))
    arm = arm.order_by(table.c.rowid.desc())
    missing = sa.func.max(0, _REACH - _number_of(found)) if found else _REACH
    return [arm.limit(missing).cte(f"level_{level}")]


def _walk_in_windows(
    service: Service[Any], narrowed: sa.Select[Any], level: int, found: Sequence[sa.CTE]
) -> list[sa.CTE]:
    """Find the newest of a level in two steps, for a GIN index knows no order.

    Common words are among the last few rows, which are looked through one by one; the others are
    so rare that all of them can be sorted. Left to itself the planner takes one way for the other:
    of words that are not among the commonest it knows nothing. So each condition is written as
    only one way can serve it.
    """
    table = _table(service)
    rowid, arm = table.c.rowid, _at(table, narrowed, level)
    arm = arm.where(_number_of(found) < _REACH) if found else arm
    last = sa.select(sa.func.max(rowid)).correlate(None).scalar_subquery()
    start = sa.func.least(last, _below(level)) - _WINDOW
    one_by_one = sa.func.ts_match_vq(table.c.words, sa.cast(_query(level), postgresql.TSQUERY))
    recent = (
        arm.where(rowid < _below(level), rowid > start, one_by_one)
        .order_by(rowid.desc())
        .limit(_REACH)
    )
    new = recent.cte(f"new_{level}").prefix_with("MATERIALIZED", dialect="postgresql")
    place = rowid + 0  # which the key's index does not know
    rest = arm.where(place <= start, _has(table, level), _number_of([new]) < _REACH)
    old = rest.order_by(place.desc()).limit(_REACH).cte(f"old_{level}")
    return [new, old]


def _number_of(found: Sequence[sa.CTE]) -> sa.ColumnElement[int]:
    counts = [sa.select(sa.func.count()).select_from(each).scalar_subquery() for each in found]
    return sum(counts[1:], start=counts[0])


def _at(table: sa.Table, narrowed: sa.Select[Any], level: int) -> sa.Select[Any]:
    shown = (table.c.rowid.label("id"), sa.literal_column(str(level), sa.Integer).label("level"))
    return narrowed.with_only_columns(*shown, maintain_column_froms=True)


def _counted(service: Service[Any], query: Query) -> sa.Select[Any]:
    table = _table(service)
    found = _narrowed(service, query).where(_has(table, _ANY))
    return found.with_only_columns(sa.func.count(), maintain_column_froms=True)


def _narrowed(service: Service[Any], query: Query) -> sa.Select[Any]:
    """Return the visible rows that pass all other filters, entered by way of their words."""
    filters = {name: value for name, value in query.filters.items() if name != "q"}
    statement = listing.narrowed(service, filters)
    table = _table(service)
    source = entered_by(table, table.c.rowid, service)
    conditions = () if statement.whereclause is None else (statement.whereclause,)
    return sa.select().select_from(source).where(*conditions)


def entered_by(start: Any, id: sa.ColumnElement[int], service: Service[Any]) -> Join:
    """Return the tables of what is visible, joined to ``start``."""
    (source,) = service.visible().get_final_froms()

    def joined(right: Any) -> Join:
        if isinstance(right, Join):
            return sa.join(joined(right.left), right.right, right.onclause)
        return _First(start, right, right.c.id == id)

    return joined(source)


def _table(service: Service[Any]) -> sa.Table:
    assert service.searched is not None  # noqa: S101 - else there is no filter q
    return service.searched.table


def _below(level: int) -> sa.BindParameter[int]:
    return sa.bindparam(f"below_{level}", type_=sa.BigInteger)


def _query(level: int) -> sa.BindParameter[Any]:
    return sa.bindparam(f"words_{level}", type_=_Wanted())


def _has(table: sa.Table, level: int) -> sa.ColumnElement[bool]:
    """Return the condition: has all words, at this level exactly or at any."""
    condition: Any = _Has(table.c.words, _query(level))
    return condition  # type: ignore[no-any-return]  # SQLAlchemy has no better type for it


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _snippet(searched: Searched, row: Any, asked: frozenset[str]) -> str | None:
    fields = (getattr(row, name) for name in searched.fields)
    return snippet([text for field in fields for text in _texts(field)], asked)


def _texts(value: Any) -> list[str]:
    """Return the texts of a field: of a list, of one, of none."""
    return value if isinstance(value, list) else [value] if value else []


@cache
def _keep(table: sa.Table, dialect: str) -> Command:
    """Return what puts the words of an item in the place of those it had."""
    if dialect == "sqlite":
        replacing: Any = sa.insert(table).prefix_with("OR REPLACE")
    else:
        insert = postgresql.insert(table)
        kept = {"words": insert.excluded.words}
        replacing = insert.on_conflict_do_update(index_elements=["rowid"], set_=kept)
    return Command(replacing, ("rowid", "words"))


class _Wanted(sa.TypeDecorator[tuple[Wanted, int]]):
    """Words and a level, in the language of the database.

    All that a word can hold are letters and digits, so quoted it is nothing but itself.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Wanted, int] | None, dialect: sa.Dialect) -> str:
        """Return the query; at a level exactly: not all of the words are at the next one."""
        if value is None:
            raise TypeError("a search has words")
        asked, level = value
        quote, both, but = (
            ('"', " AND ", " NOT ") if dialect.name == "sqlite" else ("'", " & ", " & !")
        )

        def all_at(level: int) -> str:
            return "(" + both.join(f"{quote}{at_level(w, level)}{quote}" for w in asked) + ")"

        if level in {_ANY, LEVELS}:
            return all_at(level or 1)
        return all_at(level) + but + all_at(level + 1)


class _Has(FunctionElement[Any]):
    """The operator between a table of words and a query."""

    inherit_cache = True
    name = "has_words"
    type = sa.types.NullType()  # SQLite would compare a Boolean with 1, which is another query


@compiles(_Has)  # to find what a statement reads from, SQLAlchemy writes it for no database
@compiles(_Has, "sqlite")
def _match(element: Any, compiler: Any, **options: Any) -> str:
    column, query = element.clauses
    return f"{column.table.name} MATCH {compiler.process(query, **options)}"


@compiles(_Has, "postgresql")
def _at_at(element: Any, compiler: Any, **options: Any) -> str:
    column, query = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} @@ CAST({query} AS tsquery)"


class _First(Join):
    """A join whose left side SQLite must walk first: in its order, and no further than needed."""

    inherit_cache = True


@compiles(_First, "sqlite")
def _cross_join(element: Any, compiler: Any, **options: Any) -> str:
    left, right = (
        compiler.process(side, **{**options, "asfrom": True})
        for side in (element.left, element.right)
    )
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause)}"
