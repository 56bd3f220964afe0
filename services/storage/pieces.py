"""The bytes of an object as they are read: some at a time, and closed by whoever asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

#: Bytes that are read at once.
CHUNK = 2**16


class Pieces(Iterator[bytes]):
    """Some bytes of an open source, in pieces of up to ``CHUNK``; closes it at the end.

    Args:
        read: returns up to so many bytes; nothing at the end.
        close: called once, whether everything was read or not.
        left: bytes that are wanted.
    """

    def __init__(
        self, read: Callable[[int], bytes], close: Callable[[], object], left: int
    ) -> None:
        self._read, self._close, self._left = read, close, left
        self._is_open = True

    def __next__(self) -> bytes:
        piece = self._read(min(CHUNK, self._left)) if self._is_open and self._left else b""
        if not piece:
            self.close()
            raise StopIteration
        self._left -= len(piece)
        return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the source go; again without effect."""
        if self._is_open:
            self._is_open = False
            self._close()

    def __del__(self) -> None:
        self.close()
