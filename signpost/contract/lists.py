"""What holds for every list, found by its class: it costs the same however long it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from signpost.contract.answers import data
from signpost.contract.items import Resources
from signpost.contract.resources import fill, id_of, make
from signpost.contract.subject import Declared, Subject

CountQueries: TypeAlias = Callable[[], AbstractContextManager[list[str]]]
#: Queries that a list takes at most.
MOST = 3


class Shelves(Protocol):
    """Something in every list, as much of it as is wanted."""

    ids: dict[str, int]
    """Type → the item below which lists are, in their URLs."""
    caller: FlaskClient
    """Who sees them all."""

    def add(self) -> None:
        """Put one more thing into each list."""


class Filled:
    """Lists of what an extension declares, filled by requests."""

    def __init__(self, caller: FlaskClient, types: Collection[str], make: Callable[[str], str]):
        self.caller, self._types, self._make = caller, types, make
        self.ids = {type: id_of(make(type)) for type in types}

    def add(self) -> None:
        """Make one more of each type."""
        for type in self._types:
            self._make(type)


class Lists(Resources):
    """All lists together."""

    at_least: int = 0
    """How many lists there are, if that is known."""
    unsorted: Collection[str] = ()
    """Rules of lists of the few things that one has oneself: they are sorted as they are read."""

    @pytest.fixture
    def shelves(self, caller: FlaskClient, subject: Subject) -> Shelves:
        """Something in every list."""
        return Filled(caller, subject.items, lambda type: make(caller, subject, type, self.makers))

    def test_no_list_costs_more_with_more_rows(
        self, shelves: Shelves, subject: Subject, count_queries: CountQueries
    ) -> None:
        shelves.add()
        few = {str(each): _measured(shelves, each, count_queries) for each in subject.lists}
        for _ in range(5):
            shelves.add()

        many = {str(each): _measured(shelves, each, count_queries) for each in subject.lists}

        assert len(many) >= self.at_least
        for rule, (rows, queries) in many.items():
            assert rows >= few[rule][0] + 5, f"{rule}: have Shelves.add put something into it"
            assert queries == few[rule][1] <= MOST, rule

    def test_every_list_is_paged_trimmed_streamed_and_kept(
        self, shelves: Shelves, subject: Subject
    ) -> None:
        for _ in range(3):
            shelves.add()
        for each in subject.lists:
            url = fill(each.rule, shelves.ids)
            whole = data(shelves.caller.get(f"{url}?limit=100"))["items"]
            one = next(iter(whole[0]))

            assert _walked(shelves.caller, url) == whole, url
            trimmed = data(shelves.caller.get(f"{url}?limit=100&fields={one}"))["items"]
            assert trimmed == [{one: item[one]} for item in whole], url
            lines = shelves.caller.get(url, headers={"Accept": "application/x-ndjson"}).text
            assert len(lines.splitlines()) == len(whole), url
            tag = {"If-None-Match": shelves.caller.get(url).headers["ETag"]}
            assert shelves.caller.get(url, headers=tag).status_code == 304, url
            assert shelves.caller.get(f"{url}?zq_nobody=1").status_code == 400, url

    def test_nobody_learns_by_sorting_what_is_not_shown(self, subject: Subject) -> None:
        for each in subject.lists:
            assert set(each.cls.spec.service.sorts) <= set(each.cls.spec.output), each

    def test_every_column_that_a_list_is_sorted_by_is_in_an_index(self, subject: Subject) -> None:
        for each in (each for each in subject.lists if each.rule not in self.unsorted):
            for name, sort in each.cls.spec.service.sorts.items():
                table = sort.column.class_.__table__
                unique = (c for c in table.constraints if isinstance(c, sa.UniqueConstraint))
                ordered = (table.primary_key, *table.indexes, *unique)
                names = {c.name for one in ordered for c in one.columns}
                assert sort.column.key in names, (each, name)


class Costs(Resources):
    """Every ``GET`` of a URL without variables, a declared list or not."""

    @pytest.fixture
    def shelves(self, caller: FlaskClient, subject: Subject) -> Shelves:
        """Something of each type."""
        return Filled(caller, subject.items, lambda type: make(caller, subject, type, self.makers))

    def test_no_route_asks_more_with_more_rows(
        self, shelves: Shelves, subject: Subject, count_queries: CountQueries
    ) -> None:
        urls = [url for verb, url, rule in subject.routes if verb == "GET" and "<" not in rule]

        def measured() -> dict[str, int]:
            shelves.add()
            costs = {}
            for url in urls:
                with count_queries() as queries:
                    assert shelves.caller.get(url).status_code < 500
                costs[url] = sum("revocations" not in query for query in queries)
            return costs

        few = measured()
        for _ in range(5):
            shelves.add()
        assert measured() == few


def _measured(shelves: Shelves, each: Declared, count: CountQueries) -> tuple[int, int]:
    """Return how many rows a list has, and in how many queries it is told."""
    url = f"{fill(each.rule, shelves.ids)}?limit=100&total=true"
    with count() as queries:
        page = data(shelves.caller.get(f"{url}&fields=*"))
    assert page["total"] == len(page["items"])
    return page["total"], sum("revocations" not in query for query in queries)


def _walked(caller: FlaskClient, url: str) -> list[Any]:
    """Return what a walk by cursor sees, two at a time."""
    walked: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = data(caller.get(f"{url}?limit=2{cursor}"))
        walked += page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    return walked
