"""The change feed: a copy that follows it is what its owner may see, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, User
from models.engine import WRITES
from services import changes, clock
from services.actor import Actor
from services.changes import ChangeService, Cursor, CursorExpired, Page
from services.errors import Invalid
from services.posts import PostService
from services.transaction import reading, transact
from services.trash import TrashService
from services.users import UserService
from tests.factories import actor_of, make_post
from tests.services import histories, writers
from tests.services.histories import Copy, History

#: Random histories for each database; more were tried once.
HISTORIES = 25


@pytest.fixture
def page(session: Session) -> Callable[..., Page]:
    """``page(actor, since)``: one page of the feed."""

    def page(actor: User | None, since: Cursor | None = None, **options: Any) -> Page:
        caller = actor_of(actor) if actor else None
        with reading(session):
            return ChangeService(session, caller).page(since, **options)

    return page


@pytest.fixture
def tail(page: Callable[..., Page]) -> Callable[..., Cursor]:
    """``tail(actor)``: a cursor of a copy that has everything until now."""

    def tail(actor: User | None) -> Cursor:
        found = page(actor)
        while found.more:
            found = page(actor, found.next)
        return found.next

    return tail


@pytest.fixture
def patch(session: Session, admin: User) -> Callable[..., None]:
    """``patch(post_id, title="...")``: change a post as the admin."""
    service = PostService(session, actor_of(admin))

    def patch(id: int, **changed: Any) -> None:
        transact(session, lambda: service.patch(id, changed, None))
        session.expunge_all()

    return patch


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """``travel(time)``: set the clock forward."""

    def travel(time: timedelta) -> None:
        then = clock.now() + time
        monkeypatch.setattr(clock, "now", lambda: then)

    return travel


def _told(page: Page) -> list[tuple[str, str, int, int]]:
    return [(item.op, item.type, item.id, item.version) for item in page.items]


class TestFirstRead:
    def test_walks_everything_visible(
        self, session: Session, ada: User, page: Callable[..., Page]
    ) -> None:
        post, _ = make_post(session, ada), make_post(session, ada, status="draft")

        found = page(None)

        assert _told(found) == [("upsert", "users", ada.id, 1), ("upsert", "posts", post.id, 1)]
        assert found.items[1].data.title == post.title
        assert not found.more

    def test_in_pages_tells_everything_once(
        self, session: Session, ada: User, page: Callable[..., Page]
    ) -> None:
        ids = [make_post(session, ada).id for _ in range(7)]

        found = [page(None, limit=3)]
        while found[-1].more:
            found.append(page(None, found[-1].next, limit=3))

        assert [len(each.items) for each in found] == [3, 3, 2]
        assert [item.id for each in found for item in each.items] == [ada.id, *ids]

    def test_then_tells_what_changed_during_the_walk(
        self, session: Session, ada: User, page: Callable[..., Page], patch: Callable[..., None]
    ) -> None:
        first, second = (make_post(session, ada).id for _ in range(2))
        walk = page(None, types=["posts"], limit=1)

        patch(first, title="New")
        rest = page(None, walk.next)

        assert _told(rest) == [("upsert", "posts", second, 1)]
        assert rest.more
        assert _told(page(None, rest.next)) == [("upsert", "posts", first, 2)]

    def test_of_one_type(self, session: Session, ada: User, page: Callable[..., Page]) -> None:
        make_post(session, ada)

        assert {item.type for item in page(None, types=["users"]).items} == {"users"}

    def test_of_an_unknown_type(self, session: Session, page: Callable[..., Page]) -> None:
        with pytest.raises(Invalid) as caught:
            page(None, types=["posts", "passwords"])

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [("types", "choice")]


class TestFollow:
    def test_without_a_change_is_empty(
        self, ada: User, page: Callable[..., Page], tail: Callable[..., Cursor]
    ) -> None:
        found = page(ada, tail(ada))

        assert found.items == []
        assert not found.more

    def test_tells_several_changes_of_an_item_once(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
    ) -> None:
        post, since = make_post(session, ada).id, tail(None)

        for title in ("New", "Newer", "Newest"):
            patch(post, title=title)
        found = page(None, since)

        assert _told(found) == [("upsert", "posts", post, 4)]
        assert found.items[0].data.title == "Newest"

    def test_hidden_and_shown_and_hidden_again_is_gone(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
    ) -> None:
        post = make_post(session, ada, status="draft").id
        since = tail(None)

        patch(post, status="published")
        patch(post, status="draft")

        assert _told(page(None, since)) == [("remove", "posts", post, 3)]
        authors = replace(since, caller=ada.id, role=ada.role)
        assert _told(page(ada, authors)) == [("upsert", "posts", post, 3)]

    def test_a_draft_is_for_its_author_and_editors(
        self,
        session: Session,
        ada: User,
        mallory: User,
        editor: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
    ) -> None:
        callers = (None, mallory, ada, editor)
        since = [tail(caller) for caller in callers]

        data = PostService.prepare({"title": "Secret", "body": "B"})
        transact(session, lambda: PostService(session, actor_of(ada)).create(data))

        found = [page(caller, cursor) for caller, cursor in zip(callers, since, strict=True)]
        assert [len(each.items) for each in found] == [0, 0, 1, 1]

    def test_a_deleted_user_goes_with_their_posts(
        self,
        session: Session,
        ada: User,
        admin: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
    ) -> None:
        post, since = make_post(session, ada).id, tail(None)

        transact(session, lambda: UserService(session, actor_of(admin)).delete(ada.id))

        gone = [("remove", "users", ada.id, 2), ("remove", "posts", post, 2)]
        assert _told(page(None, since)) == gone

    def test_a_suspended_authors_posts_go_and_come_back(
        self,
        session: Session,
        ada: User,
        admin: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
    ) -> None:
        post, since = make_post(session, ada).id, tail(None)
        service = UserService(session, actor_of(admin))

        transact(session, lambda: service.patch(ada.id, {"status": "suspended"}, None))
        hidden = page(None, since)
        transact(session, lambda: service.patch(ada.id, {"status": "active"}, None))

        assert {item.op for item in hidden.items} == {"remove"}
        assert {item.id for item in hidden.items if item.type == "posts"} == {post}
        back = page(None, hidden.next)
        assert {(item.op, item.type) for item in back.items} == {
            ("upsert", "users"),
            ("upsert", "posts"),
        }

    def test_what_was_purged_is_gone_for_its_author_too(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
    ) -> None:
        post = make_post(session, ada, status="draft").id
        since, author = tail(ada), actor_of(ada)
        session.expunge_all()

        transact(session, lambda: PostService(session, author).delete(post))
        transact(session, lambda: TrashService(session, author).purge("posts", post))

        assert _told(page(ada, since)) == [("remove", "posts", post, 2)]


class TestScheduled:
    @pytest.fixture
    def scheduled(self, session: Session, ada: User) -> int:
        """The id of a post that is to appear in an hour."""
        moment = clock.now() + timedelta(hours=1)
        return make_post(session, ada, published_at=moment).id

    def test_appears_when_its_time_has_come(
        self,
        scheduled: int,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        travel: Callable[[timedelta], None],
    ) -> None:
        before, authors = tail(None), tail(ada)

        travel(timedelta(minutes=59))
        almost = page(None, before)
        travel(timedelta(minutes=2))
        found = page(None, almost.next)

        assert almost.items == []
        assert _told(found) == [("upsert", "posts", scheduled, 1)]
        assert found.items[0].at == found.items[0].data.published_at
        assert page(None, found.next).items == []
        assert page(ada, authors).items == []  # who has it already

    def test_many_at_a_time_come_in_pages(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        travel: Callable[[timedelta], None],
    ) -> None:
        moment = clock.now() + timedelta(hours=1)
        ids = [make_post(session, ada, published_at=moment).id for _ in range(5)]
        since = tail(None)

        travel(timedelta(hours=1))
        found = [page(None, since, limit=2)]
        while found[-1].more:
            found.append(page(None, found[-1].next, limit=2))

        assert [len(each.items) for each in found] == [2, 2, 1]
        assert [item.id for each in found for item in each.items] == ids


class TestCursor:
    def _reason(self, page: Callable[[], Page]) -> str:
        with pytest.raises(CursorExpired) as caught:
            page()
        assert caught.value.public_code == "cursor-expired"
        return str(caught.value.extra["reason"])

    def test_of_another_caller(
        self, ada: User, mallory: User, page: Callable[..., Page], tail: Callable[..., Cursor]
    ) -> None:
        since = tail(ada)

        assert self._reason(lambda: page(mallory, since)) == "caller"
        assert self._reason(lambda: page(None, since)) == "caller"

    def test_from_before_the_callers_role_changed(
        self, ada: User, page: Callable[..., Page], tail: Callable[..., Cursor], session: Session
    ) -> None:
        since = tail(ada)

        def as_editor() -> Page:
            return ChangeService(session, Actor(ada.id, "editor")).page(since)

        assert self._reason(as_editor) == "rights"

    def test_that_the_log_has_forgotten(
        self,
        session: Session,
        engine: sa.Engine,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
    ) -> None:
        post = make_post(session, ada).id
        patch(post, title="New")
        since = tail(None)
        patch(post, title="Newer")
        kept = tail(None)

        with engine.connect().execution_options(**{WRITES: True}) as connection:
            connection.execute(sa.delete(Change).where(Change.seq <= since.seq))
            connection.commit()

        assert self._reason(lambda: page(None, since)) == "history"
        assert page(None, kept).items == []

    def test_of_another_time_line(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
    ) -> None:
        patch(make_post(session, ada).id, title="New")
        since = tail(None)
        assert since.seq_at is not None

        restored = replace(since, seq_at=since.seq_at - timedelta(seconds=1))
        ahead = replace(since, seq=since.seq + 1)

        assert self._reason(lambda: page(None, restored)) == "history"
        assert self._reason(lambda: page(None, ahead)) == "history"

    def test_of_other_types(
        self, ada: User, page: Callable[..., Page], tail: Callable[..., Cursor]
    ) -> None:
        with pytest.raises(Invalid):
            page(None, tail(None), types=["posts"])


class TestCost:
    def test_of_a_page_is_fixed_however_many_rows_concern_others(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(changes, "SCAN", 5)
        draft, post = make_post(session, ada, status="draft").id, make_post(session, ada).id
        patch(post, title="New")
        since = tail(None)
        for number in range(12):
            patch(draft, title=f"Draft {number}")
        patch(post, title="Newer")

        found = [page(None, since)]
        while found[-1].more:
            found.append(page(None, found[-1].next))

        assert [len(each.items) for each in found] == [0, 0, 1]

    def test_is_a_fixed_number_of_queries(
        self,
        session: Session,
        ada: User,
        page: Callable[..., Page],
        tail: Callable[..., Cursor],
        patch: Callable[..., None],
        count_queries: Any,
    ) -> None:
        posts, since, counts = [make_post(session, ada).id for _ in range(20)], tail(None), []

        for number in (1, 20):
            for post in posts[:number]:
                patch(post, title=f"New {number}")
            with count_queries() as queries:
                assert len(page(None, since).items) == number
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 6


class TestHistories:
    @pytest.mark.parametrize("seed", range(HISTORIES))
    def test_leave_every_copy_as_it_should_be(
        self, session: Session, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: histories.START)
        history = History(session, seed)
        monkeypatch.setattr(clock, "now", history.now)

        for _ in range(60):
            history.step()

        history.finish()


class TestConcurrently:
    def test_with_eight_writers_nothing_is_missed_or_out_of_order(
        self,
        session: Session,
        ada: User,
        mallory: User,
        admin: User,
        database_url: str,
    ) -> None:
        for _ in range(10):
            make_post(session, ada)
        copies = [Copy(actor_of(user) if user else None) for user in (None, ada, mallory, admin)]

        with writers.writing(database_url, ada.id, processes=8, count=40) as are_over:
            while not are_over():
                for copy in copies:
                    copy.read(session, limit=7)

        for copy in copies:
            copy.catch_up(session)
            world = histories.world(session)
            assert copy.items == histories.visible(*world, copy.actor, clock.now())
            assert copy.pages > 20
