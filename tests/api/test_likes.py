"""Likes: who may, who counts, who is listed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Like, Post, User
from services import clock
from tests.answers import code, data, ids, items
from tests.factories import make_post, make_user

SignIn = Callable[[User], FlaskClient]
CountQueries = Callable[[], AbstractContextManager[list[str]]]

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"


def like(session: Session, post: Post, *users: User) -> None:
    """Have users like a post, in this order."""
    for user in users:
        session.add(Like(post_id=post.id, user_id=user.id, created_at=clock.now()))
        session.flush()
    session.execute(
        sa.update(Post).where(Post.id == post.id).values(likes_count=Post.likes_count + len(users))
    )
    session.commit()


def rows(session: Session) -> list[tuple[int, ...]]:
    """Return post and user of every like."""
    return [tuple(row) for row in session.execute(sa.select(Like.post_id, Like.user_id))]


class TestPut:
    def test_by_a_reader(
        self, url: str, sign_in: SignIn, session: Session, post: Post, bob: User
    ) -> None:
        caller = sign_in(bob)

        answer = caller.put(f"{url}/like")

        assert (answer.status_code, answer.data) == (204, b"")
        assert rows(session) == [(post.id, bob.id)]
        shown = data(caller.get(url))
        assert (shown["likes_count"], shown["liked"]) == (1, True)

    def test_again_changes_nothing(
        self, url: str, sign_in: SignIn, session: Session, post: Post, bob: User
    ) -> None:
        caller = sign_in(bob)

        assert [caller.put(f"{url}/like").status_code for _ in range(3)] == [204] * 3

        assert rows(session) == [(post.id, bob.id)]
        assert data(caller.get(url))["likes_count"] == 1

    def test_by_its_author(self, url: str, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)

        assert caller.put(f"{url}/like").status_code == 204

        assert data(caller.get(url))["likes_count"] == 1

    def test_by_nobody(self, url: str, client: FlaskClient, session: Session) -> None:
        assert code(client.put(f"{url}/like")) == "unauthenticated"
        assert rows(session) == []

    @pytest.mark.parametrize("why", ["draft", "scheduled", "deleted", "of-suspended", "missing"])
    @pytest.mark.parametrize("verb", ["put", "delete"])
    def test_of_what_one_does_not_see(
        self, verb: str, why: str, sign_in: SignIn, session: Session, ada: User, bob: User
    ) -> None:
        now = clock.now()
        changes: dict[str, dict[str, Any]] = {
            "draft": {"status": "draft"},
            "scheduled": {"published_at": now + timedelta(hours=1)},
            "deleted": {"deleted_at": now},
        }
        author = make_user(session, status="suspended") if why == "of-suspended" else ada
        hidden = make_post(session, author, **changes.get(why, {}))
        path = f"{POSTS}/{hidden.id + (why == 'missing')}/like"
        call = getattr(sign_in(bob), verb)

        assert code(call(path)) == "not-found"
        assert code(call(f"{path}?colour=red")) == "not-found"
        assert rows(session) == []
        session.refresh(hidden)
        assert hidden.likes_count == 0

    def test_refuses_parameters(
        self, url: str, sign_in: SignIn, session: Session, bob: User
    ) -> None:
        assert code(sign_in(bob).put(f"{url}/like?times=7")) == "validation"
        assert rows(session) == []

    def test_is_no_new_version_but_another_etag(
        self, url: str, sign_in: SignIn, session: Session, bob: User
    ) -> None:
        caller = sign_in(bob)
        before = caller.get(url)

        caller.put(f"{url}/like")

        after = caller.get(url, headers={"If-None-Match": before.headers["ETag"]})
        assert data(after)["version"] == data(before)["version"]
        assert session.scalars(sa.select(Change)).all() == []


class TestDelete:
    def test_of_ones_own(
        self, url: str, sign_in: SignIn, session: Session, post: Post, ada: User, bob: User
    ) -> None:
        like(session, post, ada, bob)
        caller = sign_in(bob)

        assert [caller.delete(f"{url}/like").status_code for _ in range(2)] == [204] * 2

        assert rows(session) == [(post.id, ada.id)]
        shown = data(caller.get(url))
        assert (shown["likes_count"], shown["liked"]) == (1, False)


class TestLiked:
    def test_is_each_callers_own(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        post: Post,
        ada: User,
        bob: User,
    ) -> None:
        other = make_post(session, ada)
        like(session, post, bob)
        likes = {post.id: True, other.id: False}

        def liked(caller: FlaskClient) -> dict[int, bool]:
            return {each["id"]: each["liked"] for each in items(caller.get(POSTS))}

        assert liked(sign_in(bob)) == likes
        assert liked(sign_in(ada)) == dict.fromkeys(likes, False)
        assert liked(client) == dict.fromkeys(likes)

    def test_costs_a_list_no_query(
        self, sign_in: SignIn, session: Session, ada: User, bob: User, count_queries: CountQueries
    ) -> None:
        for _ in range(5):
            like(session, make_post(session, ada), bob)
        caller = sign_in(bob)
        caller.get(POSTS)

        with count_queries() as queries:
            assert [each["liked"] for each in items(caller.get(POSTS))] == [True] * 5

        assert len([each for each in queries if "FROM revocations" not in each]) == 1


class TestCount:
    @pytest.mark.parametrize("way", ["suspended", "deleted", "purged"])
    def test_is_of_those_who_are_there(
        self,
        way: str,
        url: str,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        post: Post,
        bob: User,
        mallory: User,
        admin: User,
    ) -> None:
        like(session, post, bob, mallory)
        staff, person = sign_in(admin), f"{USERS}/{bob.id}"

        if way == "suspended":
            staff.patch(person, json={"status": "suspended"})
        else:
            staff.delete(person)
        if way == "purged":
            assert staff.delete(f"{TRASH}/users/{bob.id}").status_code == 204

        assert data(client.get(url))["likes_count"] == 1
        for caller in (staff, sign_in(mallory)):
            page = data(caller.get(f"{url}/likes?total=true"))
            assert [each["id"] for each in page["items"]] == [mallory.id]
            assert page["total"] == 1
        if way == "purged":
            assert rows(session) == [(post.id, mallory.id)]
            return
        if way == "suspended":
            staff.patch(person, json={"status": "active"})
        else:
            staff.post(f"{TRASH}/users/{bob.id}/restoration")
        assert data(client.get(url))["likes_count"] == 2
        assert ids(staff.get(f"{url}/likes")) == [mallory.id, bob.id]

    def test_is_right_when_its_post_comes_back(
        self,
        url: str,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        post: Post,
        bob: User,
        mallory: User,
        admin: User,
    ) -> None:
        like(session, post, bob, mallory)
        staff = sign_in(admin)

        staff.delete(url)
        staff.patch(f"{USERS}/{bob.id}", json={"status": "suspended"})
        staff.post(f"{TRASH}/posts/{post.id}/restoration")

        assert data(client.get(url))["likes_count"] == 1

    def test_orders_a_walk(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        users = [make_user(session) for _ in range(3)]
        posts = [make_post(session, ada) for _ in range(5)]
        for post, number in zip(posts, (1, 3, 0, 3, 2), strict=True):
            like(session, post, *users[:number])
        wanted = [posts[n].id for n in (3, 1, 4, 0, 2)]

        seen, query = [], "sort=-likes_count&limit=2"
        page = data(client.get(f"{POSTS}?{query}"))
        while True:
            seen += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            page = data(client.get(f"{POSTS}?{query}&cursor={page['next']}"))

        assert seen == wanted
        assert ids(client.get(f"{POSTS}?sort=likes_count")) == wanted[::-1]


class TestList:
    def test_has_profiles_the_newest_first(
        self, url: str, sign_in: SignIn, session: Session, post: Post, bob: User, admin: User
    ) -> None:
        like(session, post, bob, admin)

        newest, first = items(sign_in(admin).get(f"{url}/likes"))

        assert (newest["id"], first["id"]) == (admin.id, bob.id)
        public = {"id", "username", "name", "bio", "avatar_url", "role", "posts_count"}
        assert set(first) == {*public, "created_at", "liked_at"}
        assert newest["liked_at"] >= first["liked_at"] >= first["created_at"]

    def test_by_nobody(self, url: str, client: FlaskClient) -> None:
        assert code(client.get(f"{url}/likes")) == "unauthenticated"

    @pytest.mark.parametrize("query", ["", "?total=true", "?colour=red", "?cursor=x"])
    @pytest.mark.parametrize("kind", ["application/json", "text/csv"])
    def test_of_what_one_does_not_see(
        self, kind: str, query: str, sign_in: SignIn, session: Session, ada: User, bob: User
    ) -> None:
        draft = make_post(session, ada, status="draft")
        like(session, draft, ada)
        path, headers = f"{POSTS}/{draft.id}/likes{query}", {"Accept": kind}

        assert code(sign_in(bob).get(path, headers=headers)) == "not-found"
        if not query:
            assert sign_in(ada).get(path, headers=headers).status_code == 200

    def test_pages_masks_and_streams(
        self, url: str, sign_in: SignIn, session: Session, post: Post
    ) -> None:
        users = [make_user(session) for _ in range(5)]
        like(session, post, *users)
        caller, wanted = sign_in(users[0]), [each.id for each in reversed(users)]

        page = data(caller.get(f"{url}/likes?limit=2&fields=id"))
        seen = page["items"]
        while page["next"]:
            page = data(caller.get(f"{url}/likes?limit=2&fields=id&cursor={page['next']}"))
            seen += page["items"]
        lines = caller.get(f"{url}/likes?fields=id", headers={"Accept": "application/x-ndjson"})

        assert seen == [{"id": id} for id in wanted]
        assert lines.text.splitlines() == [f'{{"id":{id}}}' for id in wanted]
        assert ids(caller.get(f"{url}/likes?sort=liked_at")) == wanted[::-1]
        assert ids(caller.get(f"{url}/likes?ids={users[3].id},{2**40}")) == [users[3].id]
        tag = caller.get(f"{url}/likes").headers["ETag"]
        assert caller.get(f"{url}/likes", headers={"If-None-Match": tag}).status_code == 304

    def test_costs_three_queries(
        self,
        url: str,
        sign_in: SignIn,
        session: Session,
        post: Post,
        bob: User,
        count_queries: CountQueries,
    ) -> None:
        caller = sign_in(bob)
        for number in range(3):
            with count_queries() as queries:
                answer = data(caller.get(f"{url}/likes?total=true"))
            assert answer["total"] == number
            assert len([each for each in queries if "FROM revocations" not in each]) <= 3
            like(session, post, make_user(session))
