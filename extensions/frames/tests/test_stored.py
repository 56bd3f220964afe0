"""Pages, conditions, orders and statistics of a stored table, compared with pandas'."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from signpost.services import Invalid
from signpost_frames import conditions, keeping, stored

ROWS = 1_000


@pytest.fixture(scope="module")
def frame() -> Any:
    """A table of all kinds, with gaps."""
    chance = np.random.default_rng(7)
    gaps = np.where(chance.random(ROWS) < 0.1, np.nan, chance.integers(0, 50, ROWS) / 2)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "real": gaps,
            "name": chance.choice(["Red", "red wine", "blue", None], ROWS),  # type: ignore[arg-type]
            "ok": pd.array(chance.choice([True, False, None], ROWS), dtype="boolean"),  # type: ignore[arg-type]
            "at": pd.to_datetime(chance.integers(0, 9, ROWS) * 86_400, unit="s", utc=True),
        }
    )


@pytest.fixture(scope="module")
def table(frame: Any) -> Any:
    """The same, stored in many groups of rows."""
    before = keeping._GROUP
    target = BytesIO()
    source = BytesIO()
    frame.to_parquet(source, row_group_size=97)
    keeping._GROUP = 1_000
    try:
        keeping.keep("a.parquet", source, target, ROWS)
    finally:
        keeping._GROUP = before
    return stored.Table(BytesIO(target.getvalue()))


DTYPES = {"id": "int64", "real": "float64", "name": "str", "ok": "bool", "at": "datetime64"}


def walked(table: Any, where: list[Any], order: list[Any], limit: int) -> list[int]:
    """Return the ids of all pages, one after the other."""
    ids: list[int] = []
    start: int | None = 0
    while start is not None:
        rows = table.page(["id"], where, order, start=start, limit=limit)
        assert len(rows.frame) <= limit
        ids += rows.frame["id"].tolist()
        start = rows.next
    return ids


CASES: list[tuple[list[str], Any]] = [
    ([], lambda f: f["id"] >= 0),
    (["id>=990"], lambda f: f["id"] >= 990),
    (["id<10", "real!=3.5"], lambda f: (f["id"] < 10) & (f["real"] != 3.5) & f["real"].notna()),
    (["real="], lambda f: f["real"].isna()),
    (["name!="], lambda f: f["name"].notna()),
    (["name=Red"], lambda f: f["name"] == "Red"),
    (["name~RED"], lambda f: f["name"].str.lower().str.contains("red", na=False)),
    (["ok=true"], lambda f: f["ok"].fillna(False)),
    (["ok!=true"], lambda f: ~f["ok"].fillna(True)),
    (["at>1970-01-05"], lambda f: f["at"] > "1970-01-05"),
    (["at<=1970-01-05T01:00:00+01:00"], lambda f: f["at"] <= "1970-01-05T00:00:00Z"),
    (["id=-1"], lambda f: f["id"] < 0),
    (["id>2.5"], lambda f: f["id"] > 2.5),
    (["id<1e1"], lambda f: f["id"] < 10),
]


class TestPage:
    @pytest.mark.parametrize(("where", "mask"), CASES, ids=[" ".join(each) for each, _ in CASES])
    @pytest.mark.parametrize("sort", [None, "real", "-real", "name", "-at", "ok"])
    def test_walks_see_what_pandas_sees(
        self, table: Any, frame: Any, where: list[str], mask: Any, sort: str | None
    ) -> None:
        # given
        expected = frame[mask(frame)]
        if sort:
            name, ascending = sort.removeprefix("-"), not sort.startswith("-")
            expected = expected.sort_values(
                name, ascending=ascending, kind="stable", na_position="last"
            )
        wanted = conditions.conditions(where, DTYPES)
        by = conditions.order(sort, DTYPES) if sort else []
        # when
        ids = walked(table, wanted, by, 100)
        # then
        assert ids == expected["id"].tolist()
        assert table.page(["id"], wanted, by, limit=1, count=True).total == len(expected)

    def test_by_number_is_the_same_as_by_walking(self, table: Any) -> None:
        where = conditions.conditions(["real>5"], DTYPES)
        for order in ([], conditions.order("-real", DTYPES)):
            ids = walked(table, where, order, 1_000)
            page = table.page(["id"], where, order, skip=40, limit=20)
            assert page.frame["id"].tolist() == ids[40:60]

    def test_has_the_columns_that_are_asked_for_in_that_order(self, table: Any) -> None:
        assert list(table.page(["at", "id"], limit=1).frame) == ["at", "id"]

    def test_beyond_the_end_is_empty(self, table: Any) -> None:
        rows = table.page(["id"], start=ROWS + 5, count=True)
        assert (len(rows.frame), rows.next, rows.total) == (0, None, ROWS)


class TestDescribe:
    def test_says_what_pandas_says(self, table: Any, frame: Any) -> None:
        # when
        said = dict(table.describe(list(DTYPES)))
        # then
        assert said["real"] == frame["real"].describe().to_dict()
        assert said["name"] == frame["name"].describe().to_dict()
        assert said["at"]["count"] == ROWS
        assert said["at"]["max"] == frame["at"].max()
        assert said["ok"]["unique"] == 2


class TestConditions:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("none=1", "format"),
            ("real", "format"),
            ("=1", "format"),
            ("real>", "format"),
            ("real~1", "type"),
            ("real=x", "type"),
            ("real=nan", "type"),
            ("real=1_0", "type"),
            ("real=٣", "type"),
            ("ok=1", "type"),
            ("ok>true", "type"),
            ("at=yesterday", "type"),
            ("at=99999-01-01", "type"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, text: str, code: str) -> None:
        with pytest.raises(Invalid) as caught:
            conditions.conditions([text], DTYPES)
        assert [(each.field, each.code) for each in caught.value.faults] == [("where", code)]

    def test_mean_the_longest_name_that_fits(self) -> None:
        dtypes = {"a": "str", "a=b": "str", "-a": "int64"}
        (found,) = conditions.conditions(["a=b=c"], dtypes)
        assert (found.column, found.value) == ("a=b", "c")
        assert conditions.order("-a", dtypes) == [("-a", "ascending")]
        assert conditions.order("--a", dtypes) == [("-a", "descending")]

    def test_of_unknown_columns_are_refused(self) -> None:
        with pytest.raises(Invalid):
            conditions.order("-nix", DTYPES)
        with pytest.raises(Invalid):
            conditions.chosen(["id", "nix"], DTYPES)
        assert conditions.chosen(["at", "id", "at"], DTYPES) == ["at", "id"]
