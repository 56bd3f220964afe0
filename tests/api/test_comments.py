"""Comments over HTTP: made, read, changed, deleted, by whom and with what consequences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Comment, Post, Revision, User
from services import clock
from tests.answers import code, data, faults
from tests.factories import make_comment, make_post
from tests.logged import log_of

SignIn = Callable[[User], FlaskClient]

API = "/api/v1"
MEMBERS = {"id", "post_id", "parent_id", "body", "author", "version", "created_at", "updated_at"}


@pytest.fixture
def url(post: Post) -> str:
    """Return the URL of the comments on the post."""
    return f"{API}/posts/{post.id}/comments"


def counted(session: Session, post: Post) -> int:
    """Return the number of comments that the post keeps."""
    session.rollback()
    number = session.scalar(sa.select(Post.comments_count).where(Post.id == post.id))
    session.rollback()
    assert number is not None
    return number


class TestCreate:
    def test_by_a_reader(
        self, sign_in: SignIn, bob: User, session: Session, post: Post, url: str
    ) -> None:
        answer = sign_in(bob).post(url, json={"body": "Well\n  said.  "})

        made = data(answer, 201)
        assert set(made) == MEMBERS
        assert answer.headers["Location"] == f"{API}/comments/{made['id']}"
        assert answer.headers["ETag"].startswith('"1-')
        assert (made["post_id"], made["parent_id"]) == (post.id, None)
        assert made["body"] == "Well\n  said.  "
        author = {"id": bob.id, "username": "bob", "name": None, "avatar_url": None}
        assert made["author"] == author
        assert counted(session, post) == 1
        assert log_of(session, "comments", made["id"]) == [("create", 1, 0, 2)]
        kept = session.scalar(sa.select(Revision.snapshot).where(Revision.type == "comments"))
        assert kept == {"body": made["body"]}

    def test_as_an_answer(
        self, sign_in: SignIn, bob: User, ada: User, session: Session, post: Post, url: str
    ) -> None:
        parent = make_comment(session, post, bob)

        made = data(sign_in(ada).post(url, json={"body": "Thanks.", "parent_id": parent.id}), 201)

        assert made["parent_id"] == parent.id
        assert counted(session, post) == 2

    def test_by_nobody(self, client: FlaskClient, session: Session, post: Post, url: str) -> None:
        assert code(client.post(url, json={"body": "Hi."})) == "unauthenticated"
        assert counted(session, post) == 0

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({}, {"body": "required"}),
            ({"body": ""}, {"body": "too_short"}),
            ({"body": None}, {"body": "null"}),
            ({"body": 7}, {"body": "type"}),
            ({"body": "x" * 5_001}, {"body": "too_long"}),
            ({"body": "x", "parent_id": "1"}, {"parent_id": "type"}),
            ({"body": "x", "parent_id": 0}, {"parent_id": "too_small"}),
            ({"body": "x", "post_id": 1, "id": 1}, {"post_id": "read_only", "id": "read_only"}),
            ({"body": "x", "author_id": 1}, {"author_id": "unknown"}),
            ({"body": "x", "parent_id": 99_999}, {"parent_id": "choice"}),
        ],
    )
    def test_of_what_is_wrong(
        self,
        sign_in: SignIn,
        bob: User,
        session: Session,
        post: Post,
        url: str,
        body: object,
        told: dict[str, str],
    ) -> None:
        assert faults(sign_in(bob).post(url, json=body)) == told
        assert counted(session, post) == 0
        assert session.scalars(sa.select(Change)).all() == []

    @pytest.mark.parametrize("why", ["other post", "deleted", "suspended"])
    def test_as_an_answer_to_what_is_not_there(
        self, sign_in: SignIn, bob: User, mallory: User, session: Session, url: str, why: str
    ) -> None:
        post = session.scalars(sa.select(Post)).one()
        other = make_post(session, mallory)
        gone = {"deleted_at": clock.now()} if why == "deleted" else {}
        parent = make_comment(session, other if why == "other post" else post, mallory, **gone)
        if why == "suspended":
            mallory.status = "suspended"
            session.commit()

        answer = sign_in(bob).post(url, json={"body": "x", "parent_id": parent.id})

        assert faults(answer) == {"parent_id": "choice"}

    @pytest.mark.parametrize("why", ["draft", "scheduled", "deleted", "none"])
    def test_on_what_is_not_visible(
        self, sign_in: SignIn, bob: User, ada: User, session: Session, why: str
    ) -> None:
        changes: dict[str, dict[str, Any]] = {
            "draft": {"status": "draft"},
            "scheduled": {"published_at": clock.now() + timedelta(hours=1)},
            "deleted": {"deleted_at": clock.now()},
        }
        id = 99_999 if why == "none" else make_post(session, ada, **changes[why]).id

        answers = [
            sign_in(bob).post(f"{API}/posts/{id}/comments", json={"body": "x"}),
            sign_in(bob).post(f"{API}/posts/{id}/comments", data="not JSON"),
            sign_in(bob).get(f"{API}/posts/{id}/comments"),
        ]

        assert [code(each) for each in answers] == ["not-found"] * 3
        assert session.scalars(sa.select(Comment)).all() == []


class TestChange:
    @pytest.fixture
    def comment(self, session: Session, post: Post, bob: User) -> Comment:
        """A comment by bob."""
        return make_comment(session, post, bob)

    @pytest.mark.parametrize("verb", ["put", "patch", "operations"])
    def test_by_its_author(
        self, sign_in: SignIn, bob: User, session: Session, comment: Comment, verb: str
    ) -> None:
        caller, at = sign_in(bob), f"{API}/comments/{comment.id}"
        if verb == "operations":
            operations = [{"op": "replace", "path": "/body", "value": "Better."}]
            answer = caller.patch(at, json=operations, content_type="application/json-patch+json")
        else:
            answer = caller.open(at, method=verb.upper(), json={"body": "Better."})

        changed = data(answer)
        assert (changed["body"], changed["version"]) == ("Better.", 2)
        assert changed["updated_at"] > changed["created_at"]
        assert log_of(session, "comments", comment.id) == [("update", 2, 2, 2)]

    def test_by_an_editor(self, sign_in: SignIn, editor: User, comment: Comment) -> None:
        answer = sign_in(editor).patch(f"{API}/comments/{comment.id}", json={"body": "Mild."})
        assert data(answer)["author"]["username"] == "bob"

    @pytest.mark.parametrize("verb", ["put", "patch", "delete"])
    def test_by_the_author_of_the_post(
        self, sign_in: SignIn, ada: User, session: Session, comment: Comment, verb: str
    ) -> None:
        at, body = f"{API}/comments/{comment.id}", {"body": "Praise."}
        answer = sign_in(ada).open(at, method=verb.upper(), json=body if verb != "delete" else None)
        assert code(answer) == "forbidden"
        assert log_of(session, "comments", comment.id) == []

    @pytest.mark.parametrize("name", ["parent_id", "post_id", "author", "version", "created_at"])
    def test_of_what_stays_as_it_is(
        self, sign_in: SignIn, bob: User, comment: Comment, name: str
    ) -> None:
        answer = sign_in(bob).patch(f"{API}/comments/{comment.id}", json={name: None, "body": "x"})
        assert faults(answer) == {name: "read_only"}

    def test_of_a_version_that_is_gone(
        self, sign_in: SignIn, bob: User, session: Session, comment: Comment
    ) -> None:
        caller, at = sign_in(bob), f"{API}/comments/{comment.id}"
        old = {"If-Match": caller.get(at).headers["ETag"]}
        data(caller.patch(at, json={"body": "1"}, headers=old))

        answers = [
            caller.patch(at, json={"body": "2"}, headers=old),
            caller.put(at, json={"body": "2"}, headers=old),
            caller.delete(at, headers=old),
        ]

        assert [code(each) for each in answers] == ["precondition-failed"] * 3
        assert all(each.headers["ETag"].startswith('"2-') for each in answers)
        assert data(caller.get(at))["body"] == "1"

    def test_tells_what_one_may_do(
        self, sign_in: SignIn, client: FlaskClient, ada: User, bob: User, comment: Comment
    ) -> None:
        can = f"{API}/comments/{comment.id}/can"
        for caller, reason in ((client, "signed-out"), (sign_in(ada), "not-author")):
            refused = {"allowed": False, "reason": reason}
            told = data(caller.get(can))
            assert told == {"read": {"allowed": True}, "update": refused, "delete": refused}
        assert data(sign_in(bob).get(can))["delete"] == {"allowed": True}


class TestRead:
    def test_is_confirmed_as_long_as_it_is_the_same(
        self, client: FlaskClient, sign_in: SignIn, bob: User, session: Session, post: Post
    ) -> None:
        comment = make_comment(session, post, bob)
        at = f"{API}/comments/{comment.id}"
        held = {"If-None-Match": client.get(at).headers["ETag"]}

        assert client.get(at, headers=held).status_code == 304
        data(sign_in(bob).patch(at, json={"body": "New."}))
        assert client.get(at, headers=held).status_code == 200
        assert sign_in(bob).delete(at).status_code == 204
        assert client.get(at, headers=held).status_code == 404

    def test_in_part(self, client: FlaskClient, bob: User, session: Session, post: Post) -> None:
        comment = make_comment(session, post, bob)
        answer = client.get(f"{API}/comments/{comment.id}?fields=body,author{{username}}")
        assert data(answer) == {"body": "Well said.", "author": {"username": "bob"}}

    @pytest.mark.parametrize("who", ["author", "owner"])
    def test_of_what_somebody_suspended_wrote(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        bob: User,
        ada: User,
        editor: User,
        session: Session,
        post: Post,
        who: str,
    ) -> None:
        comment = make_comment(session, post, bob)
        (bob if who == "author" else ada).status = "suspended"
        session.commit()

        at = f"{API}/comments/{comment.id}"
        assert code(client.get(at)) == "not-found"
        assert data(sign_in(editor).get(at))["id"] == comment.id
