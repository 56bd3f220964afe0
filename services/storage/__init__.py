"""Where the bytes of files live: a folder (folder.py) or an S3-compatible store (s3.py).

It knows keys and bytes. Whose file something is, and what it is called, is in the database:
services/files.py.
"""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple, Protocol

from config import Config
from services.storage.pieces import CHUNK, Pieces
from services.storage.process import once_a_process

__all__ = ["CHUNK", "Missing", "Pieces", "Stat", "Storage", "storage_of", "valid"]

#: A content by its SHA-256, or a thumbnail of one. Nothing that a client chose.
_KEY = re.compile(r"[0-9a-f]{64}(-[0-9]{1,5}\.webp)?", re.ASCII)


class Missing(LookupError):
    """There is nothing under this key."""


class Stat(NamedTuple):
    """What a storage knows of an object without reading it."""

    size: int
    """Bytes."""
    mark: str
    """Another one when the object was written again."""


class Storage(Protocol):
    """What keeps bytes under keys.

    Raises:
        Unavailable: from every method, if the store does not answer.
        OutOfStorage: from ``put``, if it is full.
    """

    def draft(self) -> BinaryIO:
        """Return a new, empty file without a name, to gather in what is to be ``put``.

        It is gone when it is closed. What was written into it and wound back to its
        start is stored without being copied, where that can be done.
        """

    def put(self, key: str, source: BinaryIO, size: int) -> None:
        """Store ``size`` bytes of ``source``, from where it stands: whole or not at all, durably.

        What was there under the key is replaced. Raises ValueError if ``source`` is shorter.
        """

    def open(self, key: str, start: int = 0, end: int | None = None) -> Pieces:
        """Return the bytes from ``start`` up to, not including, ``end``; to be closed.

        Raises:
            Missing: there are none.
        """

    def stat(self, key: str) -> Stat | None:
        """Return how large an object is; None if there is none."""

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""

    def url(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        """Return where clients can download an object for some time, under a name; None: nowhere.

        Args:
            name: the value of Content-Disposition.
        """

    def check(self) -> str | None:
        """Return what is wrong with it, for its operator; None if it can be written and read."""


def valid(key: str) -> str:
    """Return ``key``.

    Raises:
        ValueError: it is none of ours, and might lead anywhere.
    """
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of the storage")
    return key


@once_a_process
def storage_of(config: Config) -> Storage:
    """Return the storage of these settings, one for each process."""
    if config.S3_BUCKET:
        from services.storage.s3 import S3Storage  # boto3 takes 27 MB and 0.4 s

        return S3Storage(config)
    from services.storage.folder import FolderStorage

    return FolderStorage(config.files)
