"""Lists of posts: who sees what, every filter, every order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from services import clock
from tests.answers import code, data, faults, ids, items
from tests.factories import make_post, make_user

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]

POSTS = "/api/v1/posts"


def stamp(moment: datetime) -> str:
    """Return a time as a query has it."""
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def texts(session: Session, ada: User, mallory: User) -> dict[str, int]:
    """One post of each status by ada, a published one and a draft by mallory: their ids."""
    later = clock.now() + timedelta(hours=1)
    return {
        "published": make_post(session, ada).id,
        "draft": make_post(session, ada, status="draft").id,
        "archived": make_post(session, ada, status="archived").id,
        "scheduled": make_post(session, ada, published_at=later).id,
        "other": make_post(session, mallory).id,
        "secret": make_post(session, mallory, status="draft").id,
    }


class TestStatus:
    WANTED = ("published", "draft", "archived", "scheduled", "any")

    def seen(self, caller: FlaskClient, texts: dict[str, int]) -> dict[str, list[str]]:
        names = {id: name for name, id in texts.items()}
        return {
            status: sorted(names[id] for id in ids(caller.get(f"{POSTS}?status={status}")))
            for status in self.WANTED
        }

    def test_for_nobody_and_readers(
        self, client: FlaskClient, sign_in: SignIn, bob: User, texts: dict[str, int]
    ) -> None:
        wanted: dict[str, list[str]] = {status: [] for status in self.WANTED}
        wanted["published"] = ["other", "published"]

        assert self.seen(client, texts) == wanted
        assert self.seen(sign_in(bob), texts) == wanted

    def test_for_an_author(self, sign_in: SignIn, ada: User, texts: dict[str, int]) -> None:
        assert self.seen(sign_in(ada), texts) == {
            "published": ["other", "published"],
            "draft": ["draft"],
            "archived": ["archived"],
            "scheduled": ["scheduled"],
            "any": ["archived", "draft", "published", "scheduled"],
        }

    def test_for_an_editor(self, sign_in: SignIn, editor: User, texts: dict[str, int]) -> None:
        seen = self.seen(sign_in(editor), texts)

        assert seen["draft"] == ["draft", "secret"]
        assert seen["any"] == sorted(texts)

    def test_default_is_published(self, client: FlaskClient, texts: dict[str, int]) -> None:
        assert set(ids(client.get(POSTS))) == {texts["published"], texts["other"]}


class TestFilters:
    def test_by_author(
        self, client: FlaskClient, ada: User, mallory: User, texts: dict[str, int]
    ) -> None:
        for query in (f"author_id={ada.id}", "author=ada", "author=ADA", "author=%20Ada"):
            assert ids(client.get(f"{POSTS}?{query}")) == [texts["published"]], query
        assert ids(client.get(f"{POSTS}?author_id={mallory.id}")) == [texts["other"]]
        assert ids(client.get(f"{POSTS}?author=nobody")) == []
        assert ids(client.get(f"{POSTS}?author_id={2**53 - 1}")) == []
        assert ids(client.get(f"{POSTS}?author_id={ada.id}&author=mallory")) == []

    def test_by_ids(self, client: FlaskClient, texts: dict[str, int]) -> None:
        wanted = f"{texts['other']},{texts['draft']},{2**53 - 1},{texts['other']}"

        assert ids(client.get(f"{POSTS}?ids={wanted}")) == [texts["other"]]
        assert faults(client.get(f"{POSTS}?ids=")) == {"ids": "format"}
        assert faults(client.get(f"{POSTS}?ids=1,0")) == {"ids": "too_small"}

    def test_by_tags(self, client: FlaskClient, session: Session, ada: User) -> None:
        both = make_post(session, ada, tags=["Python", "Straße"]).id
        one = make_post(session, ada, tags=["python"]).id

        assert set(ids(client.get(f"{POSTS}?tag=PYTHON"))) == {both, one}
        assert ids(client.get(f"{POSTS}?tag=python&tag=strasse")) == [both]
        assert ids(client.get(f"{POSTS}?tag=python&tag=nothing")) == []
        assert set(ids(client.get(f"{POSTS}?tag=python&tag=Python"))) == {both, one}
        assert set(ids(client.get(f"{POSTS}?tag=%20python%20"))) == {both, one}

    def test_by_time(self, client: FlaskClient, session: Session, ada: User) -> None:
        noon = clock.now() - timedelta(days=1)
        second = timedelta(seconds=1)
        early, at, late = (
            make_post(session, ada, published_at=moment, updated_at=moment).id
            for moment in (noon - second, noon, noon + second)
        )

        def found(query: str) -> list[int]:
            return sorted(ids(client.get(f"{POSTS}?{query}")))

        assert found(f"published_after={stamp(noon)}") == [late]
        assert found(f"published_before={stamp(noon)}") == [early]
        assert found(f"updated_after={stamp(noon - second)}") == [at, late]
        window = f"published_after={stamp(noon - second)}&published_before={stamp(noon + second)}"
        assert found(window) == [at]

    def test_wrong_ones(self, client: FlaskClient, ada: User) -> None:
        refused = {
            "colour=red": ("colour", "unknown"),
            "body=x": ("body", "unknown"),
            "status=gone": ("status", "choice"),
            "status=draft&status=any": ("status", "repeated"),
            "author_id=x": ("author_id", "format"),
            "author_id=01": ("author_id", "format"),
            "published_after=yesterday": ("published_after", "format"),
            "limit=0": ("limit", "too_small"),
            "limit=101": ("limit", "too_large"),
            "sort=body": ("sort", "choice"),
            "total=1": ("total", "choice"),
            "tag=%00": ("tag", "control_character"),
            "q=--": ("q", "format"),
        }
        for query, (field, fault) in refused.items():
            answer = client.get(f"{POSTS}?{query}")
            assert code(answer) == "validation", query
            assert faults(answer) == {field: fault}, query


class TestOfAUser:
    def test_by_anyone(
        self, client: FlaskClient, ada: User, mallory: User, texts: dict[str, int]
    ) -> None:
        url = f"/api/v1/users/{ada.id}/posts"

        assert ids(client.get(url)) == [texts["published"]]
        assert data(client.get(f"{url}?total=true"))["total"] == 1
        assert faults(client.get(f"{url}?author_id={mallory.id}")) == {"author_id": "unknown"}
        assert faults(client.get(f"{url}?author=mallory")) == {"author": "unknown"}

    def test_me(
        self, client: FlaskClient, sign_in: SignIn, ada: User, texts: dict[str, int]
    ) -> None:
        mine = ids(sign_in(ada).get("/api/v1/users/me/posts?status=any"))

        assert sorted(mine) == sorted(texts[name] for name in TestStatus.WANTED[:-1])
        assert code(client.get("/api/v1/users/me/posts")) == "unauthenticated"

    def test_nobody(self, client: FlaskClient) -> None:
        assert code(client.get("/api/v1/users/999999/posts")) == "not-found"


class TestOrder:
    ORDERS: dict[str, Callable[[Post], object]] = {
        "created_at": lambda post: post.created_at,
        "updated_at": lambda post: post.updated_at,
        "title": lambda post: post.title,
        "likes_count": lambda post: post.likes_count,
    }

    @pytest.fixture
    def posts(self, session: Session, ada: User) -> list[Post]:
        start = clock.now() - timedelta(days=1)
        titles = ("b", "B", "a", "é", "Zebra", "zebra", "a b", "a-b", "b", "10", "9")
        return [
            make_post(
                session,
                ada,
                title=title,
                likes_count=number % 3,
                created_at=start + timedelta(milliseconds=number // 2),
                updated_at=start - timedelta(milliseconds=number // 3),
                published_at=start + timedelta(milliseconds=number % 4),
            )
            for number, title in enumerate(titles)
        ]

    @pytest.mark.parametrize("sort", ORDERS)
    def test_by(self, sort: str, client: FlaskClient, posts: list[Post]) -> None:
        rising = [post.id for post in sorted(posts, key=lambda p: (self.ORDERS[sort](p), p.id))]

        assert ids(client.get(f"{POSTS}?sort={sort}")) == rising
        assert ids(client.get(f"{POSTS}?sort=-{sort}")) == rising[::-1]

    def test_default_is_newest_first(self, client: FlaskClient, posts: list[Post]) -> None:
        newest = sorted(posts, key=lambda post: (post.published_at, post.id), reverse=True)

        assert ids(client.get(POSTS)) == [post.id for post in newest]

    @pytest.mark.parametrize("sign", ["", "-"])
    def test_nulls_come_last(
        self, sign: str, sign_in: SignIn, session: Session, ada: User, posts: list[Post]
    ) -> None:
        drafts = [make_post(session, ada, status="draft").id for _ in range(3)]

        found = ids(sign_in(ada).get(f"{POSTS}?status=any&sort={sign}published_at"))

        assert found[-3:] == (drafts[::-1] if sign else drafts)
        assert len(found) == len(posts) + 3


class TestCost:
    @pytest.mark.parametrize("query", ["", "?total=true", "?tag=x&author=ada&page=2&total=true"])
    def test_is_fixed(
        self,
        query: str,
        sign_in: SignIn,
        session: Session,
        ada: User,
        count_queries: CountQueries,
    ) -> None:
        for _ in range(30):
            make_post(session, ada, tags=["x"])
        caller = sign_in(ada)
        ids(caller.get(POSTS))

        with count_queries() as queries:
            assert items(caller.get(f"{POSTS}{query}"))

        assert len(queries) <= 3
        with count_queries() as queries:
            assert ids(caller.get(f"/api/v1/users/{ada.id}/posts"))
        assert len(queries) <= 3

    def test_of_users_is_fixed(
        self, client: FlaskClient, session: Session, count_queries: CountQueries
    ) -> None:
        for _ in range(5):
            make_post(session, make_user(session))
        with count_queries() as queries:
            assert len(items(client.get("/api/v1/users?total=true"))) == 5
        assert len(queries) <= 3
