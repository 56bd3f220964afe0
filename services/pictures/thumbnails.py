"""Thumbnails: made when they are first asked for, then kept beside the content they are of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from cachetools import LRUCache

from config import Config
from services.errors import NotFound, OutOfStorage, Unavailable
from services.pictures.decoding import thumbnail
from services.pictures.faults import BrokenPicture
from services.storage import Missing, Storage, storage_of
from services.storage.checked import Checked, contents_of
from services.storage.process import once_a_process

#: Pixels. Others would be as many objects in the storage as somebody likes.
WIDTHS = (64, 128, 256, 512, 1024)
#: Named in ETags: another one if thumbnails of the same picture come out otherwise.
EDITION = 1
#: Bytes of a content that is decoded from memory; larger ones go through a file.
_IN_MEMORY = 1 << 22
#: Seconds to wait for another request that makes the same one.
_PATIENCE = 3.0
_STRIPES = 64
#: Contents of which a process remembers that there is no thumbnail.
_REMEMBERED = 10_000


class Thumbnails:
    """The thumbnails in a storage, by the SHA-256 of their picture and their width."""

    def __init__(self, storage: Storage, contents: Checked) -> None:
        self._storage, self._contents = storage, contents
        self._locks = [threading.Lock() for _ in range(_STRIPES)]
        self._broken: LRUCache[str, bool] = LRUCache(_REMEMBERED)

    def get(self, sha256: str, size: int, width: int, is_stored: Callable[[], bool]) -> bytes:
        """Return a thumbnail as WebP; of requests at the same time one makes it.

        Args:
            size: bytes of the picture.
            is_stored: whether the picture is wanted still, asked once its thumbnail is kept.

        Raises:
            NotFound: the picture can't be decoded, or only in more memory than there is.
            Missing, Damaged: the picture isn't there, or is another one.
            Unavailable: too many others are being made.
        """
        key = key_of(sha256, width)
        try:
            return self._read(key)
        except Missing:
            with self._one_at_a_time(sha256):
                return self._made(key, sha256, size, width, is_stored)

    def _made(
        self, key: str, sha256: str, size: int, width: int, is_stored: Callable[[], bool]
    ) -> bytes:
        try:
            return self._read(key)  # by the request before
        except Missing:
            small = self._make(sha256, size, width)
        try:
            self._storage.put(key, BytesIO(small), len(small))
        except OutOfStorage:
            return small  # reads go on
        if not is_stored():  # whoever dropped the picture may have looked for this before
            self._storage.delete(key)
        return small

    def _make(self, sha256: str, size: int, width: int) -> bytes:
        if sha256 in self._broken:
            raise _none()
        with BytesIO() if size <= _IN_MEMORY else self._storage.draft() as copy:
            self._copy(sha256, size, copy)
            try:
                return thumbnail(copy, width)
            except BrokenPicture as exc:
                self._broken[sha256] = True
                raise _none() from exc

    def _copy(self, sha256: str, size: int, copy: BinaryIO) -> None:
        pieces = self._contents.open(sha256, size)
        try:
            for piece in pieces:
                copy.write(piece)
        finally:
            pieces.close()
        copy.seek(0)

    def _read(self, key: str) -> bytes:
        with self._storage.open(key) as pieces:
            return b"".join(pieces)

    @contextmanager
    def _one_at_a_time(self, sha256: str) -> Iterator[None]:
        lock = self._locks[int(sha256[:8], 16) % _STRIPES]
        if not lock.acquire(timeout=_PATIENCE):
            raise Unavailable("This thumbnail is being made; try again.", retry_after=1)
        try:
            yield
        finally:
            lock.release()


def key_of(sha256: str, width: int) -> str:
    """Return the key of a thumbnail in the storage."""
    return f"{sha256}-{width}.webp"


def drop(storage: Storage, sha256: str) -> None:
    """Remove all thumbnails of a picture that is about to be removed."""
    for width in WIDTHS:
        storage.delete(key_of(sha256, width))


@once_a_process
def thumbnails_of(config: Config) -> Thumbnails:
    """Return the thumbnails that these settings name, one for each process."""
    return Thumbnails(storage_of(config), contents_of(config))


def _none() -> NotFound:
    return NotFound("There is no thumbnail of this file.")
