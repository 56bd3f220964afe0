"""CSV: read twice, block by block; first to see what its columns hold, then to store them.

The fast reader knows rows, not lines. Where it gives up, the slow one of the standard library looks
for the line.

Source: RFC 4180; besides commas, semicolons, tabs and bars separate, whatever parts the first line
most.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as fast

from signpost_frames.kinds import INTEGER, REAL, TEXT, TIME, TRUTH, Unfit, in_range
from signpost_frames.refusals import bad_table

#: Bytes that are read at a time, some 30 times ahead; a row must fit in.
BLOCK = 2**18
#: What stands for nothing.
NULLS = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
_DELIMITERS = ",;\t|"
#: Digits that are no number but a code: leading zeros, or more than a float holds.
_CODE = r"^[+-]?(0[0-9]|[0-9]{16,}$)"
_ZERO = r"^[+-]?0[0-9]"
#: As they are written without and with an offset; finer than what is stored.
_LOCAL, _ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")
_CANDIDATES = (INTEGER, REAL, TRUTH, _LOCAL, _ZONED)


class CommaTable:
    """A CSV file, checked.

    Raises:
        Invalid: it is not UTF-8, has no names, or a row is of another length.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        quotes = _check_text(source)
        try:
            first = next(self._lines())
            self._delimiter = max(_DELIMITERS, key=first.count)
            self.names = self._header()
        except csv.Error as exc:
            raise bad_table(f"cannot be read: {exc}", line=1) from exc
        if quotes % 2 and (wrong := self._wrong()):  # the fast reader takes an open one for text
            raise wrong
        self._types = self._seen()
        self.kinds = [TIME if each in (_LOCAL, _ZONED) else each for each in self._types]

    def batches(self) -> Iterator[Any]:
        """Give the rows as record batches of ``kinds``."""
        for batch in self._blocks():
            columns = zip(batch.columns, self._types, strict=True)
            yield pa.record_batch([_converted(*each) for each in columns], names=self.names)

    def _text(self) -> io.TextIOWrapper:
        """Return the whole as text, which leaves the source open."""
        self._source.seek(0)
        return io.TextIOWrapper(io.BufferedReader(_Kept(self._source)), "utf-8-sig", newline="")

    def _lines(self) -> Iterator[str]:
        text = self._text()
        while line := text.readline(BLOCK):
            if len(line) == BLOCK:
                raise csv.Error(f"a line of more than {BLOCK:,} characters")
            yield line

    def _rows(self) -> Any:
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)

    def _header(self) -> list[str]:
        names: list[str] = next(self._rows(), [])
        if not names:
            raise bad_table("has no names of columns", line=1)
        return [name.strip() or f"column_{at}" for at, name in enumerate(names, 1)]

    def _blocks(self) -> Iterator[Any]:
        """Give the rows as record batches of text.

        Raises:
            Invalid: a row has more or less cells than there are names, or is too long.
        """
        self._source.seek(0)
        places = [str(at) for at in range(len(self.names))]
        options = {
            "read_options": fast.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=places, skip_rows_after_names=1
            ),
            "parse_options": fast.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            "convert_options": fast.ConvertOptions(
                column_types=dict.fromkeys(places, TEXT),
                strings_can_be_null=True,
                null_values=list(NULLS),
            ),
        }
        try:
            yield from fast.open_csv(_Kept(self._source), **options)
        except pa.ArrowInvalid as exc:
            if self._has_rows():
                raise self._located(exc) from exc

    def _has_rows(self) -> bool:
        """Whether there is more than the names, which the fast reader does not take for a table."""
        rows = self._rows()
        next(rows)
        try:
            return any(rows)
        except csv.Error:
            return True

    def _located(self, exc: Exception) -> Exception:
        """Return what is wrong with the table, that the fast reader could not read."""
        said = str(exc).splitlines()[0][:200]
        return self._wrong() or bad_table(f"cannot be read: {said}")

    def _wrong(self) -> Exception | None:
        """Return what is wrong with the first row that is not as it should be."""
        rows, line = self._rows(), 1
        try:
            for row in rows:
                if row and len(row) != len(self.names):
                    what = f"has a row of {len(row)} cells, not {len(self.names)}"
                    return bad_table(what, line=line)
                line = rows.line_num + 1
        except csv.Error as found:
            return bad_table(f"cannot be read: {found}", line=line)
        return None

    def _seen(self) -> list[Any]:
        """Return what each column holds throughout; text, if nothing else."""
        left = [list(_CANDIDATES) for _ in self.names]
        filled = [False] * len(self.names)
        for batch in self._blocks():
            for at, column in enumerate(batch.columns):
                if column.null_count < len(column):
                    filled[at] = True
                    left[at] = [each for each in left[at] if _fits(column, each)]
        return [
            types[0] if types and some else TEXT for types, some in zip(left, filled, strict=True)
        ]


class _Kept(io.RawIOBase):
    """A file that stays open when whoever reads it is done."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._source.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _check_text(source: BinaryIO) -> int:
    """Refuse what is no text in UTF-8, telling the line; return how many quotes it has.

    Raises:
        Invalid: it is not, or is empty.
    """
    decoder, lines, size, quotes = codecs.getincrementaldecoder("utf-8")(), 1, 0, 0
    source.seek(0)
    piece = b" "
    while piece:
        piece = source.read(BLOCK)
        wrong = piece.find(b"\0")
        try:
            decoder.decode(piece if wrong < 0 else b"", final=not piece)
        except UnicodeDecodeError as exc:
            held = len(exc.object) - len(piece)  # of the piece before
            wrong = max(0, exc.start - held)
        if wrong >= 0:
            raise bad_table("is not text in UTF-8", line=lines + piece.count(b"\n", 0, wrong))
        lines += piece.count(b"\n")
        quotes += piece.count(b'"')
        size += len(piece)
    if not size:
        raise bad_table("is empty", code="too_short")
    return quotes


def _fits(column: Any, type: Any) -> bool:
    if type is INTEGER or type is REAL:
        pattern = _ZERO if type is INTEGER else _CODE
        if pc.any(pc.match_substring_regex(column, pattern)).as_py():
            return False
    try:
        _converted(column, type)
    except (pa.ArrowInvalid, Unfit):
        return False
    return True


def _converted(column: Any, type: Any) -> Any:
    """Return texts as values of ``type``; times cut to the millisecond.

    Raises:
        ArrowInvalid: one is none.
        Unfit: it is out of range.
    """
    if type is TEXT:
        return column
    values = column.cast(type)
    if type is REAL:
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, REAL))
    if type in (_LOCAL, _ZONED):
        floored = pc.floor_temporal(values, unit="millisecond")
        return in_range(floored.cast(TIME, safe=False))
    return values
