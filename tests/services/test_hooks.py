"""Hooks: called once for each committed transaction, with its changes in order, and never else."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Change, Comment, Post, User
from services import log
from services.actor import Actor
from services.errors import ServiceError, Unavailable
from services.hooks import Changed, hooks
from services.posts import PostService
from services.transaction import Retry, Sharing, after_commit, transact
from services.trash import TrashService
from services.users import UserService
from tests import databases
from tests.factories import actor_of, make_comment, make_post
from tests.processes import together
from tests.services import writers

Told = list[tuple[Changed, ...]]
ADMIN = Actor(0, "admin", via="system")


class Kept(ServiceError):
    """Ends a transaction that is kept."""

    keeps = True


@pytest.fixture
def told() -> Iterator[Told]:
    """What a hook was told, transaction by transaction."""
    calls: Told = []
    hooks.configure([lambda changes: calls.append(tuple(changes))])
    yield calls
    hooks.configure([])


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """``configure(hook, hook)``; afterwards there are none."""
    yield lambda *calls: hooks.configure(calls)
    hooks.configure([])


def _data(title: str = "A title") -> dict[str, Any]:
    return PostService.prepare({"title": title, "body": "A body."})


def _create(session: Session, author: User, title: str = "A title") -> int:
    data = _data(title)
    return transact(session, lambda: PostService(session, actor_of(author)).create(data))


class TestCommit:
    def test_is_told_once_with_who_did_what(self, session: Session, ada: User, told: Told) -> None:
        id = _create(session, ada)

        assert told == [(Changed("posts", id, "create", 1, ada.id, "session"),)]

    def test_tells_all_changes_of_a_transaction_in_order(
        self, session: Session, ada: User, told: Told
    ) -> None:
        def work() -> None:
            posts = PostService(session, actor_of(ada))
            first, second = posts.create(_data("1")), posts.create(_data("2"))
            posts.patch(first, {"title": "3"}, None)
            posts.delete(second)

        transact(session, work)

        (changes,) = told
        logged = session.scalars(sa.select(Change).order_by(Change.seq)).all()
        assert [(each.id, each.op, each.version) for each in changes] == [
            (row.id, row.op, row.version) for row in logged
        ]
        assert [each.op for each in changes] == ["create", "create", "update", "delete"]

    def test_has_happened_when_it_is_told(
        self, session: Session, ada: User, engine: sa.Engine, configure: Callable[..., None]
    ) -> None:
        seen: list[str | None] = []

        def look(changes: Sequence[Changed]) -> None:
            with Session(engine) as another:
                seen.append(another.get_one(Post, changes[0].id).title)

        configure(look)
        _create(session, ada, "There")

        assert seen == ["There"]

    def test_of_nothing_is_not_told(self, session: Session, ada: User, told: Told) -> None:
        id = _create(session, ada)
        told.clear()

        same = {"title": "A title"}
        transact(session, lambda: PostService(session, actor_of(ada)).patch(id, same, None))
        transact(session, lambda: None)

        assert told == []

    def test_of_a_cascade_is_told_as_its_root(
        self, session: Session, ada: User, bob: User, told: Told
    ) -> None:
        post = make_post(session, ada)
        for _ in range(3):
            make_comment(session, post, bob)
        deletion = transact(session, lambda: PostService(session, actor_of(ada)).delete(post.id))
        assert deletion.children_count == 3
        transact(session, lambda: TrashService(session, ADMIN).restore("posts", post.id))
        assert (
            session.scalars(sa.select(Comment).where(Comment.deleted_at.is_not(None))).all() == []
        )

        ops = [[(each.type, each.id, each.op) for each in changes] for changes in told]
        assert ops == [[("posts", post.id, "delete")], [("posts", post.id, "restore")]]

    def test_by_an_error_that_keeps_is_told(self, session: Session, ada: User, told: Told) -> None:
        def work() -> NoReturn:
            PostService(session, actor_of(ada)).create(_data())
            raise Kept()

        with pytest.raises(Kept):
            transact(session, work)

        assert [[each.op for each in changes] for changes in told] == [["create"]]

    def test_comes_after_what_the_core_does(
        self, session: Session, ada: User, configure: Callable[..., None]
    ) -> None:
        order: list[str] = []
        configure(lambda _: order.append("hook"))

        def work() -> None:
            PostService(session, actor_of(ada)).create(_data())
            after_commit(session, lambda: order.append("core"))

        transact(session, work)

        assert order == ["core", "hook"]


class TestRollback:
    def test_is_never_told(self, session: Session, ada: User, told: Told) -> None:
        def work() -> NoReturn:
            PostService(session, actor_of(ada)).create(_data())
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            transact(session, work)

        assert told == []
        _create(session, ada)  # nor is it left for the next one
        assert [len(changes) for changes in told] == [1]

    def test_before_a_retry_is_not_told(self, session: Session, ada: User, told: Told) -> None:
        tries: list[int] = []

        def work() -> int:
            tries.append(PostService(session, actor_of(ada)).create(_data()))
            if len(tries) < 3:
                raise Retry
            return tries[-1]

        id = transact(session, work)

        assert len(tries) == 3
        assert told == [(Changed("posts", id, "create", 1, ada.id, "session"),)]

    def test_because_the_commit_failed_is_not_told(
        self, session: Session, ada: User, told: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_session: Session) -> NoReturn:
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

        with monkeypatch.context() as broken:
            broken.setattr(log, "flush", fail)
            with pytest.raises(ServiceError):
                _create(session, ada)

        assert told == []


class TestFailure:
    def test_of_a_hook_is_logged_and_changes_nothing(
        self,
        session: Session,
        ada: User,
        configure: Callable[..., None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        others: list[int] = []

        def broken_hook(_changes: Sequence[Changed]) -> NoReturn:
            raise ZeroDivisionError("out of luck")

        def leaving_hook(_changes: Sequence[Changed]) -> NoReturn:
            raise SystemExit(1)

        configure(broken_hook, leaving_hook, lambda changes: others.append(len(changes)))
        with caplog.at_level(logging.ERROR):
            id = _create(session, ada)

        assert session.get(Post, id) is not None
        assert others == [1]
        first, second = caplog.records
        assert __name__ in first.getMessage()
        assert "broken_hook" in first.getMessage()
        assert first.exc_info
        assert first.exc_info[0] is ZeroDivisionError
        assert "leaving_hook" in second.getMessage()


class TestHookThatWrites:
    def test_is_told_by_others_and_not_by_itself(
        self, session: Session, ada: User, engine: sa.Engine, configure: Callable[..., None]
    ) -> None:
        heard: list[tuple[str, str]] = []

        def write(name: str, changes: Sequence[Changed]) -> None:
            heard.append((name, changes[0].op))
            with Session(engine, expire_on_commit=False, autoflush=False) as own:
                _create(own, ada, name)

        configure(lambda changes: write("a", changes), lambda changes: write("b", changes))
        _create(session, ada)

        assert heard == [("a", "create"), ("b", "create"), ("b", "create"), ("a", "create")]
        titles = session.scalars(sa.select(Post.title).order_by(Post.id)).all()
        assert sorted(titles) == ["A title", "a", "a", "b", "b"]


class TestConcurrency:
    """On SQLite the threads' transactions share commits; one in three is taken back."""

    def test_of_threads_tells_each_what_it_did(
        self, ada: User, database_url: str, session: Session, told: Told
    ) -> None:
        engine = databases.connect(database_url)
        threads: list[int] = []
        configured = hooks.calls
        hooks.configure([*configured, lambda _: threads.append(threading.get_ident())])

        def write(n: int) -> tuple[int, int | None]:
            with Sharing(engine, expire_on_commit=False, autoflush=False) as own:

                def work() -> int:
                    id = PostService(own, actor_of(ada)).create(_data(f"Post {n}"))
                    if n % 3 == 0:
                        raise Unavailable
                    return id

                try:
                    return threading.get_ident(), transact(own, work)
                except Unavailable:
                    return threading.get_ident(), None

        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(write, range(48)))
        engine.dispose()

        stored = sorted(id for _, id in done if id is not None)
        assert len(stored) == 32
        assert stored == sorted(session.scalars(sa.select(Post.id)))
        assert sorted(each.id for (each,) in told) == stored
        assert sorted(threads) == sorted(ident for ident, id in done if id is not None)

    def test_of_processes_tells_each_item_in_the_order_of_its_versions(
        self, session: Session, ada: User, database_url: str
    ) -> None:
        post = make_post(session, ada, title="0")

        heard = together(writers.count_up_heard, [(database_url, post.id, 8) for _ in range(4)])

        assert all(versions == sorted(versions) for versions in heard)
        assert sorted(chain.from_iterable(heard)) == list(range(2, 34))


class TestUsers:
    def test_are_told_without_what_they_wrote(
        self, session: Session, ada: User, admin: User, told: Told
    ) -> None:
        make_post(session, ada)

        changes = {"status": "suspended"}
        transact(
            session, lambda: UserService(session, actor_of(admin)).patch(ada.id, changes, None)
        )

        assert [[(each.type, each.id, each.op) for each in one] for one in told] == [
            [("users", ada.id, "update")]
        ]
