"""Bytes in files of a folder, spread over 65,536 folders in it by the start of their keys."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from services.storage import Missing, Stat, valid
from services.storage.disk import explained, is_full
from services.storage.pieces import CHUNK, Pieces

_UNUSABLE = "The storage cannot be used; try again."
#: What a file is called that has to have a name before it is whole; never a key.
_DRAFT = ".draft-"
#: Seconds after which nobody writes a draft any more.
_ABANDONED = 3600
#: Opens a file without a name, which is gone with its process; Linux only, on most file systems.
_NAMELESS = getattr(os, "O_TMPFILE", None)


class FolderStorage:
    """A storage in a folder of this machine.

    A file is written without a name and gets one when it is whole and on the disk: nobody sees half
    of one, and a crash leaves nothing behind. Where files need names, it is renamed in the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._swept_at = 0.0
        self._sweep()

    def draft(self) -> BinaryIO:
        with explained(_UNUSABLE):
            self._make(self._folder)
            return _nameless(self._folder) or tempfile.TemporaryFile()

    def put(self, key: str, source: BinaryIO, size: int) -> None:
        self._sweep()
        path = self._path(key)
        with explained(_UNUSABLE):
            self._make(path.parent)
            if not self._is_draft(source, size):
                with self.draft() as draft:
                    _copy(source, draft, size)
                    self._name(draft, path)
            else:
                self._name(source, path)

    def open(self, key: str, start: int = 0, end: int | None = None) -> Pieces:
        with explained(_UNUSABLE):
            try:
                file = self._path(key).open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError) as exc:
                raise Missing(key) from exc
            size = os.fstat(file.fileno()).st_size
            file.seek(start)
        stop = size if end is None else min(end, size)
        return Pieces(file.read, file.close, max(0, stop - start))

    def stat(self, key: str) -> Stat | None:
        with explained(_UNUSABLE):
            try:
                found = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stat(found.st_size, f"{found.st_ino}-{found.st_mtime_ns}-{found.st_ctime_ns}")

    def delete(self, key: str) -> None:
        path = self._path(key)
        with explained(_UNUSABLE):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            _sync(path.parent)

    def url(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        return None

    def check(self) -> str | None:
        probe = self._folder / f"{_DRAFT}{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe.touch(exist_ok=False)
            probe.unlink()
        except OSError as exc:
            return f"{self._folder} cannot be written: {exc.strerror}"
        return None

    def _path(self, key: str) -> Path:
        return self._folder / valid(key)[:2] / key[2:4] / key

    def _is_draft(self, source: BinaryIO, size: int) -> bool:
        """Whether ``source`` is a nameless file here that holds these bytes and no others."""
        try:
            source.flush()
            found = os.fstat(source.fileno())
        except (OSError, AttributeError):  # it is in memory
            return False
        return (
            found.st_nlink == 0
            and found.st_size == size
            and found.st_dev == self._folder.stat().st_dev
            and source.tell() == 0
        )

    def _name(self, file: BinaryIO, path: Path) -> None:
        """Give a nameless file, all of it written, its place; what has that name is replaced."""
        file.flush()
        os.fsync(file.fileno())
        draft = self._folder / f"{_DRAFT}{secrets.token_hex(8)}"
        try:
            self._link(file, draft)
            draft.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                draft.unlink(missing_ok=True)
            raise
        _sync(path.parent)

    def _link(self, file: BinaryIO, path: Path) -> None:
        """Give a nameless file a name, or make a copy where that cannot be done."""
        with _folder(path.parent) as folder:
            try:
                os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder)
                return
            except OSError as exc:
                if is_full(exc):
                    raise
        file.seek(0)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb", 0) as copy:
            _copy(file, copy, os.fstat(file.fileno()).st_size)
            os.fsync(copy.fileno())

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it; each entry is as durable as what it leads to."""
        if folder.is_dir():
            return
        self._make(folder.parent)
        with suppress(FileExistsError):  # another process was first
            folder.mkdir(mode=0o700)
        _sync(folder.parent)

    def _sweep(self) -> None:
        """Remove drafts that a crash left behind; one that cannot be removed harms nobody.

        Looks for them once an hour at most.
        """
        if 0 <= (now := time.time()) - self._swept_at < _ABANDONED:
            return
        self._swept_at = now
        with suppress(OSError):
            for path in self._folder.glob(f"{_DRAFT}*"):
                if path.stat().st_mtime < now - _ABANDONED:
                    path.unlink(missing_ok=True)


def _nameless(folder: Path) -> BinaryIO | None:
    """Return a new file without a name; None where there are none."""
    if _NAMELESS is None:
        return None
    try:
        return os.fdopen(os.open(folder, _NAMELESS | os.O_RDWR, 0o600), "w+b")
    except OSError as exc:
        if exc.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT}:
            return None
        raise


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    """Write exactly ``size`` bytes.

    Raises:
        ValueError: ``source`` has fewer.
    """
    left = size
    while left and (piece := source.read(min(CHUNK, left))):
        view = memoryview(piece)
        while view:  # a nearly full disk takes a part
            view = view[target.write(view) :]
        left -= len(piece)
    if left:
        raise ValueError(f"{left} of {size} bytes are missing")


def _sync(folder: Path) -> None:
    """Make a folder's entries durable."""
    with _folder(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
