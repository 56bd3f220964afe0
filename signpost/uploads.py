"""Contents of one's own: received by a form, stored like those of files, read at any place.

A row has one by a foreign key to ``contents.sha256`` that says ``RESTRICT``, and lets it go in its
service's ``purging``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, TypeVar, cast

from flask import request
from sqlalchemy.orm import Session

from api import gate, stalled
from api.multipart import received
from config import Config
from services import uploads
from services.storage import Missing, storage_of
from services.storage.checked import Damaged, contents_of
from services.storage.seekable import Seekable
from services.uploads import Form, Part, Spool

__all__ = [
    "Damaged",
    "Form",
    "Missing",
    "Part",
    "Spool",
    "let_go",
    "opened",
    "received",
    "store",
    "waiting",
    "working",
]

T = TypeVar("T")


def working() -> AbstractContextManager[None]:
    """Take one of the service's places for work on an upload, which holds none while it comes."""
    return gate.place(request.environ)


@contextmanager
def waiting() -> Iterator[None]:
    """Keep the connection of an upload that has come as a whole while it is worked on."""
    with stalled.storing(request.environ.get("REMOTE_ADDR", "")):
        yield


def store(config: Config, session: Session, spool: Spool, part: Part, make: Callable[[], T]) -> T:
    """Store a part of an upload; ``make`` stores the row that refers to ``part.sha256``.

    Returns: what ``make`` did, in one transaction with what makes the content stay.
    """
    return uploads.store(spool, part, session, storage_of(config), make, working)


def let_go(config: Config, session: Session, contents: list[str]) -> None:
    """Drop contents after the commit, as far as nothing else refers to them."""
    uploads.let_go(session, storage_of(config), contents)


def opened(config: Config, sha256: str, size: int) -> BinaryIO:
    """Return a content to be read at any place.

    Raises:
        Missing: there is none; perhaps it was purged just now.
        Damaged: it is another one than was stored; logged.
    """
    contents_of(config).check(sha256, size)
    return cast(BinaryIO, Seekable(storage_of(config), sha256, size))
