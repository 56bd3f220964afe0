"""A content as a file that can be read at any place, part by part as it is asked for."""

from __future__ import annotations

import io
import os

from services.storage import Storage


class Seekable(io.RawIOBase):
    """The bytes under a key; nothing is held between two reads.

    Raises:
        Missing: from reads, if there are none.
    """

    def __init__(self, storage: Storage, key: str, size: int) -> None:
        self._storage, self._key, self._size, self._at = storage, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer``, but at the end."""
        view = memoryview(buffer)
        end = min(self._size, self._at + len(view))
        if end <= self._at:
            return 0
        filled = 0
        with self._storage.open(self._key, self._at, end) as pieces:
            for piece in pieces:
                view[filled : filled + len(piece)] = piece
                filled += len(piece)
        self._at += filled
        return filled
