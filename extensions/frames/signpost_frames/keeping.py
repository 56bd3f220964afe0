"""A table that came in, CSV or Parquet, becomes the one form in which tables are stored.

That form is Parquet in groups of rows of bounded size: a page reads the groups that it lies in, a
statistic the columns that it is about. Neither the upload nor the table is in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from signpost_frames.commas import CommaTable
from signpost_frames.kinds import NAMES
from signpost_frames.parquet import CELLS, ParquetTable
from signpost_frames.refusals import bad_table

#: Of a table.
MAX_COLUMNS, MAX_NAME = 1_000, 200
#: Bytes of a group of rows, roughly, before they are compressed.
_GROUP = 16 * 1024 * 1024
_FORMATS: dict[str, type[CommaTable | ParquetTable]] = {
    "csv": CommaTable,
    "tsv": CommaTable,
    "parquet": ParquetTable,
    "pq": ParquetTable,
}


@dataclass(frozen=True)
class Kept:
    """What is known of a stored table without reading it."""

    format: str
    """Of the upload: ``csv`` or ``parquet``."""
    rows: int
    columns: list[dict[str, Any]]
    """``name``, ``dtype`` and ``nulls`` of each, in order."""


def keep(name: str, source: BinaryIO, target: BinaryIO, max_rows: int) -> Kept:
    """Write the table in ``source`` to ``target`` as it is going to be stored.

    Args:
        name: of the file; its end says what it is taken to be.

    Raises:
        Invalid: it is no such table, with the ``line`` of a CSV that is wrong.
    """
    table = _opened(name, source)
    _check_names(table.names)
    schema = pa.schema(list(zip(table.names, table.kinds, strict=True)))
    rows, nulls = 0, [0] * len(table.names)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for group in _groups(table.batches(), max(1, CELLS // len(table.names))):
            rows += group.num_rows
            if rows > max_rows:
                raise bad_table(f"has more than {max_rows:,} rows", code="too_large")
            nulls = [
                so_far + column.null_count
                for so_far, column in zip(nulls, group.columns, strict=True)
            ]
            writer.write_table(group)
    columns = [
        {"name": name, "dtype": NAMES[kind], "nulls": missing}
        for name, kind, missing in zip(table.names, table.kinds, nulls, strict=True)
    ]
    return Kept("csv" if isinstance(table, CommaTable) else "parquet", rows, columns)


def _opened(name: str, source: BinaryIO) -> CommaTable | ParquetTable:
    end = PurePath(name).suffix[1:].lower()
    if end not in _FORMATS:
        known = ", ".join(f".{each}" for each in _FORMATS)
        raise bad_table(
            f"is called {name[-100:]}; names of tables end with one of {known}", code="choice"
        )
    return _FORMATS[end](source)


def _check_names(names: list[str]) -> None:
    if not names:
        raise bad_table("has no columns")
    if len(names) > MAX_COLUMNS:
        raise bad_table(f"has more than {MAX_COLUMNS:,} columns", code="too_large")
    seen = set()
    for name in names:
        if name in seen:
            raise bad_table(f'names the column "{name[:MAX_NAME]}" twice', line=1)
        if len(name) > MAX_NAME:
            raise bad_table(f"has a name of a column of more than {MAX_NAME} characters", line=1)
        seen.add(name)


def _groups(batches: Iterable[Any], most: int) -> Iterator[Any]:
    """Give tables of about ``most`` rows, fewer if these are large."""
    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= most or sum(each.nbytes for each in held) >= _GROUP:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)
