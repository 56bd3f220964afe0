"""Contents of rows that are no files: kept while any table needs them, read at any place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Content, ContentHold
from services import contents
from services.errors import Conflict
from services.storage import Missing
from services.storage.folder import FolderStorage
from services.storage.seekable import Seekable
from services.transaction import transact
from services.uploads import Spool, let_go, store

CONTENT = bytes(range(256)) * 1_000
KEY = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    """A storage without anything."""
    return FolderStorage(tmp_path)


@pytest.fixture
def foreign(engine: sa.Engine, session: Session) -> Iterator[sa.Table]:
    """A table of an extension that is not installed any more."""
    table = sa.Table("gone_things", sa.MetaData(), sa.Column("sha256", sa.Text))
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE gone_things (sha256 TEXT PRIMARY KEY"
                " REFERENCES contents (sha256) ON DELETE RESTRICT)"
            )
        )
    yield table
    session.rollback()
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE gone_things"))


def stored(session: Session, storage: FolderStorage, table: sa.Table) -> None:
    """Store the content for a row of a table."""
    with closing(Spool(storage.draft)) as spool:
        part = spool.add(BytesIO(CONTENT))
        row = sa.insert(table).values(sha256=part.sha256)
        store(spool, part, session, storage, lambda: session.execute(row))


class TestStore:
    def test_keeps_a_content_until_its_row_lets_it_go(
        self, session: Session, storage: FolderStorage, foreign: sa.Table
    ) -> None:
        # when
        stored(session, storage, foreign)
        # then
        assert storage.stat(KEY) is not None
        assert contents.is_stored(session, KEY)
        session.rollback()

        # when
        def purge() -> None:
            session.execute(sa.delete(foreign))
            let_go(session, storage, [KEY])

        transact(session, purge)
        # then
        assert storage.stat(KEY) is None
        assert session.scalar(sa.select(sa.func.count()).select_from(Content)) == 0

    def test_without_its_row_leaves_nothing(
        self, session: Session, storage: FolderStorage, foreign: sa.Table
    ) -> None:
        # given
        def fail() -> None:
            raise Conflict()

        # when
        with closing(Spool(storage.draft)) as spool, pytest.raises(Conflict):
            store(spool, spool.add(BytesIO(CONTENT)), session, storage, fail)
        # then
        assert storage.stat(KEY) is None
        assert session.scalar(sa.select(sa.func.count()).select_from(Content)) == 0

    def test_is_safe_from_those_who_do_not_know_the_table(
        self, session: Session, storage: FolderStorage, foreign: sa.Table
    ) -> None:
        # given
        stored(session, storage, foreign)
        # when
        transact(session, lambda: contents.let_go(session, [KEY]))
        dropped = contents.sweep(session, lambda: storage)
        # then
        assert dropped == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(ContentHold)) == 0
        assert storage.stat(KEY) is not None
        assert contents.is_stored(session, KEY)


class TestSeekable:
    def test_reads_at_any_place(self, storage: FolderStorage) -> None:
        # given
        storage.put(KEY, BytesIO(CONTENT), len(CONTENT))
        file = Seekable(storage, KEY, len(CONTENT))
        # then
        assert file.read(5) == CONTENT[:5]
        assert file.seek(-7, os.SEEK_END) == len(CONTENT) - 7
        assert file.read() == CONTENT[-7:]
        assert file.read(1) == b""
        assert file.seek(1_000) == 1_000
        assert file.seek(10, os.SEEK_CUR) == 1_010
        assert file.read(100_000) == CONTENT[1_010:101_010]
        assert file.tell() == 101_010

    def test_of_nothing_says_so(self, storage: FolderStorage) -> None:
        with pytest.raises(Missing):
            Seekable(storage, KEY, 10).read(1)
