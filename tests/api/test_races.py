"""Races, run against two processes of a live server: what must hold however requests interleave."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from models import Change, Post, PostTag, User
from tests import databases
from tests.servers import LiveServer

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
PASSWORD = "a violin in Oslo"
TEXT = {"title": "Hello", "body": "x", "status": "published"}
#: Seconds after which a token must be refused everywhere.
SOON = 1.0

_serial = itertools.count(1)


def all_at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make every call in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(_patiently, call) for call in calls]]


def _patiently(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again where the server says that it is busy; it has done nothing then."""
    while (answer := call()).status_code == 503:
        assert answer.headers["Retry-After"]
    return answer


def told(answers: list[httpx.Response]) -> Counter[int | str]:
    """Count the answers: by status, problems by code."""
    return Counter(
        each.json()["code"] if each.status_code >= 400 else each.status_code for each in answers
    )


class World:
    """One live server, as its admin sees it, and its database."""

    def __init__(self, server: LiveServer, engine: sa.Engine) -> None:
        self.server = server
        self.engine = engine
        self.clients = ExitStack()
        self.admin = self.clients.enter_context(server.admin)

    def user(self, role: str = "author") -> tuple[int, httpx.Client]:
        """Make a user; return the id and a client that is signed in."""
        name = f"racer{next(_serial)}"
        body = {
            "username": name,
            "email": f"{name}@example.com",
            "password": PASSWORD,
            "role": role,
        }
        id = int(self.admin.post(USERS, json=body).raise_for_status().json()["id"])
        caller = self.server.caller(self.server.token(name, PASSWORD))
        return id, self.clients.enter_context(caller)

    def rows(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Any]:
        """Run a query on the server's database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]


@pytest.fixture
def world(server: LiveServer) -> Iterator[World]:
    engine = databases.connect(server.database_url)
    world = World(server, engine)
    with world.clients:
        yield world
    engine.dispose()
    assert '"level":"error"' not in server.log


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


class TestUsers:
    def test_of_a_hundred_sign_ups_with_one_email_one_is_made(self, world: World) -> None:
        name = f"racer{next(_serial)}"
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
                for each in world.admin.get(f"{TRASH}?type=users").json()["items"]
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
