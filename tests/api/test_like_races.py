"""Races of likes and follows on a live server: counts are exact however requests interleave."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from models import Follow, Like, Post, User
from tests.racing import World, all_at_once, told

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "Hello", "body": "x", "status": "published"}


def counted(world: World, posts: list[int]) -> list[int]:
    """Return the kept counts of posts."""
    statement = sa.select(Post.likes_count).where(Post.id.in_(posts)).order_by(Post.id)
    return [count for (count,) in world.rows(statement)]


def stored(world: World, posts: list[int]) -> list[int]:
    """Return how many living, active users like each post."""
    likes = sa.select(sa.func.count()).select_from(Like).join(User, User.id == Like.user_id)
    likes = likes.where(Like.post_id == Post.id, User.status == "active")
    likes = likes.where(User.deleted_at.is_(None)).correlate(Post)
    statement = sa.select(likes.scalar_subquery()).where(Post.id.in_(posts)).order_by(Post.id)
    return [count for (count,) in world.rows(statement)]


class TestLikes:
    def test_of_one_user_count_once(self, world: World) -> None:
        _, caller = world.user()
        url = caller.post(POSTS, json=TEXT).headers["Location"]

        assert told(all_at_once([partial(caller.put, f"{url}/like")] * 30)) == {204: 30}

        assert caller.get(url).json()["likes_count"] == 1
        assert told(all_at_once([partial(caller.delete, f"{url}/like")] * 30)) == {204: 30}
        assert caller.get(url).json()["likes_count"] == 0

    def test_of_many_users_are_all_counted(self, world: World) -> None:
        people = [world.user("reader")[1] for _ in range(12)]
        _, author = world.user()
        url = author.post(POSTS, json=TEXT).headers["Location"]
        changes = [partial(author.patch, url, json={"title": f"Title {n}"}) for n in range(6)]

        answers = all_at_once([partial(each.put, f"{url}/like") for each in people] * 3 + changes)

        assert told(answers) == {204: 36, 200: 6}
        shown = people[0].get(url).json()
        assert (shown["likes_count"], shown["liked"], shown["version"]) == (12, True, 7)

    def test_while_those_who_like_and_who_wrote_come_and_go(self, world: World) -> None:
        people = [world.user() for _ in range(6)]
        posts = [
            caller.post(POSTS, json=TEXT).raise_for_status().json()["id"] for _, caller in people
        ]
        (gone, blinking), admin = [id for id, _ in people[:2]], world.admin
        likes = [
            partial((caller.put, caller.put, caller.delete)[(n + m) % 3], f"{POSTS}/{post}/like")
            for n, (_, caller) in enumerate(people[2:])
            for m, post in enumerate(posts)
        ]
        for _, caller in people[:2]:
            for post in posts:
                assert caller.put(f"{POSTS}/{post}/like").status_code == 204

        for _ in range(3):
            person, trash = f"{USERS}/{gone}", f"{TRASH}/users/{gone}"
            status = partial(admin.patch, f"{USERS}/{blinking}")
            moves = [
                partial(admin.delete, person),
                partial(status, json={"status": "suspended"}),
                partial(admin.post, f"{trash}/restoration"),
                partial(status, json={"status": "active"}),
            ]
            answers = all_at_once([*likes[:8], *moves, *likes[8:]])
            assert set(told(answers)) <= {200, 204, "not-found"}, told(answers)
            assert counted(world, posts) == stored(world, posts)

    def test_leave_nothing_on_a_post_that_is_purged(self, world: World) -> None:
        people = [world.user("reader")[1] for _ in range(6)]
        _, author = world.user()
        made = author.post(POSTS, json=TEXT).json()
        url, trash = f"{POSTS}/{made['id']}", f"{TRASH}/posts/{made['id']}"
        likes = [partial(each.put, f"{url}/like") for each in people]

        answers = all_at_once(
            [*likes, partial(author.delete, url), partial(author.delete, trash), *likes]
        )

        assert set(told(answers)) <= {204, "not-found"}, told(answers)
        author.delete(trash)
        assert world.rows(sa.select(Like.id).where(Like.post_id == made["id"])) == []


class TestFollows:
    def test_of_each_other_at_once(self, world: World) -> None:
        people = [world.user("reader") for _ in range(5)]
        pairs = [(caller, id) for own, caller in people for id, _ in people if id != own]

        answers = all_at_once(
            [partial(caller.put, f"{USERS}/{id}/follow") for caller, id in pairs] * 2
        )

        assert told(answers) == {204: 40}
        ids = [id for id, _ in people]
        made = world.rows(sa.select(Follow.id).where(Follow.follower_id.in_(ids)))
        assert len(made) == 20
