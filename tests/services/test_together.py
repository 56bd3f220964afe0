"""Transactions of several threads that SQLite stores as one: each is whole, alone and told.

PostgreSQL has no such thing; what holds there is in test_log.py and test_feed_races.py.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import POST_WORDS, Change, Post, User
from services import queue, schema
from services.actor import Actor
from services.errors import Conflict, OutOfStorage, ServiceError, Unavailable
from services.hooks import hooks
from services.posts import PostService
from services.transaction import Sharing, after_commit, transact
from tests import databases

_THREADS = 12

Write = Callable[[Session], Any]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database of SQLite's, of the test's own."""
    engine = databases.connect(f"sqlite:///{tmp_path}/together.sqlite")
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def author(ada: User) -> Actor:
    return Actor(ada.id, "author")


def _create(author: Actor, **data: Any) -> Write:
    prepared = PostService.prepare({"title": "T", "body": "wordless", "status": "draft", **data})
    return lambda session: PostService(session, author).create(prepared)


def _transact(engine: sa.Engine, write: Write) -> Any:
    with Sharing(engine, expire_on_commit=False, autoflush=False) as session:
        return transact(session, lambda: write(session))


@contextmanager
def _held_up(engine: sa.Engine, writes: list[Write]) -> Iterator[list[Future[Any]]]:
    """Have all of them begin while another one takes its time."""
    begun, go = Event(), Event()

    def hold(_session: Session) -> None:
        begun.set()
        assert go.wait(10)

    path = f"{engine.url.database}.queue"
    with ThreadPoolExecutor(len(writes) + 1) as pool:
        slow = pool.submit(_transact, engine, hold)
        assert begun.wait(10)
        asked = [pool.submit(_transact, engine, write) for write in writes]
        while queue.waiting(path) < len(writes):
            Event().wait(0.001)
        go.set()
        slow.exception()  # wait until it has ended
        yield asked


def _titles(session: Session) -> set[str]:
    return set(session.scalars(sa.select(Post.title)))


def test_each_is_told_what_became_of_its_own(
    engine: sa.Engine, session: Session, author: Actor
) -> None:
    def fail(inner: Session) -> None:
        _create(author, title="Never")(inner)
        raise ZeroDivisionError

    writes = [_create(author, title=f"Post {n}", body=f"Word{n}") for n in range(_THREADS - 3)]
    same = _create(author, title="Same", slug="same")
    with _held_up(engine, [*writes, same, fail, same]) as asked:
        told = [each.exception() for each in asked]

    assert told[:-3] == [None] * len(writes)
    assert isinstance(told[-2], ZeroDivisionError)
    assert sorted(type(told[n]).__name__ for n in (-3, -1)) == ["Conflict", "NoneType"]
    assert _titles(session) == {"Same", *(f"Post {n}" for n in range(len(writes)))}
    logged = session.scalars(sa.select(Change.id).order_by(Change.seq)).all()
    assert sorted(logged) == sorted(session.scalars(sa.select(Post.id)))
    times = session.scalars(sa.select(Change.at).order_by(Change.seq)).all()
    assert times == sorted(times)


def test_is_one_commit(engine: sa.Engine, session: Session, author: Actor) -> None:
    commits: list[sa.Connection] = []
    sa.event.listen(engine, "commit", commits.append)

    with _held_up(engine, [_create(author, title=f"Post {n}") for n in range(8)]):
        pass

    assert len(_titles(session)) == 8
    assert len(commits) == 2  # that of the slow one, and theirs


def test_what_an_error_takes_back_leaves_the_search_whole(
    engine: sa.Engine, session: Session, author: Actor
) -> None:
    chance = random.Random(20261120)

    def sometimes(n: int) -> Write:
        write = _create(author, title=f"Post {n}", body=f"common word{n} " * 20)

        def run(inner: Session) -> None:
            write(inner)
            if n % 3 == 0:
                raise Conflict

        return run

    numbers = list(range(4 * _THREADS))
    chance.shuffle(numbers)
    with ThreadPoolExecutor(_THREADS) as pool:
        told = list(pool.map(lambda n: _outcome(engine, sometimes(n)), numbers))

    stored = {f"Post {n}" for n, error in zip(numbers, told, strict=True) if error is None}
    assert stored == {f"Post {n}" for n in numbers if n % 3} == _titles(session)
    check = f"INSERT INTO {POST_WORDS.name}({POST_WORDS.name}) VALUES ('integrity-check')"
    with engine.connect() as connection:
        connection.exec_driver_sql(check)
    words = session.scalar(sa.select(sa.func.count()).select_from(POST_WORDS))
    assert words == len(stored)


def _outcome(engine: sa.Engine, write: Write) -> BaseException | None:
    try:
        _transact(engine, write)
    except ServiceError as exc:
        return exc
    return None


def test_a_full_disk_is_told_to_everybody_and_nothing_is_stored(
    engine: sa.Engine, session: Session, author: Actor
) -> None:
    called: list[int] = []

    def large(inner: Session) -> None:
        after_commit(inner, lambda: called.append(1))
        _create(author, body="x " * 40_000)(inner)

    def limit(driver: sqlite3.Connection, *_: object) -> None:
        pages = driver.execute("PRAGMA page_count").fetchone()[0]
        driver.execute(f"PRAGMA max_page_count={pages + 5}")

    engine.dispose()
    sa.event.listen(engine, "connect", limit)
    try:
        with _held_up(engine, [large] * 6) as asked:
            told = [each.exception() for each in asked]
    finally:
        sa.event.remove(engine, "connect", limit)
        engine.dispose()

    assert {type(each) for each in told} <= {OutOfStorage, Unavailable}
    assert called == []
    assert _titles(session) == set()
    assert _outcome(engine, large) is None  # it goes on as soon as there is room
    assert called == [1]


def test_a_commit_that_fails_is_told_to_everybody(
    engine: sa.Engine, session: Session, author: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(hooks, "calls", (called.append,))

    def write(inner: Session) -> None:
        after_commit(inner, lambda: called.append(1))
        _create(author)(inner)

    def fail(_connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(engine.dialect, "do_commit", fail)
        with _held_up(engine, [write] * 4) as asked:
            told = [each.exception() for each in asked]

    assert {type(each) for each in told} == {OutOfStorage}
    assert called == []
    assert _titles(session) == set()
