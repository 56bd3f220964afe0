"""Follows: who may follow whom, and who is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Follow, User
from services import clock
from tests.answers import code, data, ids, items
from tests.factories import make_user

SignIn = Callable[[User], FlaskClient]

USERS, TRASH = "/api/v1/users", "/api/v1/trash"


def rows(session: Session) -> list[tuple[int, ...]]:
    """Return follower and followed of every follow."""
    statement = sa.select(Follow.follower_id, Follow.followed_id).order_by(Follow.id)
    return [tuple(row) for row in session.execute(statement)]


class TestPut:
    def test_twice(self, sign_in: SignIn, session: Session, ada: User, bob: User) -> None:
        caller = sign_in(bob)

        answers = [caller.put(f"{USERS}/{ada.id}/follow") for _ in range(2)]

        assert [(each.status_code, each.data) for each in answers] == [(204, b"")] * 2
        assert rows(session) == [(bob.id, ada.id)]
        assert session.scalars(sa.select(Change)).all() == []

    def test_each_other(self, sign_in: SignIn, session: Session, ada: User, bob: User) -> None:
        sign_in(bob).put(f"{USERS}/{ada.id}/follow")
        sign_in(ada).put(f"{USERS}/{bob.id}/follow")

        assert rows(session) == [(bob.id, ada.id), (ada.id, bob.id)]

    def test_oneself(self, sign_in: SignIn, session: Session, bob: User) -> None:
        caller = sign_in(bob)

        assert code(caller.put(f"{USERS}/{bob.id}/follow")) == "conflict"
        assert code(caller.put(f"{USERS}/me/follow")) == "conflict"
        assert caller.delete(f"{USERS}/me/follow").status_code == 204
        assert rows(session) == []

    def test_by_nobody(self, client: FlaskClient, session: Session, ada: User) -> None:
        assert code(client.put(f"{USERS}/{ada.id}/follow")) == "unauthenticated"
        assert code(client.put(f"{USERS}/me/follow")) == "unauthenticated"
        assert rows(session) == []

    @pytest.mark.parametrize("why", ["suspended", "deleted", "missing"])
    @pytest.mark.parametrize("verb", ["put", "delete"])
    def test_whom_one_does_not_see(
        self, verb: str, why: str, sign_in: SignIn, session: Session, bob: User
    ) -> None:
        changes: dict[str, dict[str, Any]] = {
            "suspended": {"status": "suspended"},
            "deleted": {"deleted_at": clock.now()},
        }
        hidden = make_user(session, **changes.get(why, {}))
        path = f"{USERS}/{hidden.id + (why == 'missing')}/follow"
        call = getattr(sign_in(bob), verb)

        assert code(call(path)) == code(call(f"{path}?colour=red")) == "not-found"
        assert rows(session) == []


class TestDelete:
    def test_twice(
        self, sign_in: SignIn, session: Session, ada: User, bob: User, mallory: User
    ) -> None:
        caller = sign_in(bob)
        for each in (ada, mallory):
            caller.put(f"{USERS}/{each.id}/follow")

        answers = [caller.delete(f"{USERS}/{ada.id}/follow").status_code for _ in range(2)]

        assert answers == [204, 204]
        assert rows(session) == [(bob.id, mallory.id)]


class TestLists:
    def test_by_anyone_the_newest_first(
        self, client: FlaskClient, sign_in: SignIn, ada: User, bob: User, mallory: User
    ) -> None:
        for follower in (bob, mallory):
            sign_in(follower).put(f"{USERS}/{ada.id}/follow")
        sign_in(bob).put(f"{USERS}/{mallory.id}/follow")

        followers = items(client.get(f"{USERS}/{ada.id}/followers"))

        assert [each["id"] for each in followers] == [mallory.id, bob.id]
        public = {"id", "username", "name", "bio", "avatar_url", "role", "posts_count"}
        assert set(followers[0]) == {*public, "created_at", "followed_at"}
        assert ids(client.get(f"{USERS}/{bob.id}/following")) == [mallory.id, ada.id]
        assert ids(client.get(f"{USERS}/{ada.id}/following")) == []
        assert data(client.get(f"{USERS}/{ada.id}/followers?total=true&limit=1"))["total"] == 2

    def test_tell_whom_of_some_one_follows(
        self, sign_in: SignIn, ada: User, bob: User, mallory: User
    ) -> None:
        caller = sign_in(bob)
        caller.put(f"{USERS}/{ada.id}/follow")
        query = f"?ids={ada.id},{mallory.id}&fields=id"

        assert data(caller.get(f"{USERS}/me/following{query}"))["items"] == [{"id": ada.id}]
        assert ids(caller.get(f"{USERS}/me/followers{query}")) == []

    def test_show_no_email_to_admins(
        self, sign_in: SignIn, ada: User, bob: User, admin: User
    ) -> None:
        sign_in(bob).put(f"{USERS}/{ada.id}/follow")

        answer = sign_in(admin).get(f"{USERS}/{ada.id}/followers")

        assert bob.email not in answer.text

    @pytest.mark.parametrize("way", ["suspended", "deleted"])
    def test_hide_who_is_gone_and_bring_them_back(
        self, way: str, client: FlaskClient, sign_in: SignIn, ada: User, bob: User, admin: User
    ) -> None:
        sign_in(bob).put(f"{USERS}/{ada.id}/follow")
        sign_in(ada).put(f"{USERS}/{bob.id}/follow")
        staff, person = sign_in(admin), f"{USERS}/{bob.id}"
        lists = [f"{USERS}/{ada.id}/{name}" for name in ("followers", "following")]

        if way == "suspended":
            staff.patch(person, json={"status": "suspended"})
        else:
            staff.delete(person)

        for caller in (client, staff, sign_in(ada)):
            assert [ids(caller.get(url)) for url in lists] == [[], []]
        assert code(client.get(f"{person}/followers")) == "not-found"
        assert code(client.get(f"{person}/following?colour=red")) == "not-found"
        if way == "suspended":
            staff.patch(person, json={"status": "active"})
        else:
            staff.post(f"{TRASH}/users/{bob.id}/restoration")
        assert [ids(client.get(url)) for url in lists] == [[bob.id], [bob.id]]
        assert ids(client.get(f"{person}/following")) == [ada.id]

    def test_forget_who_is_purged(
        self, sign_in: SignIn, session: Session, ada: User, bob: User, admin: User
    ) -> None:
        sign_in(bob).put(f"{USERS}/{ada.id}/follow")
        sign_in(ada).put(f"{USERS}/{bob.id}/follow")
        staff = sign_in(admin)

        staff.delete(f"{USERS}/{bob.id}")
        assert staff.delete(f"{TRASH}/users/{bob.id}").status_code == 204

        assert rows(session) == []

    def test_stream(self, client: FlaskClient, sign_in: SignIn, ada: User, bob: User) -> None:
        sign_in(bob).put(f"{USERS}/{ada.id}/follow")

        answer = client.get(f"{USERS}/{ada.id}/followers", headers={"Accept": "text/csv"})

        head, line = answer.text.splitlines()
        assert head.startswith("id,username,")
        assert line.startswith(f"{bob.id},bob,")
