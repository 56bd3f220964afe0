"""Where the parts of one upload wait until they are stored: a file without a name.

A process that is killed leaves nothing: the system frees the file as soon as nobody has it open.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, cast

from services.storage.disk import explained

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 2**18
#: Bytes of a disk that uploads leave free, a tenth of a small one: on what is full to the last byte
#: nothing can be deleted either, for the database may be there, too.
RESERVE = 64 * 1024 * 1024
#: Bytes after which is asked again how much there is.
_STEP = 4 * 1024 * 1024
_UNUSABLE = "Uploads cannot be received now; try again."


class Spool:
    """One open file with the parts of an upload, one after the other.

    Args:
        draft: makes a file without a name.

    Raises:
        OutOfStorage: from every method that writes, if the disk is full.
        Unavailable: it cannot be written.
    """

    def __init__(self, draft: Callable[[], BinaryIO]) -> None:
        self._draft = draft
        self._file = draft()
        self._end = 0

    def part(self) -> Part:
        """Begin a new part at the end; the one before is complete."""
        return Part(self._file.fileno(), self._end)

    def end(self, part: Part) -> None:
        """Complete a part: the next one begins behind it."""
        self._end = part.start + part.size

    def forget(self, part: Part) -> None:
        """Give back the room of a part that is not complete."""
        with explained(_UNUSABLE):
            self._file.truncate(part.start)

    def add(self, source: BinaryIO) -> Part:
        """Return a new part with all that ``source`` has from where it stands."""
        part = self.part()
        while piece := source.read(_CHUNK):
            part.write(piece)
        self.end(part)
        return part

    @contextmanager
    def copied(self, part: Part) -> Iterator[BinaryIO]:
        """Give a part as a file of its own."""
        with self.scratch() as file, explained(_UNUSABLE):
            with part.opened() as source:
                shutil.copyfileobj(source, file, _CHUNK)
            file.seek(0)
            yield file

    @contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Give an empty file that is gone afterwards."""
        with self._draft() as file:
            yield file

    @contextmanager
    def opened(self, part: Part) -> Iterator[BinaryIO]:
        """Give a part to be stored: if there is no other, the file itself, which can be renamed."""
        if os.fstat(self._file.fileno()).st_size == part.size:
            self._file.seek(0)
            yield self._file
        else:
            with part.opened() as file:
                yield file

    def close(self) -> None:
        """Let everything go that has not been stored."""
        with suppress(OSError):  # nothing in it is wanted any more
            self._file.close()


class Part:
    """Some bytes of a spool, hashed as they are written."""

    def __init__(self, descriptor: int, start: int) -> None:
        self.start, self.size, self._checked = start, 0, -_STEP
        self._descriptor = descriptor
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        """Add bytes at the end."""
        self._hash.update(piece)
        view = memoryview(piece)
        with explained(_UNUSABLE):
            if self.size - self._checked >= _STEP:
                self._checked = self.size
                _check_room(self._descriptor)
            while view:
                written = os.pwrite(self._descriptor, view, self.start + self.size)
                self.size += written
                view = view[written:]

    @property
    def sha256(self) -> str:
        """Hexadecimal, of all bytes so far."""
        return self._hash.hexdigest()

    def opened(self) -> BinaryIO:
        """Return the bytes to be read; parts can be read at the same time."""
        return cast(BinaryIO, io.BufferedReader(_Window(self._descriptor, self), _CHUNK))


class _Window(io.RawIOBase):
    def __init__(self, descriptor: int, part: Part) -> None:
        self._descriptor, self._part, self._at = descriptor, part, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._part.size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), max(0, self._part.size - self._at))
        piece = os.pread(self._descriptor, wanted, self._part.start + self._at)
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _check_room(descriptor: int) -> None:
    disk = os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < min(RESERVE, disk.f_blocks * disk.f_frsize // 10):
        raise OSError(errno.ENOSPC, "what is left is kept free")
