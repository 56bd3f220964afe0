"""Which uploads are tables, what they are stored as, and the line of what is wrong."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, RawIOBase
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signpost.services import Invalid
from signpost_frames import commas, keeping, parquet

MANY = 10**7


def kept(content: bytes, name: str = "a.csv") -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return dtypes and rows of what an upload is stored as."""
    target = BytesIO()
    found = keeping.keep(name, BytesIO(content), target, MANY)
    rows = pq.read_table(BytesIO(target.getvalue())).to_pylist()
    assert found.rows == len(rows)
    for column in found.columns:
        assert column["nulls"] == sum(row[column["name"]] is None for row in rows)
    return {each["name"]: each["dtype"] for each in found.columns}, rows


def refused(content: bytes, name: str = "a.csv") -> Invalid:
    """Return how an upload is refused."""
    with pytest.raises(Invalid) as caught:
        keeping.keep(name, BytesIO(content), BytesIO(), MANY)
    (fault,) = caught.value.faults
    assert fault.field == "files.0"
    return caught.value


def of(table: Any) -> bytes:
    """Return a Parquet file."""
    target = BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


class TestKindsOfACsv:
    @pytest.mark.parametrize(
        ("cells", "dtype", "values"),
        [
            (["1", "-2", ""], "int64", [1, -2, None]),
            (["1", "2.5", "1e3"], "float64", [1.0, 2.5, 1000.0]),
            (["1.5", "inf", "NaN"], "float64", [1.5, None, None]),
            (["true", "FALSE", "NA"], "bool", [True, False, None]),
            (["1", "0"], "int64", [1, 0]),
            (["1", "true"], "bool", [True, True]),
            (["2026-01-02", ""], "datetime64", [datetime(2026, 1, 2, tzinfo=UTC), None]),
            (
                ["2026-01-02T10:00:00.123999", "1969-12-31 23:59:59.9999"],
                "datetime64",
                [
                    datetime(2026, 1, 2, 10, 0, 0, 123_000, UTC),
                    datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC),
                ],
            ),
            (["2026-01-02T10:00:00+02:00"], "datetime64", [datetime(2026, 1, 2, 8, tzinfo=UTC)]),
            (["2026-01-02T10:00:00Z", "2026-01-02"], "str", None),
            (["0000-01-01"], "str", ["0000-01-01"]),
            (["01", "2"], "str", ["01", "2"]),
            (["0", "0.5"], "float64", [0.0, 0.5]),
            (["9223372036854775807"], "int64", [2**63 - 1]),
            (["9223372036854775808"], "str", ["9223372036854775808"]),
            (["1", "x"], "str", ["1", "x"]),
            (["", "NULL"], "str", [None, None]),
            (['"a, ""b""\nc"'], "str", ['a, "b"\nc']),
            (["ö 😀"], "str", ["ö 😀"]),
        ],
    )
    def test_are_those_that_all_cells_have(
        self, cells: list[str], dtype: str, values: list[Any] | None
    ) -> None:
        # given
        content = "a,b\n" + "".join(f"{cell},x\n" for cell in cells)
        # when
        dtypes, rows = kept(content.encode())
        # then
        assert dtypes["a"] == dtype
        assert [row["a"] for row in rows] == (cells if values is None else values)

    def test_may_show_in_the_last_row_alone(self) -> None:
        # given
        rows = 3 * commas.BLOCK // 10
        content = b"number,text\n" + b"12345,678\n" * rows + b"1.5,x\n"
        # when
        dtypes, found = kept(content)
        # then
        assert dtypes == {"number": "float64", "text": "str"}
        assert len(found) == rows + 1
        assert found[-1] == {"number": 1.5, "text": "x"}
        assert found[0] == {"number": 12345.0, "text": "678"}


class TestACsv:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_may_be_written_in_many_ways(self, delimiter: str, end: str, mark: str) -> None:
        # given
        lines = [delimiter.join(row) for row in (["a", "b c"], ["1", "x"], ["", '"y"'])]
        # when
        dtypes, rows = kept((mark + end.join(lines)).encode())
        # then
        assert dtypes == {"a": "int64", "b c": "str"}
        assert rows == [{"a": 1, "b c": "x"}, {"a": None, "b c": "y"}]

    def test_may_have_no_rows(self) -> None:
        assert kept(b"a,b\n") == ({"a": "str", "b": "str"}, [])
        assert kept(b"a,b") == ({"a": "str", "b": "str"}, [])

    def test_may_leave_columns_without_names(self) -> None:
        dtypes, _ = kept(b",b,\n0,x,1\n")
        assert list(dtypes) == ["column_1", "b", "column_3"]

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b"a,b\n1,2\n1,2,3\n4,5\n", 3),
            (b"a,b\n1,2\n\n1\n", 4),
            (b'a,b\n"x\ny\nz",1\n\n1,2,3\n', 6),
            (b"a,b\r\n1,2\r\n1,2,3\r\n", 3),
            (b"a,b\n1,2\n1\xff,2\n", 3),
            (b"a\xc3,b\n1,2\n", 1),
            (b"a,b\n1,2\n1,\xc3", 3),
            (b"a,b\n1,2\n1,\0\n", 3),
            (b"a,b\n" + b"1,2\n" * 500_000 + b"1,\xff\n", 500_002),
            (b"a,b\n" + b"1,2\n" * 500_000 + b"1,2,3\n", 500_002),
            (b'a,b\n1,2\n1,"2\n3,4\n5,6\n', 3),
            (b"a,b,a\n1,2,3\n", 1),
            (b"\na,b\n1,2\n", 1),
            (b"a" * 201 + b"\n1\n", 1),
            (b"a,b\n1," + b"x" * (3 * commas.BLOCK) + b"\n", 2),
            (b"\xff\xfea\0,\0b\0", 1),
        ],
    )
    def test_that_is_wrong_is_refused_with_its_line(self, content: bytes, line: int) -> None:
        assert refused(content).extra == {"line": line}

    def test_that_is_empty_is_refused(self) -> None:
        assert refused(b"").faults[0].code == "too_short"

    def test_of_too_many_columns_or_rows_is_refused(self) -> None:
        # given
        wide = ",".join(f"c{at}" for at in range(keeping.MAX_COLUMNS + 1)).encode()
        # then
        assert refused(wide).faults[0].code == "too_large"
        with pytest.raises(Invalid) as caught:
            keeping.keep("a.csv", BytesIO(b"a\n1\n2\n3\n"), BytesIO(), 2)
        assert caught.value.faults[0].code == "too_large"

    def test_is_never_in_memory_as_a_whole(self) -> None:
        # given
        kept(b"a\n1\n")  # what pyarrow imports with the first table
        size = 50 * 1024 * 1024
        before = pa.total_allocated_bytes()
        most = 0

        class Watched(Endless):
            def readinto(self, buffer: Any) -> int:
                nonlocal most
                most = max(most, pa.total_allocated_bytes() - before)
                return super().readinto(buffer)

        tracemalloc.start()
        # when
        with Watched(size) as source:
            found = keeping.keep("a.csv", source, BytesIO(), MANY)  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # then
        assert found.rows == size // len(Endless.line) - 1
        assert peak < size / 2
        assert most < size


class Endless(RawIOBase):
    """A large CSV that is made as it is read."""

    line = b"12345678,some text,0.125,2026-01-02T10:00\n"

    def __init__(self, size: int) -> None:
        self._lines, self._at = size // len(self.line), 0
        self._head = b"number,text,real,at".ljust(len(self.line) - 1) + b"\n"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        assert (offset, whence) == (0, 0)
        self._at = 0
        return 0

    def readinto(self, buffer: Any) -> int:
        start, width = self._at, len(self.line)
        end = min(start + len(buffer), self._lines * width)
        made = (self._head if not start // width else self.line) + self.line * (
            (end - start) // width + 1
        )
        piece = made[start % width :][: end - start]
        buffer[: len(piece)] = piece
        self._at = end
        return len(piece)


#: Columns that a table cannot have.
STRANGE = {
    "list": pa.array([[1]]),
    "struct": pa.array([{"a": 1}]),
    "binary": pa.array([b"x"]),
    "duration": pa.array([1], pa.duration("s")),
}


#: Columns of all types that become one of a table.
ALL_KINDS = pa.table(
    {
        "small": pa.array([1, None], pa.uint8()),
        "real": pa.array([0.5, float("nan")], pa.float32()),
        "exact": pa.array([Decimal("1.25"), None]),
        "truth": pa.array([True, None]),
        "at": pa.array(["2026-01-02T03:04:05.006789", None]).cast(pa.timestamp("us")),
        "there": pa.array([0, None], pa.timestamp("ns", "Asia/Tokyo")),
        "day": pa.array([date(2026, 1, 2), None]),
        "text": pa.array(["x", None], pa.large_string()),
        "colour": pa.array(["red", None]).dictionary_encode(),
        "nothing": pa.nulls(2),
    }
)


class TestAParquet:
    def test_has_the_same_kinds_of_columns(self) -> None:
        # when
        dtypes, rows = kept(of(ALL_KINDS), "a.parquet")
        # then
        assert dtypes == {
            "small": "int64",
            "real": "float64",
            "exact": "float64",
            "truth": "bool",
            "at": "datetime64",
            "there": "datetime64",
            "day": "datetime64",
            "text": "str",
            "colour": "str",
            "nothing": "str",
        }
        assert rows[0] == {
            "small": 1,
            "real": 0.5,
            "exact": 1.25,
            "truth": True,
            "at": datetime(2026, 1, 2, 3, 4, 5, 6000, UTC),
            "there": datetime(1970, 1, 1, tzinfo=UTC),
            "day": datetime(2026, 1, 2, tzinfo=UTC),
            "text": "x",
            "colour": "red",
            "nothing": None,
        }
        assert set(rows[1].values()) == {None}

    @pytest.mark.parametrize(("type", "array"), STRANGE.items())
    def test_of_other_types_is_refused(self, type: str, array: Any) -> None:
        problem = refused(of(pa.table({"odd one": array})), "a.parquet")
        assert problem.faults[0].code == "type"
        assert "odd one" in problem.public_message
        assert type in problem.public_message

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"a,b\n1,2\n",
            b"PAR1",
            b"PAR1 and what is no Parquet PAR1",
            of(pa.table({"a": [1, 2]}))[:-30] + b"PAR1",
            of(pa.table({"a": [1, 2]}))[:-1],
        ],
    )
    def test_that_is_broken_is_refused(self, content: bytes) -> None:
        assert refused(content, "a.parquet").faults[0].code == "format"

    def test_that_is_damaged_in_the_middle_is_refused(self) -> None:
        # given
        whole = bytearray(of(pa.table({"a": [str(at) for at in range(9_999)]})))
        whole[4:3_000] = b"\xff" * 2_996
        # then
        assert refused(bytes(whole), "a.parquet").faults[0].code == "format"

    def test_with_numbers_or_times_out_of_range_is_refused(self) -> None:
        for array in (
            pa.array([2**63], pa.uint64()),
            pa.array([10**15], pa.timestamp("s")),
            pa.array([253_402_300_800], pa.timestamp("s")),
        ):
            assert refused(of(pa.table({"a": array})), "a.pq").faults[0].code == "format"

    def test_with_a_name_twice_is_refused(self) -> None:
        twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
        assert refused(of(twice), "a.parquet").faults[0].code == "format"

    def test_that_becomes_a_hundred_gigabytes_is_refused_unread(self) -> None:
        # given
        text = pa.array(["x" * 1_000_000])
        places = pa.array(np.zeros(100_000, "i4"))
        content = of(pa.table({"a": pa.DictionaryArray.from_arrays(places, text)}))
        before = pa.total_allocated_bytes()
        # when
        problem = refused(content, "a.parquet")
        # then
        assert len(content) < 100_000
        assert problem.faults[0].code == "too_large"
        assert pa.total_allocated_bytes() - before < parquet.MAX_DECODED


class TestTheName:
    @pytest.mark.parametrize("name", ["a.png", "csv", "a.csv.gz", "a"])
    def test_says_what_it_is_taken_for(self, name: str) -> None:
        assert refused(b"a\n1\n", name).faults[0].code == "choice"

    @pytest.mark.parametrize("name", ["A.CSV", "b.tsv"])
    def test_may_be_in_capitals(self, name: str) -> None:
        assert kept(b"a\n1\n", name) == ({"a": "int64"}, [{"a": 1}])
