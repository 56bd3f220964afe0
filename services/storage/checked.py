"""Contents as they were uploaded, or not at all: what changed on the disk is told, not served.

How often the bytes are compared with their SHA-256:

- up to ``SMALL`` bytes: each time, in memory;
- up to ``LARGE``: before the first of them is sent, again after ``FRESH`` seconds or if the storage
  says that they were written anew;
- larger ones while they are sent as a whole: the end is held back unless all was right. Of a range
  of such a content only the length is compared.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import structlog
from cachetools import TTLCache

from config import Config
from services.errors import ServiceError
from services.storage import Missing, Pieces, Storage, storage_of
from services.storage.process import once_a_process

#: Bytes of a content; see above.
SMALL, LARGE = 2**17, 2**24
#: Seconds that a comparison is good for, and how many a process remembers.
FRESH, _REMEMBERED = 600, 10_000


class Damaged(ServiceError):
    """What is stored is not what was uploaded; logged."""

    message = "The stored content is damaged; the operator has been told."


class Checked:
    """The contents in a storage, by their SHA-256 and size."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._right: TTLCache[str, str] = TTLCache(_REMEMBERED, FRESH)
        self._lock = threading.Lock()

    def read(self, sha256: str, size: int) -> bytes:
        """Return a content of at most ``SMALL`` bytes.

        Raises:
            Missing: there is none.
            Damaged: it is another one.
        """
        with self._storage.open(sha256, 0, size + 1) as pieces:
            content = b"".join(pieces)
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            raise _damaged(sha256)
        return content

    def open(
        self, sha256: str, size: int, start: int = 0, end: int | None = None
    ) -> Pieces | Hashed:
        """Return bytes of a content, to be closed. Raises as ``read``."""
        self.check(sha256, size)
        is_whole = start == 0 and end in (None, size)
        pieces = self._storage.open(sha256, start, end)
        return Hashed(pieces, sha256) if size > LARGE and is_whole else pieces

    def check(self, sha256: str, size: int) -> None:
        """Compare what can be compared before a byte is sent. Raises as ``read``."""
        found = self.stat(sha256, size)
        with self._lock:
            is_known = self._right.get(sha256) == found
        if not is_known and size <= LARGE:
            with self._storage.open(sha256) as pieces:
                for _ in Hashed(pieces, sha256):
                    pass
            with self._lock:
                self._right[sha256] = found

    def stat(self, sha256: str, size: int) -> str:
        """Compare the length alone; return the storage's mark. Raises as ``read``."""
        found = self._storage.stat(sha256)
        if found is None:
            raise Missing(sha256)
        if found.size != size:
            raise _damaged(sha256)
        return found.mark


class Hashed:
    """The pieces of a whole content; the last is given only if all of them are right.

    Raises:
        Damaged: instead of the last piece.
    """

    def __init__(self, pieces: Pieces, sha256: str) -> None:
        self._pieces, self._sha256 = pieces, sha256
        self._given = self._checked()

    def __iter__(self) -> Iterator[bytes]:
        return self._given

    def close(self) -> None:
        """Let the source go."""
        self._pieces.close()

    def _checked(self) -> Iterator[bytes]:
        hash, held = hashlib.sha256(), b""
        for piece in self._pieces:
            if held:
                yield held
            held = piece
            hash.update(piece)
        if hash.hexdigest() != self._sha256:
            raise _damaged(self._sha256)
        yield held


@once_a_process
def contents_of(config: Config) -> Checked:
    """Return the contents that these settings name, one for each process."""
    return Checked(storage_of(config))


def _damaged(sha256: str) -> Damaged:
    structlog.get_logger("signpost").error("damaged", sha256=sha256)
    return Damaged()
