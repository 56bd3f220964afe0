"""Who sees a post: drafts, scheduled ones, those of suspended authors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from services import clock
from tests.answers import code, data, ids
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"


class TestGet:
    def test_by_anyone(self, client: FlaskClient, session: Session, ada: User) -> None:
        post = make_post(session, ada)

        shown = data(client.get(f"{POSTS}/{post.id}"))

        assert shown["id"] == post.id
        assert shown["liked"] is None

    @pytest.mark.parametrize("status", ["draft", "archived", "scheduled"])
    def test_hidden_from_all_but_author_and_editors(
        self,
        status: str,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        mallory: User,
        editor: User,
    ) -> None:
        later = clock.now() + timedelta(hours=1)
        changes = (
            {"status": "published", "published_at": later}
            if status == "scheduled"
            else {"status": status}
        )
        url = f"{POSTS}/{make_post(session, ada, **changes).id}"

        assert code(client.get(url)) == "not-found"
        assert code(sign_in(mallory).get(url)) == "not-found"
        assert sign_in(ada).get(url).status_code == 200
        assert sign_in(editor).get(url).status_code == 200

    def test_scheduled_appears_by_itself(
        self, client: FlaskClient, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = clock.now() + timedelta(hours=1)
        post = make_post(session, ada, published_at=later)
        assert ids(client.get(POSTS)) == []

        monkeypatch.setattr(clock, "now", lambda: later)

        assert ids(client.get(POSTS)) == [post.id]
        assert data(client.get(f"{POSTS}/{post.id}"))["id"] == post.id

    def test_of_a_suspended_author(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        post = make_post(session, ada)
        root = sign_in(admin)
        data(root.patch(f"/api/v1/users/{ada.id}", json={"status": "suspended"}))

        assert code(client.get(f"{POSTS}/{post.id}")) == "not-found"
        assert ids(client.get(POSTS)) == []
        assert code(client.get(f"{POSTS}/by-slug/{post.slug}")) == "not-found"

        data(root.patch(f"/api/v1/users/{ada.id}", json={"status": "active"}))

        assert ids(client.get(POSTS)) == [post.id]
