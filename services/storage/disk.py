"""What errors of the file system mean to whoever stores something."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from services.errors import OutOfStorage, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(exc: OSError) -> bool:
    """Whether there is no room left, or not for a file as large as this."""
    return exc.errno in _FULL


@contextmanager
def explained(message: str) -> Iterator[None]:
    """Say what an error of the file system means; ``message`` is for all but a full disk.

    Raises:
        OutOfStorage: it is full.
        Unavailable: whatever else.
    """
    try:
        yield
    except OSError as exc:
        if is_full(exc):
            raise OutOfStorage() from exc
        raise Unavailable(message, retry_after=1) from exc
