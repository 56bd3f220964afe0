"""Purging: rows and revisions are gone, names are free again, and the log forgets who it was."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Deletion, Post, PostSlug, PostTag, Revision, User, UserSession
from tests.answers import code, data, faults, items
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
SIGN_UP = {"username": "Ada", "email": "ADA@example.com", "password": "a violin in Oslo"}


def count(session: Session, model: type[object]) -> int:
    """Return how many rows a table has."""
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def log_of(session: Session, type: str) -> list[tuple[object, ...]]:
    """Return (op, actor, owner) of each row of the log."""
    rows = session.execute(
        sa.select(Change.op, Change.actor_id, Change.owner_id)
        .where(Change.type == type)
        .order_by(Change.seq)
    )
    return [tuple(row) for row in rows]


class TestPost:
    def test_leaves_only_tombstones(self, sign_in: SignIn, session: Session, ada: User) -> None:
        author = sign_in(ada)
        made = data(author.post(POSTS, json={"title": "a", "body": "b", "tags": ["x"]}), 201)
        url = f"{POSTS}/{made['id']}"
        data(author.patch(url, json={"slug": "other"}))
        assert author.delete(url).status_code == 204

        answer = author.delete(f"{TRASH}/posts/{made['id']}")

        assert answer.status_code == 204
        for model in (Post, PostTag, PostSlug, Revision, Deletion):
            assert count(session, model) == 0, model
        ops = log_of(session, "posts")
        assert [op for op, *_ in ops][:3] == ["create", "update", "delete"]
        assert {actor for _, actor, _ in ops[:3]} == {None}
        assert items(author.get(TRASH)) == []
        assert code(author.post(f"{TRASH}/posts/{made['id']}/restoration")) == "not-found"

    def test_never_gives_an_id_again(self, sign_in: SignIn, session: Session, ada: User) -> None:
        author, text = sign_in(ada), {"title": "a", "body": "b"}
        first = data(author.post(POSTS, json=text), 201)["id"]
        assert author.delete(f"{POSTS}/{first}").status_code == 204
        assert author.delete(f"{TRASH}/posts/{first}").status_code == 204

        assert data(author.post(POSTS, json=text), 201)["id"] > first

    def test_of_a_living_one(self, sign_in: SignIn, session: Session, admin: User) -> None:
        post = make_post(session, admin)

        assert code(sign_in(admin).delete(f"{TRASH}/posts/{post.id}")) == "not-found"
        assert count(session, Post) == 1

    def test_of_a_child_of_what_is_deleted(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        post, root = make_post(session, ada), sign_in(admin)
        assert root.delete(f"{USERS}/{ada.id}").status_code == 204

        assert code(root.delete(f"{TRASH}/posts/{post.id}")) == "parent-deleted"
        assert count(session, Post) == 1


class TestUser:
    def test_takes_along_all_they_wrote(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        author, root = sign_in(ada), sign_in(admin)
        text = {"title": "a", "body": "b"}
        first, _ = (data(author.post(POSTS, json=text), 201)["id"] for _ in range(2))
        kept = make_post(session, admin)
        assert author.delete(f"{POSTS}/{first}").status_code == 204
        assert root.delete(f"{USERS}/{ada.id}").status_code == 204

        assert root.delete(f"{TRASH}/users/{ada.id}").status_code == 204

        assert session.scalars(sa.select(Post.id)).all() == [kept.id]
        assert session.scalars(sa.select(User.id)).all() == [admin.id]
        assert session.scalars(sa.select(UserSession.user_id)).all() == [admin.id]
        assert count(session, Revision) == 0
        assert count(session, Deletion) == 0
        assert items(root.get(TRASH)) == []
        known = {
            id for type in ("users", "posts") for _, *ids in log_of(session, type) for id in ids
        }
        assert ada.id not in known

    def test_frees_username_and_email(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        root = sign_in(admin)
        assert root.delete(f"{USERS}/{ada.id}").status_code == 204

        taken = client.post(USERS, json=SIGN_UP)
        assert root.delete(f"{TRASH}/users/{ada.id}").status_code == 204
        free = client.post(USERS, json=SIGN_UP)

        assert code(taken) == "username-taken"
        assert faults(taken) == {"username": "taken", "email": "taken"}
        assert data(free, 201)["id"] != ada.id

    def test_by_editors_and_by_oneself(
        self, sign_in: SignIn, session: Session, ada: User, editor: User, admin: User
    ) -> None:
        assert sign_in(admin).delete(f"{USERS}/{ada.id}").status_code == 204

        assert code(sign_in(editor).delete(f"{TRASH}/users/{ada.id}")) == "not-found"
        assert count(session, User) == 3
