"""What holds for every list, found by its class: it costs the same however long it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from tests.answers import data
from tests.contract import declared
from tests.contract.declared import API, LISTS, Declared
from tests.contract.shelves import Shelves

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]
MOST = 3
#: Lists of the few things that one has oneself: they are sorted as they are read.
OWN = {f"{API}/auth/sessions"}


@pytest.fixture
def shelves(session: Session, ada: User, sign_in: SignIn) -> Shelves:
    return Shelves(session, ada, sign_in(ada))


def measured(shelves: Shelves, each: Declared, count: CountQueries) -> tuple[int, int]:
    """Return how many rows a list has, and in how many queries it is told."""
    url = f"{declared.filled(each.rule, shelves.ids)}?limit=100&total=true"
    with count() as queries:
        page = data(shelves.caller.get(f"{url}&fields=*"))
    assert page["total"] == len(page["items"])
    return page["total"], sum("revocations" not in query for query in queries)


def test_no_list_costs_more_with_more_rows(shelves: Shelves, count_queries: CountQueries) -> None:
    shelves.add()
    few = {str(each): measured(shelves, each, count_queries) for each in LISTS}
    for _ in range(5):
        shelves.add()

    many = {str(each): measured(shelves, each, count_queries) for each in LISTS}

    assert len(LISTS) > 10
    for rule, (rows, queries) in many.items():
        assert rows >= few[rule][0] + 5, f"{rule}: have Shelves.add put something into it"
        assert queries == few[rule][1] <= MOST, rule


def test_every_list_is_paged_trimmed_streamed_and_kept(shelves: Shelves) -> None:
    for _ in range(3):
        shelves.add()
    for each in LISTS:
        url = declared.filled(each.rule, shelves.ids)
        whole = data(shelves.caller.get(f"{url}?limit=100"))["items"]
        one = next(iter(whole[0]))

        walked: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = data(shelves.caller.get(f"{url}?limit=2{cursor}"))
            walked += page["items"]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert walked == whole, url
        trimmed = data(shelves.caller.get(f"{url}?limit=100&fields={one}"))["items"]
        assert trimmed == [{one: item[one]} for item in whole], url
        lines = shelves.caller.get(url, headers={"Accept": "application/x-ndjson"}).text
        assert len(lines.splitlines()) == len(whole), url
        tag = {"If-None-Match": shelves.caller.get(url).headers["ETag"]}
        assert shelves.caller.get(url, headers=tag).status_code == 304, url
        assert shelves.caller.get(f"{url}?zq_nobody=1").status_code == 400, url


def test_nobody_learns_by_sorting_what_is_not_shown() -> None:
    for each in LISTS:
        assert set(each.cls.spec.service.sorts) <= set(each.cls.spec.output), each


def test_every_column_that_a_list_is_sorted_by_is_in_an_index() -> None:
    for each in (each for each in LISTS if each.rule not in OWN):
        for name, sort in each.cls.spec.service.sorts.items():
            table = sort.column.class_.__table__
            unique = (c for c in table.constraints if isinstance(c, sa.UniqueConstraint))
            ordered = (table.primary_key, *table.indexes, *unique)
            assert sort.column.key in {c.name for one in ordered for c in one.columns}, (each, name)
