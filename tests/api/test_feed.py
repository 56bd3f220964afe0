"""The feed: whose posts are in it, in which order, and that both ways to find them agree."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Follow, Post, User
from services import clock, feed
from tests.answers import code, data, ids
from tests.factories import make_post, make_user

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]

FEED, USERS = "/api/v1/feed", "/api/v1/users"


def follow(session: Session, follower: User, *followed: User) -> None:
    """Have somebody follow others."""
    session.add_all(
        Follow(follower_id=follower.id, followed_id=each.id, created_at=clock.now())
        for each in followed
    )
    session.commit()


def walk(client: FlaskClient, url: str) -> Iterator[dict[str, Any]]:
    """Give all items of a list, page by page."""
    page = data(client.get(url))
    yield from page["items"]
    while page["next"]:
        page = data(client.get(f"{url}&cursor={page['next']}"))
        yield from page["items"]


class TestGet:
    def test_by_nobody(self, client: FlaskClient) -> None:
        assert code(client.get(FEED)) == "unauthenticated"

    def test_has_what_those_whom_one_follows_publish(
        self, sign_in: SignIn, session: Session, ada: User, bob: User, mallory: User
    ) -> None:
        tomorrow = clock.now() + timedelta(days=1)
        shown = make_post(session, ada)
        for changes in ({"status": "draft"}, {"status": "archived"}, {"published_at": tomorrow}):
            make_post(session, ada, **changes)
        make_post(session, mallory)
        follow(session, bob, ada)
        caller = sign_in(bob)

        answer = data(caller.get(f"{FEED}?total=true"))

        assert [each["id"] for each in answer["items"]] == [shown.id]
        assert answer["total"] == 1
        assert answer["items"] == data(caller.get(f"/api/v1/posts?ids={shown.id}"))["items"]

    def test_has_no_drafts_for_editors_either(
        self, sign_in: SignIn, session: Session, ada: User, editor: User
    ) -> None:
        make_post(session, ada, status="draft")
        follow(session, editor, ada)
        caller = sign_in(editor)

        assert ids(caller.get(FEED)) == []
        assert code(caller.get(f"{FEED}?status=any")) == "validation"

    def test_of_who_follows_nobody(self, sign_in: SignIn, session: Session, ada: User) -> None:
        make_post(session, ada)

        answer = data(sign_in(ada).get(f"{FEED}?total=true"))

        assert answer == {"items": [], "next": None, "total": 0}

    def test_follows_and_unfollows_show_at_once(
        self, sign_in: SignIn, session: Session, ada: User, bob: User
    ) -> None:
        post = make_post(session, ada)
        caller = sign_in(bob)

        caller.put(f"{USERS}/{ada.id}/follow")
        followed = ids(caller.get(FEED))
        caller.delete(f"{USERS}/{ada.id}/follow")

        assert followed == [post.id]
        assert ids(caller.get(FEED)) == []

    @pytest.mark.parametrize("way", ["suspend", "delete"])
    def test_hides_authors_who_are_gone(
        self, way: str, sign_in: SignIn, session: Session, ada: User, bob: User, admin: User
    ) -> None:
        post = make_post(session, ada)
        follow(session, bob, ada)
        follow(session, admin, ada)
        staff, url = sign_in(admin), f"{USERS}/{ada.id}"
        callers = [sign_in(bob), staff]

        if way == "suspend":
            staff.patch(url, json={"status": "suspended"})
            gone = [ids(caller.get(FEED)) for caller in callers]
            staff.patch(url, json={"status": "active"})
        else:
            staff.delete(url)
            gone = [ids(caller.get(FEED)) for caller in callers]
            staff.post(f"/api/v1/trash/users/{ada.id}/restoration")

        assert gone == [[], []]
        assert [ids(caller.get(FEED)) for caller in callers] == [[post.id], [post.id]]

    def test_hides_deleted_posts(
        self, sign_in: SignIn, session: Session, ada: User, bob: User
    ) -> None:
        post = make_post(session, ada)
        follow(session, bob, ada)

        assert sign_in(ada).delete(f"/api/v1/posts/{post.id}").status_code == 204

        assert ids(sign_in(bob).get(FEED)) == []

    def test_takes_the_filters_of_posts(
        self, sign_in: SignIn, session: Session, ada: User, bob: User, mallory: User
    ) -> None:
        made = [make_post(session, ada, tags=["Tea"], title="Of winter"), make_post(session, ada)]
        made += [make_post(session, mallory, title="Winter"), make_post(session, bob)]
        follow(session, bob, ada, mallory)
        caller = sign_in(bob)

        def found(query: str) -> list[int]:
            return [made.index(session.get_one(Post, id)) for id in ids(caller.get(FEED + query))]

        assert found("?tag=tea") == [0]
        assert found(f"?author_id={mallory.id}") == [2]
        assert found("?author=ADA") == [1, 0]
        assert sorted(found("?q=winter")) == [0, 2]
        assert found("?q=winter&sort=title") == [0, 2]
        assert found(f"?ids={made[0].id},{made[3].id}") == [0]
        assert found("?published_after=2999-01-01T00:00:00Z") == []

    def test_costs_as_many_queries_however_many_one_follows(
        self, sign_in: SignIn, session: Session, bob: User, count_queries: CountQueries
    ) -> None:
        for _ in range(5):
            author = make_user(session)
            follow(session, bob, author)
            make_post(session, author)
        caller = sign_in(bob)

        for query in ("?total=true", "?total=true&limit=2", "?total=true&limit=2&page=3"):
            with count_queries() as queries:
                assert caller.get(FEED + query).status_code == 200
            assert len([each for each in queries if "FROM revocations" not in each]) <= 3

    def test_streams(self, sign_in: SignIn, session: Session, ada: User, bob: User) -> None:
        posts = [make_post(session, ada).id for _ in range(30)]
        follow(session, bob, ada)

        answer = sign_in(bob).get(f"{FEED}?fields=id", headers={"Accept": "application/x-ndjson"})

        assert answer.text.splitlines() == [f'{{"id":{id}}}' for id in reversed(posts)]


class TestBothWays:
    @pytest.mark.parametrize("window", [0, 7, 500], ids=["gather", "both", "walk"])
    @pytest.mark.parametrize(
        "sort", ["-published_at", "published_at", "title", "-likes_count", "updated_at"]
    )
    def test_a_walk_sees_every_post_once_in_order(
        self,
        sort: str,
        window: int,
        sign_in: SignIn,
        session: Session,
        bob: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        monkeypatch.setattr(feed, "_LEAST", window)
        monkeypatch.setattr(feed, "_EACH", 0)
        chance, serial = random.Random(4), itertools.count()
        authors = [make_user(session) for _ in range(6)]
        follow(session, bob, *authors[::2])
        now = clock.now()
        posts = [
            make_post(
                session,
                chance.choice(authors),
                title=f"{chance.randrange(9)}",
                likes_count=chance.randrange(3),
                published_at=now - timedelta(minutes=chance.randrange(1, 9)),
                updated_at=now - timedelta(minutes=next(serial)),
                status=chance.choice(["published"] * 5 + ["draft"]),
            )
            for _ in range(40)
        ]
        # when
        caller, url = sign_in(bob), f"{FEED}?limit=3&sort={sort}"
        seen = [each["id"] for each in walk(caller, url)]
        pages = [id for number in range(1, 16) for id in ids(caller.get(f"{url}&page={number}"))]
        # then
        followed = {each.id for each in authors[::2]}
        wanted = [each for each in posts if each.author_id in followed]
        wanted = [each for each in wanted if each.status == "published"]
        name, descending = sort.removeprefix("-"), sort.startswith("-")
        wanted.sort(key=lambda each: (getattr(each, name), each.id), reverse=descending)
        assert seen == [each.id for each in wanted]
        assert pages == seen
