"""Numbers of tags are exact: after random histories, imports, and writers at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Post, Tag, User
from services.posts import PostService
from services.transaction import transact
from tests import databases
from tests.conftest import MakeDatabase
from tests.factories import actor_of, make_post, make_user
from tests.processes import together
from tests.services.direct import Clock
from tests.services.tagging import disturb, folded, indexed, listed, recounted, stored
from tests.services.worlds import World, exported, imported

SORTS = ("name", "-name", "posts_count", "-posts_count")
WRITERS, DEEDS = 8, 40


def assert_exact(session: Session, clock: Clock | None = None) -> None:
    """Compare numbers, lists and index with what users and posts say."""
    session.rollback()
    assert stored(session) == recounted(session)
    posts = session.execute(sa.select(Post.id, Post.tags)).all()
    assert indexed(session) == {(id, folded(tag)) for id, tags in posts for tag in tags}
    if clock is not None:
        expected = recounted(session, clock.time)
        session.rollback()
        for sort in SORTS:
            assert listed(session, sort) == expected


class TestHistories:
    @pytest.mark.parametrize("seed", range(8))
    def test_numbers_are_what_a_recount_finds(
        self, session: Session, now: Clock, seed: int
    ) -> None:
        world = World(session, now, seed)

        for _ in range(12):
            world.live(10)
            assert_exact(session, now)

        now.advance(hours=2)  # what was scheduled appears; nothing else happens
        assert_exact(session, now)

    @pytest.mark.parametrize("seed", range(2))
    def test_after_an_import_they_are_the_same(
        self, engine: sa.Engine, session: Session, now: Clock, seed: int
    ) -> None:
        World(session, now, seed).live(150)
        session.rollback()
        before, copy = stored(session), exported(engine)
        session.rollback()
        databases.clean(engine)

        _, refused = imported(engine, copy)

        assert not refused
        assert stored(session) == before != {}
        assert_exact(session, now)

    def test_an_import_that_changes_tags(
        self, engine: sa.Engine, session: Session, ada: User, now: Clock
    ) -> None:
        make_post(session, ada, slug="one", tags=["a", "b"])
        line = {"type": "post", "author": "ada", "slug": "one", "title": "T", "body": "b"}

        imported(
            engine,
            [
                line | {"slug": "two", "tags": ["B"], "status": "published"},
                line | {"tags": ["b", "c"], "status": "published"},
            ],
            on_conflict="update",
        )

        assert stored(session) == {"b": 2, "c": 1}
        assert_exact(session)

    def test_a_rehearsed_import_counts_nothing(
        self, engine: sa.Engine, session: Session, ada: User
    ) -> None:
        line = {"type": "post", "author": "ada", "slug": "one", "title": "T", "body": "b"}

        imported(engine, [line | {"tags": ["a"], "status": "published"}], dry_run=True)

        assert stored(session) == {}


class TestProcesses:
    def test_of_many_writers_none_fails_and_all_count(
        self, backend: str, make_database: MakeDatabase
    ) -> None:
        url = make_database("tagged")
        engine = databases.connect(url)
        with Session(engine, expire_on_commit=False, autoflush=False) as session:
            authors = [make_user(session) for _ in range(WRITERS)]

            each = [(url, author.id, seed, DEEDS) for seed, author in enumerate(authors)]
            failed = [code for codes in together(disturb, each) for code in codes]

            # Some are about posts that others deleted, or by authors who were suspended just then;
            # on a busy machine a lock may take too long.
            assert set(failed) <= {"not-found", "unauthenticated", "unavailable"}
            assert deadlocks(session) == 0
            assert len(failed) < WRITERS * DEEDS / 2
            assert len(stored(session)) > 3
            assert_exact(session)
        engine.dispose()


class TestCost:
    @pytest.mark.parametrize(("tags", "more"), [([], 0), (["a", "b", "c"], 2)])
    def test_of_a_new_post_is_a_statement_more(
        self, session: Session, ada: User, tags: list[str], more: int
    ) -> None:
        create(session, ada, tags)  # sqlite_sequence and the like
        with_none = statements(session, lambda: create(session, ada, None))

        found = statements(session, lambda: create(session, ada, tags))

        assert len(found) == len(with_none) + more  # one for the index, one for the numbers
        told = [name for name in ("post_tags", "tags") for each in found if f"INTO {name} " in each]
        assert told == ["post_tags", "tags"][:more]

    def test_the_last_post_takes_its_tag_along(self, session: Session, ada: User) -> None:
        id = create(session, ada, ["Python"])
        service = PostService(session, actor_of(ada))

        transact(session, lambda: service.patch(id, {"tags": []}, None))

        assert session.scalars(sa.select(Tag)).all() == []


def deadlocks(session: Session) -> int:
    """Return how many the database has broken up; SQLite knows none."""
    if session.get_bind().dialect.name == "sqlite":
        return 0
    told = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(session.connection().exec_driver_sql(told).scalar() or 0)


def create(session: Session, author: User, tags: list[str] | None) -> int:
    """Make a published post; without tags at all if they are None."""
    data: dict[str, Any] = {"title": "T", "body": "b", "status": "published"}
    data |= {} if tags is None else {"tags": tags}
    service = PostService(session, actor_of(author))
    return transact(session, lambda: service.create(PostService.prepare(data)))


def statements(session: Session, work: Callable[[], Any]) -> list[str]:
    """Return the statements that ran meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return seen
