"""Races of posts on a live server: what must hold however requests interleave."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from models import Change, Post, PostTag
from tests.racing import World, all_at_once, told

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "Hello", "body": "x", "status": "published"}


def versions(world: World, id: int) -> list[Any]:
    """Return (op, version) of each row of the log about a post."""
    return world.rows(
        sa.select(Change.op, Change.version)
        .where(Change.type == "posts", Change.id == id)
        .order_by(Change.seq)
    )


class TestPosts:
    def test_of_fifty_changes_with_one_etag_one_is_made(self, world: World) -> None:
        _, caller = world.user()
        made = caller.post(POSTS, json=TEXT).raise_for_status()
        url, headers = made.headers["Location"], {"If-Match": made.headers["ETag"]}

        answers = all_at_once(
            [
                partial(caller.patch, url, json={"title": f"Title {n}"}, headers=headers)
                for n in range(50)
            ]
        )

        assert told(answers) == {200: 1, "precondition-failed": 49}
        (winner,) = (each.json() for each in answers if each.status_code == 200)
        now = caller.get(url)
        assert now.json() == winner
        assert winner["version"] == 2
        assert {each.headers["ETag"] for each in answers} == {now.headers["ETag"]}
        assert versions(world, winner["id"]) == [("create", 1), ("update", 2)]

    def test_changes_without_an_etag_are_all_made_one_after_the_other(self, world: World) -> None:
        _, caller = world.user()
        url = caller.post(POSTS, json=TEXT).headers["Location"]

        answers = all_at_once(
            [partial(caller.patch, url, json={"title": f"Title {n}"}) for n in range(30)]
        )

        assert told(answers) == {200: 30}
        assert sorted(each.json()["version"] for each in answers) == list(range(2, 32))

    def test_of_one_title_get_slugs_of_their_own(self, world: World) -> None:
        _, caller = world.user()

        answers = all_at_once(
            [lambda: caller.post(POSTS, json={**TEXT, "title": "One title"}) for _ in range(40)]
        )

        assert told(answers) == {201: 40}
        assert len({each.json()["slug"] for each in answers}) == 40

    def test_of_one_slug_one_is_made(self, world: World) -> None:
        _, caller = world.user()

        answers = all_at_once(
            [lambda: caller.post(POSTS, json={**TEXT, "slug": "only-one"}) for _ in range(30)]
        )

        assert told(answers) == {201: 1, "slug-taken": 29}
        refused = [each.json() for each in answers if each.status_code == 409]
        assert {each["suggestion"] for each in refused} == {"only-one-2"}

    def test_deleted_restored_and_purged_at_once(self, world: World) -> None:
        _, caller = world.user()
        for _ in range(5):
            made = caller.post(POSTS, json={**TEXT, "tags": ["t"]}).json()
            url, trash = f"{POSTS}/{made['id']}", f"{TRASH}/posts/{made['id']}"
            deleted = all_at_once([partial(caller.delete, url)] * 4)
            assert told(deleted) == {204: 1, "not-found": 3}

            answers = all_at_once(
                [partial(caller.post, f"{trash}/restoration")] * 4
                + [partial(caller.delete, trash)] * 4
            )

            assert sum(each.status_code < 400 for each in answers) == 1, told(answers)
            assert told(answers)["not-found"] == 7
            is_there = any(each.status_code == 200 for each in answers)
            assert caller.get(url).status_code == (200 if is_there else 404)
            stored = world.rows(sa.select(Post.deleted_at).where(Post.id == made["id"]))
            assert stored == ([(None,)] if is_there else [])
            tags = sa.select(PostTag.key).where(PostTag.post_id == made["id"])
            assert len(world.rows(tags)) == is_there
            assert [v for _, v in versions(world, made["id"])] == (
                [1, 2, 3] if is_there else [1, 2]
            )

    def test_changed_while_their_author_is_suspended_are_logged_as_seen(self, world: World) -> None:
        """The feed believes the log: who saw a post before a change saw it after the last one."""
        id, caller = world.user()
        posts = [caller.post(POSTS, json=TEXT).json()["id"] for _ in range(3)]
        for n in range(4):
            changes = [
                partial(world.admin.patch, f"{POSTS}/{post}", json={"title": f"{n} {m}"})
                for post in posts
                for m in range(4)
            ]
            flips = [
                partial(world.admin.patch, f"{USERS}/{id}", json={"status": status})
                for status in ("suspended", "active", "suspended", "active")
            ]
            mixed = [call for pair in zip(changes, flips * 3, strict=True) for call in pair]

            assert told(all_at_once(mixed)) == {200: len(mixed)}

        for post in posts:
            audiences = world.rows(
                sa.select(Change.was, Change.now)
                .where(Change.type == "posts", Change.id == post)
                .order_by(Change.seq)
            )
            for (_, seen), (was, _) in pairwise(audiences):
                assert was == seen
