"""Races of users on a live server, and tokens that end: on every worker, within a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
import sqlalchemy as sa

from models import Post, User
from tests.racing import PASSWORD, World, all_at_once, new_name, told

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "Hello", "body": "x", "status": "published"}
#: Seconds after which a token must be refused everywhere.
SOON = 1.0


class TestUsers:
    def test_of_a_hundred_sign_ups_with_one_email_one_is_made(self, world: World) -> None:
        name = new_name()
        client = world.server.client

        def sign_up(n: int) -> httpx.Response:
            email = "".join(
                letter.upper() if n >> at & 1 else letter for at, letter in enumerate(name)
            )
            body = {
                "username": f"{name}-{n}",
                "email": f"{email}@example.com",
                "password": PASSWORD,
            }
            return client.post(USERS, json=body)

        answers = all_at_once([partial(sign_up, n) for n in range(100)])

        assert told(answers) == {201: 1, "email-taken": 99}
        key = f"{name}@example.com"
        assert len(world.rows(sa.select(User.id).where(User.email_key == key))) == 1

    @pytest.mark.parametrize("how", ["delete", "demote", "suspend"])
    def test_of_admins_who_remove_each_other_one_remains(self, world: World, how: str) -> None:
        first = world.admin.get(f"{USERS}/me").json()["id"]
        admins = [world.user("admin") for _ in range(4)]
        keep = {"delete": None, "demote": {"role": "reader"}, "suspend": {"status": "suspended"}}

        def remove(caller: httpx.Client, id: int) -> httpx.Response:
            if keep[how] is None:
                return caller.delete(f"{USERS}/{id}")
            return caller.patch(f"{USERS}/{id}", json=keep[how])

        with only_admins(world, first):
            answers = all_at_once(
                [partial(remove, caller, id) for _, caller in admins for id, _ in admins]
            )
            statement = sa.select(sa.func.count()).where(
                User.role == "admin", User.status == "active", User.deleted_at.is_(None)
            )
            left = world.rows(statement)

        assert left == [(1,)], told(answers)
        assert sum(each.status_code < 400 for each in answers) >= 3
        assert all(each.status_code < 500 for each in answers)

    def test_deleted_while_they_post_leaves_nothing_alive(self, world: World) -> None:
        for _ in range(3):
            id, caller = world.user()

            answers = all_at_once(
                [partial(caller.post, POSTS, json={**TEXT, "title": "Last words"})] * 12
                + [partial(world.admin.delete, f"{USERS}/{id}")]
                + [partial(caller.post, POSTS, json={**TEXT, "title": "Last words"})] * 12
            )

            assert set(told(answers)) <= {201, 204, "unauthenticated"}
            assert told(answers)[204] == 1
            alive = sa.select(Post.id).where(Post.author_id == id, Post.deleted_at.is_(None))
            assert world.rows(alive) == []
            (root,) = (
                each
                for each in world.admin.get(f"{TRASH}?types=users").json()["items"]
                if each["id"] == id
            )
            assert root["children_count"] == told(answers)[201]
            restored = world.admin.post(f"{TRASH}/users/{id}/restoration").json()
            assert restored["posts_count"] == told(answers)[201]

    def test_deleted_while_a_post_comes_back(self, world: World) -> None:
        for _ in range(5):
            id, caller = world.user()
            post = caller.post(POSTS, json=TEXT).json()["id"]
            assert caller.delete(f"{POSTS}/{post}").status_code == 204

            answers = all_at_once(
                [
                    partial(world.admin.post, f"{TRASH}/posts/{post}/restoration"),
                    partial(world.admin.delete, f"{USERS}/{id}"),
                ]
            )

            assert set(told(answers)) <= {200, 204, "parent-deleted"}
            assert told(answers)[204] == 1
            stored = world.rows(sa.select(Post.deleted_at).where(Post.id == post))
            assert stored != [(None,)]


class TestTokens:
    @pytest.mark.parametrize(
        ("verb", "path", "body"),
        [
            ("PATCH", "", {"role": "reader"}),
            ("PATCH", "", {"status": "suspended"}),
            ("PUT", "/password", {"new_password": "another violin in Oslo"}),
            ("DELETE", "", None),
        ],
    )
    def test_end_within_a_second_on_every_worker(
        self, world: World, verb: str, path: str, body: object
    ) -> None:
        id, caller = world.user()
        for _ in range(8):
            assert caller.get(f"{USERS}/me").status_code == 200

        world.admin.request(verb, f"{USERS}/{id}{path}", json=body).raise_for_status()

        assert last_admitted(world, caller) < SOON

    def test_of_other_sign_ins_end_with_ones_own_new_password(self, world: World) -> None:
        id, caller = world.user()
        name = caller.get(f"{USERS}/me").json()["username"]
        grant = {"grant_type": "password", "username": name, "password": PASSWORD}
        other = world.server.client.post("/api/v1/auth/token", json=grant).json()["access_token"]
        body = {"current_password": PASSWORD, "new_password": "another violin in Oslo"}

        assert caller.put(f"{USERS}/me/password", json=body).status_code == 204

        with world.server.caller(other) as elsewhere:
            assert last_admitted(world, elsewhere) < SOON
        assert caller.get(f"{USERS}/me").json()["id"] == id


def last_admitted(world: World, caller: httpx.Client) -> float:
    """Ask any worker for longer than allowed; return when one answered last, in seconds."""
    start = last = time.monotonic()
    while (now := time.monotonic()) - start < SOON + 0.3:
        with world.server.caller() as client:  # a connection of its own
            client.headers["Authorization"] = caller.headers["Authorization"]
            if client.get(f"{USERS}/me").status_code == 200:
                last = now
    return last - start


@contextmanager
def only_admins(world: World, first: int) -> Iterator[None]:
    """Take the server's first admin out of the way for a while."""

    def give(role: str) -> None:
        with world.engine.connect().execution_options(signpost_writes=True) as connection:
            statement = sa.update(User).where(User.id == first).values(role=role)
            connection.execute(statement)
            connection.commit()

    give("reader")
    try:
        yield
    finally:
        give("admin")
