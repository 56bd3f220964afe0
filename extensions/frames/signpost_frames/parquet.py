"""Parquet that came in: read batch by batch, with an eye on how much it becomes.

A file of a megabyte can hold a terabyte of repeated text; texts are therefore read as they are
stored, each once, and counted before they are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from signpost_frames.kinds import TEXT, Unfit, become, kind_of
from signpost_frames.refusals import bad_table

#: What every Parquet file begins and ends with.
MAGIC = b"PAR1"
#: Cells that are read at a time, and bytes that a whole table may take in memory.
CELLS, MAX_DECODED = 500_000, 256 * 1024 * 1024


class ParquetTable:
    """A Parquet file, its schema checked.

    Raises:
        Invalid: it is none, is damaged, or has columns that a table cannot have.
    """

    def __init__(self, source: BinaryIO) -> None:
        source.seek(0)
        if source.read(len(MAGIC)) != MAGIC:
            raise bad_table("is no Parquet")
        self._source = source
        try:
            schema = self._opened(()).schema_arrow
        except (pa.ArrowException, OSError) as exc:
            raise _damaged(exc) from exc
        self.names = list(schema.names)
        self.kinds = [_kind(field) for field in schema]

    def batches(self) -> Iterator[Any]:
        """Give the rows as record batches of ``kinds``.

        Raises:
            Invalid: it is damaged, or becomes too large.
        """
        texts = [n for n, kind in zip(self.names, self.kinds, strict=True) if kind is TEXT]
        at_a_time, size = max(16, CELLS // max(1, len(self.names))), 0
        try:
            file = self._opened(texts)
            _check_claims(file.metadata)
            for batch in file.iter_batches(at_a_time, use_threads=False):
                size += sum(map(_decoded, batch.columns))
                if size > MAX_DECODED:
                    raise _too_large()
                yield self._normal(batch)
        except (pa.ArrowException, OSError) as exc:
            raise _damaged(exc) from exc

    def _opened(self, texts: Any) -> Any:
        self._source.seek(0)
        file = pa.PythonFile(self._source, mode="r")
        return pq.ParquetFile(file, read_dictionary=list(texts), pre_buffer=False)

    def _normal(self, batch: Any) -> Any:
        columns = []
        for name, array, kind in zip(self.names, batch.columns, self.kinds, strict=True):
            try:
                columns.append(become(array, kind))
            except Unfit as exc:
                raise bad_table(f'{exc}, in the column "{name}"') from exc
        return pa.record_batch(columns, names=self.names)


def _kind(field: Any) -> Any:
    kind = kind_of(field.type)
    if kind is None:
        raise bad_table(
            f'has a column "{field.name}" of the type {field.type}: numbers, truth values, times '
            "and texts can be stored",
            code="type",
        )
    return kind


def _check_claims(metadata: Any) -> None:
    """Refuse row groups that are too large by what the file says of itself."""
    groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
    if any(group.total_byte_size > MAX_DECODED for group in groups):
        raise _too_large()


def _decoded(array: Any) -> int:
    """Return how many bytes a column of a batch takes when it is spelt out."""
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes)
    lengths = pc.binary_length(array.dictionary)
    return int(pc.sum(lengths.take(array.indices)).as_py() or 0) + 4 * len(array)


def _too_large() -> Exception:
    return bad_table(f"holds a table of more than {MAX_DECODED:,} bytes", code="too_large")


def _damaged(exc: Exception) -> Exception:
    return bad_table(f"is damaged, or no Parquet: {str(exc).splitlines()[0][:200]}")
