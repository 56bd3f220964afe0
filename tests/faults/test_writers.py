"""Many processes write the same: no update is lost, nobody waits long or for ever."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Post, User
from services import transaction
from services.errors import Unavailable
from services.queue import NoTurn
from services.transaction import transact
from tests.factories import make_post
from tests.processes import together
from tests.services import writers

PROCESSES, TIMES = 8, 25


@contextmanager
def _busy(engine: sa.Engine, post_id: int) -> Iterator[None]:
    """Be another process that is in the middle of a long write."""
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.queue").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        with engine.begin() as connection:
            connection.execute(sa.select(Post.id).where(Post.id == post_id).with_for_update())
            yield


class TestUpdates:
    def test_none_is_lost_and_the_longest_wait_is_short(
        self, session: Session, ada: User, database_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        post = make_post(session, ada, title="0")
        each = [(database_url, post.id, TIMES) for _ in range(PROCESSES)]

        waits = together(writers.count_up, each)

        session.refresh(post)
        assert int(post.title) == PROCESSES * TIMES
        assert post.version == PROCESSES * TIMES + 1
        with capsys.disabled():
            sys.stdout.write(f" longest wait of {PROCESSES} writers: {max(waits):.2f} s ")
        assert max(waits) < transaction.QUEUE_TIMEOUT

    def test_of_several_with_the_same_version_one_wins(
        self, session: Session, ada: User, database_url: str
    ) -> None:
        post = make_post(session, ada)
        names = [f"Title {number}" for number in range(PROCESSES)]

        won = together(writers.change_version_1, [(database_url, post.id, name) for name in names])

        session.refresh(post)
        assert won.count(True) == 1
        assert post.title == names[won.index(True)]
        assert post.version == 2


class TestWaiting:
    def test_for_too_long_is_refused_and_changes_nothing(
        self, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(session, ada, title="0")
        engine = session.get_bind()
        assert isinstance(engine, sa.Engine)
        monkeypatch.setattr(transaction, "QUEUE_TIMEOUT", 0.05)
        with _busy(engine, post.id), pytest.raises(Unavailable) as caught:
            transact(session, lambda: writers.count_once(session, post.id))

        assert caught.value.retry_after == 1
        session.refresh(post)
        assert post.title == "0"
        session.rollback()

        transact(session, lambda: writers.count_once(session, post.id))  # now it is free
        session.refresh(post)
        assert post.title == "1"

    def test_on_a_lock_that_cannot_be_opened_is_refused(self, tmp_path: Path) -> None:
        engine = sa.create_engine(f"sqlite:///{tmp_path}/x.sqlite")
        (tmp_path / "x.sqlite.queue").mkdir()

        with Session(engine) as session, pytest.raises(Unavailable) as caught:
            transact(session, lambda: None)

        assert isinstance(caught.value.__cause__, NoTurn)
