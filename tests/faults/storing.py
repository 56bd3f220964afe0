"""What processes of tests/faults/test_uploads.py do at the same time: store files and drop them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from sqlalchemy.orm import Session

from config import Config
from services import deletion
from services.actor import Actor
from services.files import FileService
from services.storage import Missing, Storage, storage_of
from services.transaction import transact
from services.uploads import Form, Incoming, Spool, keep
from tests import databases

#: Bytes of each file of ``fill``.
SIZE = 1_000
_CONTENT = b"The same, whoever has it." * 4_000


def come_and_go(config: Config, user_id: int, times: int) -> int:
    """Upload one content, read it, and purge the file, again and again; keep the last file.

    Returns: how often the content was not there, or another one.
    """
    damaged = 0
    with _working(config) as (session, storage):
        for number in range(times):
            (kept,) = _upload(config, session, storage, user_id, [_CONTENT])
            damaged += not _is_whole(storage, kept.row.sha256)
            if number < times - 1:
                _purge(config, session, user_id, kept.row.id)
        damaged += not _is_whole(storage, kept.row.sha256)
    return damaged


def fill(config: Config, user_id: int, times: int) -> int:
    """Upload different contents; return how many were stored."""
    with _working(config) as (session, storage):
        each = [os.urandom(SIZE) for _ in range(times)]
        tried = [_upload(config, session, storage, user_id, [one])[0] for one in each[:-2]]
        tried += _upload(config, session, storage, user_id, each[-2:])
    assert all(file.row or (file.problem and "left" in file.problem.extra) for file in tried)
    return sum(file.row is not None for file in tried)


@contextmanager
def _working(config: Config) -> Iterator[tuple[Session, Storage]]:
    engine = databases.connect(config.DATABASE_URL)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session, storage_of(config)
    engine.dispose()


def _upload(
    config: Config, session: Session, storage: Storage, user_id: int, each: list[bytes]
) -> list[Incoming]:
    spool = Spool(storage.draft)
    files = [Incoming("a.txt", spool.add(BytesIO(content))) for content in each]
    actor = Actor(user_id, "author")
    form = Form(spool, files)
    keep(form, session, lambda session: FileService(session, actor, config), storage)
    spool.close()
    return files


def _purge(config: Config, session: Session, user_id: int, id: int) -> None:
    service = FileService(session, Actor(user_id, "author"), config)
    transact(session, lambda: service.delete(id))
    transact(session, lambda: deletion.purge(service, [id]))


def _is_whole(storage: Storage, sha256: str) -> bool:
    try:
        return hashlib.sha256(b"".join(storage.open(sha256))).hexdigest() == sha256
    except Missing:
        return False
