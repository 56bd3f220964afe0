"""Files of JSON Lines: read a line at a time, compressed or not, however long a line is."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import click

from api.decoding import decode
from api.problems import MalformedBody
from services.errors import Fault
from services.transfer import Line

#: Bytes of one line; a post's body of 100,000 characters has up to 1.2 MB, if all is escaped.
MAX_LINE = 2 * 1024 * 1024
_SKIP = 64 * 1024
_GZIP = b"\x1f\x8b"

#: Told how many bytes were read since it was last told.
Progress = Callable[[int], object]


def lines_of(files: Iterable[str], note: Progress) -> Iterator[Line]:
    """Yield the lines of all files in order; ``-`` is standard input."""
    for name in files:
        with click.open_file(name, "rb") as file:
            yield from read_lines(cast(IO[bytes], file), name, note)


def read_lines(
    file: IO[bytes], source: str, note: Progress = lambda _bytes: None
) -> Iterator[Line]:
    """Yield the lines of a file, compressed or not, each decoded or with what is wrong with it.

    Of a line that is too long no more than ``MAX_LINE`` bytes are ever in memory.
    """
    counted = _Counted(file, note)
    stream: Any = io.BufferedReader(counted, _SKIP)
    if stream.peek(2)[:2] == _GZIP:
        stream = gzip.GzipFile(fileobj=stream, mode="rb")
    number = 0
    try:
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
                _skip(stream)
            if len(raw) > MAX_LINE:
                message = f"A line may have up to {MAX_LINE:,} bytes."
                yield Line(number, source, Fault("", "too-large", message))
            elif not raw.isspace():
                yield Line(number, source, _record(raw))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        message = "The compressed file ends or breaks off here."
        yield Line(number + 1, source, Fault("", "cut", message))


@contextmanager
def progress(files: Iterable[str]) -> Iterator[Progress]:
    """Show on a terminal how many bytes of the files were read."""
    if not sys.stderr.isatty() or "-" in files:
        yield lambda _bytes: None
        return
    total = sum(Path(name).stat().st_size for name in files)
    with click.progressbar(length=total, label="Import", file=sys.stderr) as bar:
        yield bar.update


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], note: Progress) -> None:
        self._file, self._note = file, note

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._note(len(data))
        return len(data)


def _skip(stream: IO[bytes]) -> None:
    """Read to the end of a line."""
    while (raw := stream.readline(_SKIP)) and not raw.endswith(b"\n"):
        pass


def _record(raw: bytes) -> dict[str, Any] | Fault:
    try:
        record = decode(raw)
    except MalformedBody as exc:
        return Fault("", exc.public_code, exc.public_message.replace("The body", "The line"))
    return record if isinstance(record, dict) else Fault("", "type", "Must be an object.")
