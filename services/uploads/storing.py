"""A part of an upload becomes a content that a row refers to, whatever the row is of.

Files are made of parts by ``services.uploads.keep``; extensions store theirs by ``store``, in rows
with a foreign key to ``contents.sha256`` that says ``RESTRICT``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from services import contents
from services.storage import Storage
from services.transaction import after_commit, transact
from services.uploads.spool import Part, Spool

T = TypeVar("T")


def store(
    spool: Spool,
    part: Part,
    session: Session,
    storage: Storage,
    make: Callable[[], T],
    place: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> T:
    """Store a part, and run ``make`` in the transaction from which on it is needed.

    Args:
        make: stores a row that refers to ``part.sha256``.
        place: held while there is work for the database, and not while a storage is written to.

    Returns: what ``make`` did.

    Raises:
        ServiceError: nothing was stored.
    """
    sizes = {part.sha256: part.size}

    def work() -> T:
        contents.confirm(session, held)
        return make()

    with place():
        held = transact(session, partial(contents.hold, session, sizes))
    try:
        put(spool, part, storage, held)
        with place():
            return transact(session, work)
    except BaseException:
        contents.abandon(session, storage, held, sizes)
        raise


def put(spool: Spool, part: Part, storage: Storage, held: contents.Held) -> None:
    """Give a storage what it does not have, though its row may say so after a restore."""
    there = None if part.sha256 in held.wanted else storage.stat(part.sha256)
    if there is None or there.size != part.size:
        with spool.opened(part) as source:
            storage.put(part.sha256, source, part.size)


def let_go(session: Session, storage: Storage, found: Collection[str]) -> None:
    """Drop contents after the commit, as far as nothing else refers to them."""
    contents.let_go(session, found)
    after_commit(session, lambda: contents.drop_quietly(session, storage, found))
