"""A stored table: pages of its rows, columns of it, statistics. Reads no more than it has to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from signpost_frames.conditions import Condition

#: Whole numbers and truth values with gaps stay what they are.
_PANDAS = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


@dataclass(frozen=True)
class Rows:
    """Some rows, and where the next begin: a number to be given as ``start``; None: nowhere."""

    frame: Any
    next: int | None
    total: int | None
    """All that match, if it was asked for."""


class Table:
    """A table that ``keeping.keep`` wrote.

    Args:
        file: can be read at any place.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = pq.ParquetFile(pa.PythonFile(file, mode="r"), pre_buffer=False)
        groups = range(self._file.num_row_groups)
        self._starts = [0, *accumulate(self._file.metadata.row_group(at).num_rows for at in groups)]

    def frame(self, columns: Sequence[str]) -> Any:
        """Return whole columns as a DataFrame; they are in memory then."""
        return _framed(self._file.read(list(columns), use_threads=False))

    def page(
        self,
        columns: Sequence[str],
        where: Sequence[Condition] = (),
        order: Sequence[tuple[str, str]] = (),
        *,
        start: int = 0,
        skip: int = 0,
        limit: int = 20,
        count: bool = False,
    ) -> Rows:
        """Return rows that meet all conditions, in an order or as they were uploaded.

        Args:
            start: 0, or ``next`` of the page before: a place in the table, or in the order.
            skip: matching rows to pass over from there.
            count: tell how many match altogether.
        """
        if order:
            places = self._ordered(where, order)
            found = places[start + skip : start + skip + limit + 1]
            follows = start + skip + limit if len(found) > limit else None
            return Rows(self._at(found[:limit], columns), follows, len(places) if count else None)
        found = self._first(where, start, skip, limit + 1)
        follows = int(found[limit]) if len(found) > limit else None
        total = self._count(where) if count else None
        return Rows(self._at(found[:limit], columns), follows, total)

    def describe(self, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give what pandas says of each column; one after the other is in memory."""
        for name in columns:
            cells = self.frame([name])[name]
            if str(cells.dtype) == "boolean":  # it would be numbers
                cells = cells.astype(object)
            said = cells.describe().to_dict()
            yield name, {**said, "count": int(said["count"])}

    def _group(self, at: int, columns: Sequence[str]) -> Any:
        return self._file.read_row_group(at, list(columns), use_threads=False)

    def _first(self, where: Sequence[Condition], start: int, skip: int, most: int) -> Any:
        """Return the places of the first matching rows from ``start`` on."""
        if not where:
            start += skip
            return np.arange(start, max(start, min(start + most, self._starts[-1])))
        found = np.empty(0, "i8")
        for begin, places in self._matching(where, start):
            found = np.concatenate([found, begin + places])
            if len(found) >= skip + most:
                break
        return found[skip : skip + most]

    def _count(self, where: Sequence[Condition]) -> int:
        if not where:
            return int(self._starts[-1])
        return sum(len(places) for _, places in self._matching(where, 0))

    def _matching(self, where: Sequence[Condition], start: int) -> Iterator[tuple[int, Any]]:
        """Give where each group begins, and which of its rows match, from ``start`` on."""
        names = list({each.column for each in where})
        for at, (begin, end) in enumerate(pairwise(self._starts)):
            if end <= start:
                continue
            group = self._group(at, names)
            mask = np.ones(end - begin, bool)
            for each in where:
                mask &= each.holds(group[each.column]).to_numpy()
            mask[: max(0, start - begin)] = False
            yield begin, np.flatnonzero(mask)

    def _ordered(self, where: Sequence[Condition], order: Sequence[tuple[str, str]]) -> Any:
        """Return the places of all matching rows in order; empty cells come last."""
        names = [name for name, _ in order]
        if where:
            found = list(self._matching(where, 0))
            places = np.concatenate([np.empty(0, "i8"), *(begin + each for begin, each in found)])
            keys = (
                pa.concat_tables(
                    self._group(at, names).take(pa.array(each))
                    for at, (_, each) in enumerate(found)
                )
                if found
                else self._empty(names)
            )
        else:
            places, keys = None, self._file.read(names, use_threads=False)
        by = [(name, direction, "at_end") for name, direction in order]
        ordered = pc.sort_indices(keys, sort_keys=by).to_numpy()
        return ordered if places is None else places[ordered]

    def _empty(self, columns: Sequence[str]) -> Any:
        return self._file.schema_arrow.empty_table().select(list(columns))

    def _at(self, places: Any, columns: Sequence[str]) -> Any:
        """Return the rows at some places, in their order; a group at a time is in memory."""
        groups = np.searchsorted(self._starts, places, side="right") - 1
        parts, came = [], []
        for at in np.unique(groups).tolist():
            here = np.flatnonzero(groups == at)
            wanted = pa.array(np.asarray(places)[here] - self._starts[at])
            parts.append(self._group(at, columns).take(wanted))
            came.append(here)
        if not parts:
            return _framed(self._empty(columns))
        back = np.argsort(np.concatenate(came), kind="stable")
        return _framed(pa.concat_tables(parts).take(pa.array(back)))


def _framed(table: Any) -> Any:
    return table.to_pandas(types_mapper=_PANDAS.get, use_threads=False, ignore_metadata=True)
