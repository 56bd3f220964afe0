"""What numpy and pandas hold becomes JSON wherever it stands, and nobody else pays for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pytest

from api import tables
from api.output import dumps

MOMENT = "2026-11-20T06:45:00.123456"
SHOWN = "2026-11-20T06:45:00.123Z"


def shown(value: Any) -> Any:
    """Return what a client reads."""
    return orjson.loads(dumps(value))


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (np.int8(-3), -3),
            (np.uint64(2**64 - 1), 2**64 - 1),
            (np.float16(0.5), 0.5),
            (np.float32(0.1), 0.1),
            (np.float64(0.1), 0.1),
            (np.longdouble(0.5), 0.5),
            (np.float64("nan"), None),
            (np.float32("inf"), None),
            (np.float64("-inf"), None),
            (np.bool_(True), True),
            (np.str_("ö"), "ö"),
            (np.datetime64(MOMENT), SHOWN),
            (np.datetime64("2026-11-20"), "2026-11-20T00:00:00.000Z"),
            (np.datetime64("NaT"), None),
            (np.timedelta64(1500, "ms"), 1.5),
            (np.timedelta64("NaT"), None),
        ],
    )
    def test_of_numpy_are_numbers(self, value: Any, expected: Any) -> None:
        assert shown(value) == expected
        assert shown({"a": [value, {"b": value}]}) == {"a": [expected, {"b": expected}]}
        assert shown(pd.Series([value, "x"], dtype=object)) == [expected, "x"]

    @pytest.mark.parametrize("value", [np.complex128(1), np.bytes_(b"x"), np.array([1j])])
    def test_that_json_does_not_have_are_an_error(self, value: Any) -> None:
        with pytest.raises(TypeError):
            dumps([value])

    def test_beyond_2_to_the_53_are_what_they_are_as_in_the_core(self) -> None:
        frame = pd.DataFrame({"big": [2**53 + 1, -(2**63)], "exact": [Decimal("1.5"), Decimal(2)]})

        assert shown(frame) == [{"big": 2**53 + 1, "exact": 1.5}, {"big": -(2**63), "exact": 2}]
        with pytest.raises(TypeError):
            dumps(pd.Series([2**64], dtype=object))


class TestArrays:
    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6).reshape(2, 3),
            np.arange(6).reshape(2, 3).T,
            np.arange(10)[::-2],
            np.arange(3, dtype=">i4"),
            np.zeros((2, 0)),
            np.zeros((0, 2)),
            np.array([True, False]),
            np.array(["a", "ö"]),
            np.array(7),
            np.array("x"),
            np.array([1, None, "x", [2]], dtype=object),
        ],
    )
    def test_are_lists(self, array: Any) -> None:
        assert shown({"a": array}) == {"a": array.tolist()}

    def test_of_floats_have_null_for_what_json_has_not(self) -> None:
        array = np.array([[1.5, np.nan], [np.inf, -np.inf]])

        assert shown(array) == [[1.5, None], [None, None]]
        assert shown(array.astype("f4")) == [[1.5, None], [None, None]]
        assert shown(array.astype(np.longdouble)) == [[1.5, None], [None, None]]
        assert shown(array.astype(object)) == [[1.5, None], [None, None]]

    def test_of_times_keep_their_form(self) -> None:
        array = np.array([[MOMENT], ["NaT"]], dtype="M8[us]")

        assert shown(array) == [[SHOWN], [None]]
        assert shown(array.reshape(2)[0:0]) == []
        assert shown(array - array) == [[0.0], [None]]
        assert shown(np.array(MOMENT, dtype="M8[ns]")) == SHOWN

    def test_that_are_masked_have_null(self) -> None:
        assert shown(np.ma.array([1, 2], mask=[False, True])) == [1, None]
        times = np.ma.array(np.array([MOMENT, MOMENT], dtype="M8[us]"), mask=[False, True])
        assert shown(times) == [SHOWN, None]


class TestTimes:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (pd.Timestamp(MOMENT, tz="UTC"), SHOWN),
            (pd.Timestamp("2026-11-20T07:45:00.123999", tz="Europe/Berlin"), SHOWN),
            (pd.Timestamp(MOMENT), SHOWN),  # without a zone: UTC
            (pd.Timestamp("1969-12-31T23:59:59.9999"), "1969-12-31T23:59:59.999Z"),
            (pd.Timestamp("9999-12-31"), "9999-12-31T00:00:00.000Z"),
            (pd.NaT, None),
            (pd.NA, None),
            (pd.Timedelta("1 days 00:00:01.5"), 86401.5),
            (timedelta(minutes=2), 120.0),
            (date(2026, 11, 20), "2026-11-20"),
            (time(6, 45), "06:45:00"),
            (pd.Period("2026-11", freq="M"), "2026-11"),
            (pd.Interval(0, 1), "(0, 1]"),
        ],
    )
    def test_of_pandas_have_the_form_of_the_core(self, value: Any, expected: Any) -> None:
        assert shown([value]) == [expected]
        assert shown(pd.Series([value, "x"], dtype=object)) == [expected, "x"]
        assert shown(pd.Series([value, value])) == [expected, expected]

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
    def test_of_a_column_are_those_of_single_ones(self, unit: str, zone: str | None) -> None:
        moments = pd.Series(pd.date_range("1950-01-01", periods=150, freq="40000003s", unit="s"))
        moments = moments.astype(f"M8[{unit}]")
        moments = moments.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else moments
        moments[3] = pd.NaT

        column = shown(moments)

        assert column == shown(list(moments))
        assert column[3] is None
        assert column[0] == "1950-01-01T00:00:00.000Z"

    def test_outside_of_four_digits_are_an_error(self) -> None:
        with pytest.raises(TypeError):
            dumps(np.datetime64("10000-01-01"))
        with pytest.raises(TypeError):
            dumps(np.array(["NaT", "-001-01-01"], dtype="M8[s]"))

    def test_of_the_core_stay_as_they_are(self) -> None:
        zone = timezone(timedelta(hours=1))

        assert shown(datetime(2026, 11, 20, 7, 45, 0, 123_456, zone)) == SHOWN
        with pytest.raises(TypeError):
            dumps(datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None))
        with pytest.raises(TypeError):
            dumps(object())


class TestColumns:
    @pytest.mark.parametrize(
        ("series", "expected"),
        [
            (pd.Series([1, None], dtype="Int64"), [1, None]),
            (pd.Series([1.5, None, np.inf], dtype="Float64"), [1.5, None, None]),
            (pd.Series([0.1, None], dtype="float32"), [0.1, None]),
            (pd.Series([True, None], dtype="boolean"), [True, None]),
            (pd.Series(["a", None]), ["a", None]),
            (pd.Series(["a", None], dtype="string"), ["a", None]),
            (pd.Series(["a", None], dtype="category"), ["a", None]),
            (pd.Series([pd.Timestamp(MOMENT), None], dtype="category"), [SHOWN, None]),
            (pd.Series([0, 1], dtype="Sparse[int64]"), [0, 1]),
            (pd.Series([1, None], dtype=pd.ArrowDtype(pa.int32())), [1, None]),
            (pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())), ["a", None]),
            (pd.Series([MOMENT, None], dtype=pd.ArrowDtype(pa.timestamp("us"))), [SHOWN, None]),
            (pd.Series([60, None], dtype=pd.ArrowDtype(pa.duration("s"))), [60, None]),
            (pd.Series([date(2026, 1, 2)], dtype=pd.ArrowDtype(pa.date32())), ["2026-01-02"]),
            (pd.Series([Decimal(1), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), [1, None]),
            (pd.Series([[1, 2], None], dtype=pd.ArrowDtype(pa.list_(pa.int8()))), [[1, 2], None]),
            (pd.Series(pd.period_range("2026-01", periods=1, freq="M")), ["2026-01"]),
            (pd.Series(pd.interval_range(0, 1)), ["(0, 1]"]),
            (pd.Series([], dtype=object), []),
            (
                pd.Series([1, "x", None, pd.NA, pd.NaT, np.int8(3), {"a": np.float32(0.5)}, [1]]),
                [1, "x", None, None, None, 3, {"a": 0.5}, [1]],
            ),
        ],
        ids=lambda value: str(value.dtype) if isinstance(value, pd.Series) else "",
    )
    def test_are_lists(self, series: Any, expected: list[Any]) -> None:
        assert shown(series) == expected
        assert shown({"a": [series]}) == {"a": [expected]}
        assert shown(series.array) == expected
        assert shown(series.to_frame("a")) == [{"a": each} for each in expected]

    def test_of_an_index_are_lists(self) -> None:
        assert shown(pd.Index([1, 2])) == [1, 2]
        assert shown(pd.DatetimeIndex([MOMENT])) == [SHOWN]
        assert shown(pd.MultiIndex.from_tuples([(1, "a")])) == [[1, "a"]]


class TestFrames:
    def test_are_lists_of_records_without_the_index(self) -> None:
        frame = pd.DataFrame({"n": [1, 2], "t": ["x", None]}, index=["p", "q"])

        assert shown(frame) == [{"n": 1, "t": "x"}, {"n": 2, "t": None}]
        assert shown({"rows": frame, "more": [frame[:1]]}) == {
            "rows": [{"n": 1, "t": "x"}, {"n": 2, "t": None}],
            "more": [[{"n": 1, "t": "x"}]],
        }

    def test_may_be_empty(self) -> None:
        assert shown(pd.DataFrame()) == []
        assert shown(pd.DataFrame({"a": []})) == []
        assert shown(pd.DataFrame(index=[1, 2])) == [{}, {}]

    @pytest.mark.parametrize(
        ("columns", "names"),
        [
            (["a", "a", "a.1", "a"], ["a", "a.1", "a.1.1", "a.2"]),
            ([1, 2.5, None, True], ["1", "2.5", "None", "True"]),
            ([pd.Timestamp("2026-01-02"), "b", "c", "d"], ["2026-01-02T00:00:00", "b", "c", "d"]),
            (
                pd.MultiIndex.from_tuples([("a", "min"), ("a", "max"), ("b", ""), (1, 2)]),
                ["a.min", "a.max", "b", "1.2"],
            ),
        ],
    )
    def test_have_names_of_text_each_once(self, columns: Any, names: list[str]) -> None:
        frame = pd.DataFrame([[0, 1, 2, 3]], columns=columns)

        assert shown(frame) == [dict(zip(names, range(4), strict=True))]

    @pytest.mark.parametrize("more", [-1, 0, 1])
    def test_are_whole_where_slices_meet(self, more: int) -> None:
        rows = 2 * tables.ROWS + more

        assert shown(pd.DataFrame({"n": range(rows)})) == [{"n": at} for at in range(rows)]

    def test_of_a_class_of_ones_own_too(self) -> None:
        class Own(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
            pass

        assert shown(Own({"a": [1]})) == [{"a": 1}]


@pytest.mark.parametrize(
    "make", [lambda: "datetime(2026, 1, 1, tzinfo=UTC)", lambda: "Decimal(1)", lambda: "date.min"]
)
def test_nobody_else_imports_them(make: Callable[[], str]) -> None:
    code = (
        "import sys; from datetime import *; from decimal import Decimal; from api.output import "
        f"dumps; dumps([{make()}]); print(sorted({{'numpy', 'pandas'}} & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
