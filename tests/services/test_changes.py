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
from services.changes import ChangeService, CursorExpired, Page
from services.errors import Invalid
from services.posts import PostService
from services.transaction import transact
from services.trash import TrashService
from services.users import UserService
from tests.factories import actor_of, make_post
from tests.services.feed import Feed, told

#: Random histories for each database; more were tried once.
HISTORIES = 25


@pytest.fixture
def feed(session: Session, admin: User) -> Feed:
    return Feed(session, actor_of(admin))


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """``travel(time)``: set the clock forward."""

    def travel(time: timedelta) -> None:
        then = clock.now() + time
        monkeypatch.setattr(clock, "now", lambda: then)

    return travel


class TestFirstRead:
    def test_walks_everything_visible(self, session: Session, ada: User, feed: Feed) -> None:
        post, _ = make_post(session, ada), make_post(session, ada, status="draft")

        found = feed.page(None)

        users = {("upsert", "users", id, 1) for id in (ada.id, feed.admin.id)}
        assert set(told(found)) == {*users, ("upsert", "posts", post.id, 1)}
        assert found.items[-1].data.title == post.title
        assert not found.more

    def test_in_pages_tells_everything_once(self, session: Session, ada: User, feed: Feed) -> None:
        ids = [make_post(session, ada).id for _ in range(7)]

        found = feed.pages(None, None, limit=3)

        assert [len(each.items) for each in found] == [3, 3, 3]
        ids_told = [item.id for each in found for item in each.items]
        assert ids_told == [ada.id, feed.admin.id, *ids]

    def test_then_tells_what_changed_during_the_walk(
        self, session: Session, ada: User, feed: Feed
    ) -> None:
        first, second = (make_post(session, ada).id for _ in range(2))
        walk = feed.page(None, types=["posts"], limit=1)

        feed.patch(first, title="New")
        rest = feed.page(None, walk.next)

        assert told(rest) == [("upsert", "posts", second, 1)]
        assert rest.more
        assert told(feed.page(None, rest.next)) == [("upsert", "posts", first, 2)]

    def test_of_one_type(self, session: Session, ada: User, feed: Feed) -> None:
        make_post(session, ada)

        assert {item.type for item in feed.page(None, types=["users"]).items} == {"users"}

    def test_of_an_unknown_type(self, session: Session, feed: Feed) -> None:
        with pytest.raises(Invalid) as caught:
            feed.page(None, types=["posts", "passwords"])

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [("types", "choice")]


class TestFollow:
    def test_without_a_change_is_empty(self, ada: User, feed: Feed) -> None:
        found = feed.page(ada, feed.tail(ada))

        assert found.items == []
        assert not found.more

    def test_tells_several_changes_of_an_item_once(
        self,
        session: Session,
        ada: User,
        feed: Feed,
    ) -> None:
        post, since = make_post(session, ada).id, feed.tail(None)

        for title in ("New", "Newer", "Newest"):
            feed.patch(post, title=title)
        found = feed.page(None, since)

        assert told(found) == [("upsert", "posts", post, 4)]
        assert found.items[0].data.title == "Newest"

    def test_hidden_and_shown_and_hidden_again_is_gone(
        self,
        session: Session,
        ada: User,
        feed: Feed,
    ) -> None:
        post = make_post(session, ada, status="draft").id
        since = feed.tail(None)

        feed.patch(post, status="published")
        feed.patch(post, status="draft")

        assert told(feed.page(None, since)) == [("remove", "posts", post, 3)]
        authors = replace(since, caller=ada.id, role=ada.role)
        assert told(feed.page(ada, authors)) == [("upsert", "posts", post, 3)]

    def test_a_draft_is_for_its_author_and_editors(
        self,
        session: Session,
        ada: User,
        mallory: User,
        editor: User,
        feed: Feed,
    ) -> None:
        callers = (None, mallory, ada, editor)
        since = [feed.tail(caller) for caller in callers]

        data = PostService.prepare({"title": "Secret", "body": "B"})
        transact(session, lambda: PostService(session, actor_of(ada)).create(data))

        found = [feed.page(caller, cursor) for caller, cursor in zip(callers, since, strict=True)]
        assert [len(each.items) for each in found] == [0, 0, 1, 1]

    def test_a_deleted_user_goes_with_their_posts(
        self,
        session: Session,
        ada: User,
        admin: User,
        feed: Feed,
    ) -> None:
        post, since = make_post(session, ada).id, feed.tail(None)

        transact(session, lambda: UserService(session, actor_of(admin)).delete(ada.id))

        gone = [("remove", "users", ada.id, 2), ("remove", "posts", post, 2)]
        assert told(feed.page(None, since)) == gone

    def test_a_suspended_authors_posts_go_and_come_back(
        self,
        session: Session,
        ada: User,
        admin: User,
        feed: Feed,
    ) -> None:
        post, since = make_post(session, ada).id, feed.tail(None)
        service = UserService(session, actor_of(admin))

        transact(session, lambda: service.patch(ada.id, {"status": "suspended"}, None))
        hidden = feed.page(None, since)
        transact(session, lambda: service.patch(ada.id, {"status": "active"}, None))

        assert {item.op for item in hidden.items} == {"remove"}
        assert {item.id for item in hidden.items if item.type == "posts"} == {post}
        back = feed.page(None, hidden.next)
        assert {(item.op, item.type) for item in back.items} == {
            ("upsert", "users"),
            ("upsert", "posts"),
        }

    def test_what_was_purged_is_gone_for_its_author_too(
        self,
        session: Session,
        ada: User,
        feed: Feed,
    ) -> None:
        post = make_post(session, ada, status="draft").id
        since, author = feed.tail(ada), actor_of(ada)
        session.expunge_all()

        transact(session, lambda: PostService(session, author).delete(post))
        transact(session, lambda: TrashService(session, author).purge("posts", post))

        assert told(feed.page(ada, since)) == [("remove", "posts", post, 2)]


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
        feed: Feed,
        travel: Callable[[timedelta], None],
    ) -> None:
        before, authors = feed.tail(None), feed.tail(ada)

        travel(timedelta(minutes=59))
        almost = feed.page(None, before)
        travel(timedelta(minutes=2))
        found = feed.page(None, almost.next)

        assert almost.items == []
        assert told(found) == [("upsert", "posts", scheduled, 1)]
        assert found.items[0].at == found.items[0].data.published_at
        assert feed.page(None, found.next).items == []
        assert feed.page(ada, authors).items == []  # who has it already

    def test_many_at_a_time_come_in_pages(
        self,
        session: Session,
        ada: User,
        feed: Feed,
        travel: Callable[[timedelta], None],
    ) -> None:
        moment = clock.now() + timedelta(hours=1)
        ids = [make_post(session, ada, published_at=moment).id for _ in range(5)]
        since = feed.tail(None)

        travel(timedelta(hours=1))
        found = feed.pages(None, since, limit=2)

        assert [len(each.items) for each in found] == [2, 2, 1]
        assert [item.id for each in found for item in each.items] == ids

    def test_deleted_while_its_time_came_is_gone_for_who_saw_it_in_between(
        self,
        session: Session,
        ada: User,
        feed: Feed,
        engine: sa.Engine,
        travel: Callable[[timedelta], None],
    ) -> None:
        moment = clock.now() + timedelta(seconds=10)
        post = make_post(session, ada, published_at=moment).id
        since = feed.tail(None)
        seen: list[Page] = []

        def delete_slowly() -> None:
            PostService(session, feed.admin).delete(post)
            travel(timedelta(seconds=11))
            with Session(engine) as other:
                seen.append(Feed(other, feed.admin).page(None, since))

        transact(session, delete_slowly)

        assert told(seen[0]) == [("upsert", "posts", post, 1)]
        assert told(feed.page(None, seen[0].next)) == [("remove", "posts", post, 2)]


class TestCursor:
    def _reason(self, page: Callable[[], Page]) -> str:
        with pytest.raises(CursorExpired) as caught:
            page()
        assert caught.value.public_code == "cursor-expired"
        return str(caught.value.extra["reason"])

    def test_of_another_caller(self, ada: User, mallory: User, feed: Feed) -> None:
        since = feed.tail(ada)

        assert self._reason(lambda: feed.page(mallory, since)) == "caller"
        assert self._reason(lambda: feed.page(None, since)) == "caller"

    def test_from_before_the_callers_role_changed(
        self, ada: User, feed: Feed, session: Session
    ) -> None:
        since = feed.tail(ada)

        def as_editor() -> Page:
            return ChangeService(session, Actor(ada.id, "editor")).page(since)

        assert self._reason(as_editor) == "rights"

    def test_that_the_log_has_forgotten(
        self,
        session: Session,
        engine: sa.Engine,
        ada: User,
        feed: Feed,
    ) -> None:
        post = make_post(session, ada).id
        feed.patch(post, title="New")
        since = feed.tail(None)
        feed.patch(post, title="Newer")
        kept = feed.tail(None)

        with engine.connect().execution_options(**{WRITES: True}) as connection:
            connection.execute(sa.delete(Change).where(Change.seq <= since.seq))
            connection.commit()

        assert self._reason(lambda: feed.page(None, since)) == "history"
        assert feed.page(None, kept).items == []

    def test_of_another_time_line(
        self,
        session: Session,
        ada: User,
        feed: Feed,
    ) -> None:
        feed.patch(make_post(session, ada).id, title="New")
        since = feed.tail(None)
        assert since.seq_at is not None

        restored = replace(since, seq_at=since.seq_at - timedelta(seconds=1))
        ahead = replace(since, seq=since.seq + 1)

        assert self._reason(lambda: feed.page(None, restored)) == "history"
        assert self._reason(lambda: feed.page(None, ahead)) == "history"

    def test_of_other_types(self, ada: User, feed: Feed) -> None:
        with pytest.raises(Invalid):
            feed.page(None, feed.tail(None), types=["posts"])


class TestCost:
    def test_of_a_page_is_fixed_however_many_rows_concern_others(
        self,
        session: Session,
        ada: User,
        feed: Feed,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(changes, "SCAN", 5)
        draft, post = make_post(session, ada, status="draft").id, make_post(session, ada).id
        feed.patch(post, title="New")
        since = feed.tail(None)
        for number in range(12):
            feed.patch(draft, title=f"Draft {number}")
        feed.patch(post, title="Newer")

        found = feed.pages(None, since)

        assert [len(each.items) for each in found] == [0, 0, 1]

    def test_is_a_fixed_number_of_queries(
        self,
        session: Session,
        ada: User,
        feed: Feed,
        count_queries: Any,
    ) -> None:
        posts, since, counts = [make_post(session, ada).id for _ in range(20)], feed.tail(None), []

        for number in (1, 20):
            for post in posts[:number]:
                feed.patch(post, title=f"New {number}")
            with count_queries() as queries:
                assert len(feed.page(None, since).items) == number
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 6
