"""The log: every change once, in the order of commits, in the transaction that makes it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby, pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, Post, Revision, User
from services import clock, log
from services.posts import PostService
from services.transaction import transact
from services.users import UserService
from tests.factories import actor_of, make_post
from tests.processes import together
from tests.services import writers


def _rows(session: Session) -> list[Change]:
    session.rollback()
    return list(session.scalars(sa.select(Change).order_by(Change.seq)))


def _create(session: Session, author: User, title: str = "A title") -> int:
    data = PostService.prepare({"title": title, "body": "A body."})
    return transact(session, lambda: PostService(session, actor_of(author)).create(data))


class TestOrder:
    def test_of_numbers_is_that_of_commits_among_eight_processes(
        self, session: Session, ada: User, database_url: str
    ) -> None:
        post = make_post(session, ada, title="0")

        together(writers.count_up, [(database_url, post.id, 12) for _ in range(8)])

        rows = _rows(session)
        assert [row.version for row in rows] == list(range(2, 98))
        assert all(before.at <= after.at for before, after in pairwise(rows))

    def test_a_reader_never_sees_a_row_appear_before_its_last(
        self, session: Session, ada: User, database_url: str
    ) -> None:
        seen: list[int] = []
        with writers.writing(database_url, ada.id, processes=8, count=15) as is_over:
            over = False
            while not over:
                over = is_over()
                after = seen[-1] if seen else 0
                numbers = sa.select(Change.seq).where(Change.seq > after).order_by(Change.seq)
                seen += session.scalars(numbers)
                session.rollback()

        assert seen == [row.seq for row in _rows(session)]

    def test_versions_of_an_item_count_up(
        self, session: Session, ada: User, database_url: str
    ) -> None:
        together(writers.write_posts, [(database_url, ada.id, seed, 15) for seed in range(8)])

        rows = sorted(_rows(session), key=lambda row: (row.id, row.seq))
        for _, changes in groupby(rows, key=lambda row: row.id):
            versions = [change.version for change in changes]
            assert versions == list(range(1, len(versions) + 1))


class TestTime:
    def test_does_not_go_back_when_the_clock_does(
        self, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _create(session, ada)
        behind = clock.now() - timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: behind)

        _create(session, ada)

        first, second = _rows(session)
        assert second.at == first.at
        assert session.get_one(Post, second.id).created_at == behind


class TestRecord:
    def test_says_who_did_what_and_who_could_see_it(self, session: Session, ada: User) -> None:
        id = _create(session, ada)

        (row,) = _rows(session)
        assert (row.type, row.id, row.op, row.version) == ("posts", id, "create", 1)
        assert (row.actor_id, row.owner_id, row.via) == (ada.id, ada.id, "session")
        assert (row.was, row.now) == (log.NOBODY, log.OWNER_AND_STAFF)

    def test_keeps_what_the_version_looked_like(self, session: Session, ada: User) -> None:
        id = _create(session, ada, title="As it was")

        revision = session.get_one(Revision, ("posts", id, 1))
        assert revision.snapshot["title"] == "As it was"
        assert "html" not in revision.snapshot

    def test_nothing_on_rollback(self, session: Session, ada: User) -> None:
        def work() -> None:
            data = PostService.prepare({"title": "A title", "body": "A body."})
            PostService(session, actor_of(ada)).create(data)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            transact(session, work)

        assert _rows(session) == []
        assert session.scalars(sa.select(Revision)).all() == []
        session.rollback()
        _create(session, ada)  # nor is it left for the next one
        assert len(_rows(session)) == 1

    def test_nothing_without_a_difference(self, session: Session, ada: User) -> None:
        id = _create(session, ada, title="The same")

        transact(
            session,
            lambda: PostService(session, actor_of(ada)).patch(id, {"title": "The same"}, None),
        )

        assert len(_rows(session)) == 1

    def test_what_is_to_appear_within_moments_is_for_everyone(
        self, session: Session, ada: User
    ) -> None:
        soon, later = (clock.now() + log.FORESIGHT * factor for factor in (0.5, 2))
        for moment in (soon, later):
            data = {"title": "T", "body": "B", "status": "published", "published_at": moment}
            prepared = PostService.prepare(data)
            transact(session, lambda: PostService(session, actor_of(ada)).create(prepared))  # noqa: B023

        assert [row.now for row in _rows(session)] == [log.EVERYONE, log.OWNER_AND_STAFF]


class TestCascade:
    def test_is_one_statement_however_many_rows(
        self, session: Session, ada: User, admin: User, engine: sa.Engine
    ) -> None:
        posts = [make_post(session, ada) for _ in range(30)]
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        transact(session, lambda: UserService(session, actor_of(admin)).delete(ada.id))
        sa.event.remove(engine, "before_cursor_execute", note)

        inserts = [each for each in statements if each.startswith("INSERT INTO changes")]
        assert len(inserts) == 2  # the user's, and the posts'
        user, *children = _rows(session)
        assert (user.type, user.op) == ("users", "delete")
        assert {row.id for row in children} == {post.id for post in posts}
        assert {(row.was, row.now, row.op) for row in children} == {(2, 0, "delete")}
        assert {row.group_id for row in children} == {user.group_id}
        assert {row.version for row in children} == {2}
