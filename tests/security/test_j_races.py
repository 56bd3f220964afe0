"""Section J: whoever comes at the same moment, one of them wins and the others are told."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import httpx
import pytest
import sqlalchemy as sa

from models import Change, Comment, Like, Post, Revision, User
from tests.conftest import MakeDatabase
from tests.databases import connect
from tests.security.crowd import Answer, Call, at_once, bearer
from tests.servers import ADMIN_PASSWORD, LiveServer, live_server

API = "/api/v1"
PASSWORD = "an elephant in Vienna"
PUBLIC = {"body": "b", "status": "published"}


@pytest.fixture(scope="module")
def alone(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of its own, whose only admin may go."""
    with live_server(make_database("admins"), tmp_path_factory.mktemp("admins")) as server:
        yield server


@pytest.fixture
def rows(server: LiveServer) -> Iterator[sa.Connection]:
    """A connection to the live server's database."""
    engine = connect(server.database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def count(rows: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
    """Return how many rows there are."""
    statement = sa.select(sa.func.count()).where(*conditions)
    return int(rows.execute(statement).scalar_one())


def mixed(text: str, number: int) -> str:
    """Return ``text`` in the ``number``-th mixture of small and capital letters."""
    return "".join(letter.upper() if number >> at & 1 else letter for at, letter in enumerate(text))


def one_wins(answers: list[Answer], *codes: str) -> None:
    """Check that one was accepted, and each other one refused for a reason that it can act on."""
    told = Counter(answer.code for answer in answers)
    assert told[""] == 1, told
    assert set(told) <= {"", "unavailable", *codes}, told
    for answer in answers:
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) > 0


class TestCase138:
    """One name, one user."""

    @pytest.mark.parametrize("name", ["email", "username"])
    def test_case_138_a_hundred_sign_ups(
        self, server: LiveServer, rows: sa.Connection, name: str
    ) -> None:
        # given
        calls = []
        for number in range(100):
            user = {"username": f"zq-{name}-{number}", "email": f"zq-{name}-{number}@example.org"}
            user[name] = mixed(f"zqrace{name}", number) + ("@example.org" * (name == "email"))
            calls.append(Call("POST", f"{API}/users", user | {"password": PASSWORD}))
        # when
        answers = at_once(server.url, calls)
        # then
        one_wins(answers, f"{name}-taken")
        key = {"email": User.email_key, "username": User.username_key}[name]
        assert count(rows, key.startswith(f"zqrace{name}")) == 1
        assert count(rows, User.username_key.startswith(f"zq-{name}-")) == (name == "email")


class TestCase139:
    """One version, one change."""

    @pytest.fixture
    def post(self, server: LiveServer) -> Iterator[tuple[int, str]]:
        """A post, and its tag."""
        with server.admin as admin:
            made = admin.post(f"{API}/posts", json={"title": "Race", "body": "0"})
            yield made.json()["id"], made.headers["ETag"]

    def test_case_139_fifty_changes_of_one_version(
        self, server: LiveServer, rows: sa.Connection, post: tuple[int, str]
    ) -> None:
        # given
        id, tag = post
        headers = bearer(server.admin_token) | {"If-Match": tag}
        # when
        answers = at_once(
            server.url,
            [Call("PATCH", f"{API}/posts/{id}", {"body": f"{n}"}, headers) for n in range(1, 51)],
        )
        # then
        told = Counter(answer.status for answer in answers)
        assert told == {200: 1, 412: 49}
        [winner] = (answer.body for answer in answers if answer.status == 200)
        shown = rows.execute(sa.select(Post.body, Post.version).where(Post.id == id)).one()
        assert shown == (winner["body"], 2)
        assert count(rows, Change.type == "posts", Change.id == id) == 2
        assert count(rows, Revision.type == "posts", Revision.id == id) == 2
        for answer in answers:
            if answer.status == 412:
                assert (answer.code, answer.headers["etag"][:3]) == ("precondition-failed", '"2-')

    def test_case_139_fifty_different_writes_of_one_version(
        self, server: LiveServer, rows: sa.Connection, post: tuple[int, str]
    ) -> None:
        # given
        id, tag = post
        url, headers = f"{API}/posts/{id}", bearer(server.admin_token) | {"If-Match": tag}
        kinds = [
            Call("PATCH", url, {"body": "patched"}, headers),
            Call("PUT", url, {"title": "Put", "body": "put"}, headers),
            Call("DELETE", url, None, headers),
            Call(
                "PATCH",
                url,
                [{"op": "replace", "path": "/body", "value": "by operations"}],
                headers | {"Content-Type": "application/json-patch+json"},
            ),
        ]
        # when
        answers = at_once(server.url, list(itertools.islice(itertools.cycle(kinds), 50)))
        # then
        one_wins(answers, "precondition-failed", "not-found")
        assert rows.execute(sa.select(Post.version).where(Post.id == id)).scalar_one() == 2
        assert count(rows, Change.type == "posts", Change.id == id) == 2

    def test_case_139_without_a_tag_all_are_counted(
        self, server: LiveServer, rows: sa.Connection, post: tuple[int, str]
    ) -> None:
        # given
        id, headers = post[0], bearer(server.admin_token)
        # when
        answers = at_once(
            server.url,
            [Call("PATCH", f"{API}/posts/{id}", {"body": f"{n}"}, headers) for n in range(1, 51)],
        )
        # then
        assert {answer.status for answer in answers} <= {200, 503}
        done = [answer.body["version"] for answer in answers if answer.status == 200]
        assert sorted(done) == list(range(2, len(done) + 2))
        assert count(rows, Revision.type == "posts", Revision.id == id) == len(done) + 1

    def test_case_139_one_slug(self, server: LiveServer, rows: sa.Connection) -> None:
        # given
        headers = bearer(server.admin_token)
        new = {"title": "Race", "body": "b", "slug": "zq-one-slug"}
        # when
        named = at_once(server.url, [Call("POST", f"{API}/posts", new, headers)] * 20)
        made = [Call("POST", f"{API}/posts", {"title": "ZQ of all", "body": "b"}, headers)] * 20
        slugs = [each.body["slug"] for each in at_once(server.url, made) if each.status == 201]
        # then
        one_wins(named, "slug-taken")
        assert count(rows, Post.slug == "zq-one-slug") == 1
        assert len(slugs) == len(set(slugs)) > 0


class TestCase142:
    """Somebody stays who can let others in."""

    @pytest.mark.parametrize(
        "how",
        [
            ("DELETE", "DELETE"),
            ("DELETE", "demote"),
            ("demote", "demote"),
            ("suspend", "suspend"),
            ("suspend", "demote"),
            ("DELETE", "DELETE", "DELETE"),
            ("demote", "suspend", "DELETE", "demote"),
        ],
        ids="-".join,
    )
    def test_case_142_admins_remove_each_other(
        self, alone: LiveServer, how: tuple[str, ...]
    ) -> None:
        # given
        survivors = self.admins(alone)
        [first] = survivors
        with alone.caller(sign_in(alone, first)) as caller:
            others = [new_admin(caller, f"{'-'.join(how)}-{n}") for n in range(1, len(how))]
        ids = survivors | dict(others)
        tokens = [sign_in(alone, name) for name in ids]
        # when
        victims = [*list(ids.values())[1:], next(iter(ids.values()))]
        answers = at_once(alone.url, list(map(removal, how, victims, tokens)))
        # then
        told = [answer.status for answer in answers]
        assert len([status for status in told if status < 300]) >= 1
        assert set(told) <= {200, 204, 401, 403, 404, 409, 503}, told
        left = self.admins(alone)
        assert len(left) >= 1
        # cleaned up for the next one
        keep, *rest = left
        with alone.caller(sign_in(alone, keep)) as caller:
            for name in rest:
                assert caller.delete(f"{API}/users/{left[name]}").status_code == 204
            last = caller.delete(f"{API}/users/me")
        assert (last.status_code, last.json()["code"]) == (409, "last-admin")

    def admins(self, server: LiveServer) -> dict[str, int]:
        """Return the active admins."""
        engine = connect(server.database_url)
        statement = sa.select(User.username, User.id).where(
            User.role == "admin", User.status == "active", User.deleted_at.is_(None)
        )
        with engine.connect() as connection:
            found = {row.username: row.id for row in connection.execute(statement)}
        engine.dispose()
        return found


def new_admin(caller: httpx.Client, name: str) -> tuple[str, int]:
    """Make another admin."""
    user = {"username": name, "email": f"{name}@example.org", "password": ADMIN_PASSWORD}
    answer = caller.post(f"{API}/users", json=user | {"role": "admin"})
    assert answer.status_code == 201, answer.text
    return name, answer.json()["id"]


def sign_in(server: LiveServer, name: str) -> str:
    """Return a new token of an admin."""
    grant = {"grant_type": "password", "username": name, "password": ADMIN_PASSWORD}
    answer = server.client.post(f"{API}/auth/token", json=grant)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def removal(how: str, id: int, token: str) -> Call:
    """Return a call by which an admin is no admin any more."""
    body = {"demote": {"role": "author"}, "suspend": {"status": "suspended"}}.get(how)
    method = "PATCH" if body else "DELETE"
    return Call(method, f"{API}/users/{id}", body, bearer(token))


class TestCase143:
    """What belongs to a post is counted and goes with it, whoever is faster."""

    def test_case_143_comments_and_likes_while_the_post_comes_and_goes(
        self, server: LiveServer, rows: sa.Connection
    ) -> None:
        # given
        with server.admin as admin:
            people = dict(new_reader(admin, f"zq-143-{n}") for n in range(8))
            post = admin.post(f"{API}/posts", json=PUBLIC | {"title": "Visited"}).json()["id"]
        tokens = [sign_in(server, name) for name in people]
        victim, path = next(iter(people.values())), f"{API}/posts/{post}"
        said = [Call("POST", f"{path}/comments", {"body": f"{n}"}) for n in range(50)]
        liked = [Call(("PUT", "DELETE")[n % 3 == 2], f"{path}/like") for n in range(50)]
        calls = [
            replace(call, headers=bearer(tokens[n % len(tokens)]))
            for n, call in enumerate([*said, *liked])
        ]
        # when
        with ThreadPoolExecutor(2) as others:
            going = others.submit(come_and_go, server, f"posts/{post}")
            blinking = others.submit(suspend_and_back, server, victim)
            answers = [answer for _ in range(3) for answer in at_once(server.url, calls)]
            assert going.result() + blinking.result() == []
        # then
        told = Counter(answer.status for answer in answers)
        assert set(told) <= {201, 204, 401, 404, 503}, told
        made = {answer.body["id"] for answer in answers if answer.status == 201}
        living = (Comment.post_id == post, Comment.deleted_at.is_(None))
        assert set(rows.scalars(sa.select(Comment.id).where(*living))) == made
        likes = count(rows, Like.post_id == post)
        kept = sa.select(Post.comments_count, Post.likes_count).where(Post.id == post)
        assert tuple(rows.execute(kept).one()) == (len(made), likes)
        assert told[201] > 0
        for change, item in ((Comment.post_id, Post.id), (Like.post_id, Post.id)):
            assert count(rows, change.not_in(sa.select(item))) == 0
        newest = sa.select(sa.func.max(Change.seq)).where(Change.type == "comments")
        newest = newest.where(Change.id.in_(made)).group_by(Change.id)
        assert count(rows, Change.seq.in_(newest), Change.now == 2) == len(made)

    def test_case_143_comments_while_their_post_is_purged(
        self, server: LiveServer, rows: sa.Connection
    ) -> None:
        # given
        headers = bearer(server.admin_token)
        with server.admin as admin:
            post = admin.post(f"{API}/posts", json=PUBLIC | {"title": "Doomed"}).json()["id"]
        calls = [Call("POST", f"{API}/posts/{post}/comments", {"body": "x"}, headers)] * 50
        gone = [Call("DELETE", f"{API}/posts/{post}", None, headers)]
        purged = [Call("DELETE", f"{API}/trash/posts/{post}", None, headers)] * 20
        # when
        answers = at_once(server.url, [*calls[:20], *gone, *calls[20:], *purged])
        answers += at_once(server.url, purged[:1])
        # then
        assert {answer.status for answer in answers} <= {201, 204, 404, 409, 503}
        assert count(rows, Comment.post_id == post) == count(rows, Post.id == post) == 0


def new_reader(caller: httpx.Client, name: str) -> tuple[str, int]:
    """Make a reader."""
    user = {"username": name, "email": f"{name}@example.org", "password": ADMIN_PASSWORD}
    answer = caller.post(f"{API}/users", json=user | {"role": "reader"})
    assert answer.status_code == 201, answer.text
    return name, answer.json()["id"]


def come_and_go(server: LiveServer, path: str) -> list[int]:
    """Delete and restore an item again and again; return unexpected statuses."""
    with server.admin as admin:
        found = []
        for _ in range(12):
            found += [patiently(lambda: admin.delete(f"{API}/{path}"))]
            found += [patiently(lambda: admin.post(f"{API}/trash/{path}/restoration"))]
    return [status for status in found if status not in {200, 204}]


def suspend_and_back(server: LiveServer, user_id: int) -> list[int]:
    """Suspend a user and bring them back again and again; return unexpected statuses."""
    with server.admin as admin:
        url = f"{API}/users/{user_id}"
        found = [
            patiently(partial(admin.patch, url, json={"status": status}))
            for status in ("suspended", "active") * 6
        ]
    return [status for status in found if status != 200]


def patiently(call: Callable[[], httpx.Response]) -> int:
    """Ask until the server is not too busy; return the status."""
    while (answer := call()).status_code == 503:
        assert answer.headers["Retry-After"]
    return answer.status_code
