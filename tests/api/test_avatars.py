"""Avatars: pictures of one's own, shown wherever somebody's name is, gone and back with a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Revision, User
from tests.answers import data, faults, items
from tests.api.pictures import content_of, thumbnail_of, uploaded
from tests.factories import make_user
from tests.uploads import FILES

SignIn = Callable[..., FlaskClient]

ME = "/api/v1/users/me"


@pytest.fixture
def author(sign_in: SignIn, ada: User) -> FlaskClient:
    return sign_in(ada)


@pytest.fixture
def admin(sign_in: SignIn, session: Session) -> FlaskClient:
    return sign_in(make_user(session, "root", role="admin"))


@pytest.fixture
def file(author: FlaskClient) -> dict[str, Any]:
    return uploaded(author)


@pytest.fixture
def shown(author: FlaskClient, file: dict[str, Any]) -> str:
    """The path of ada's avatar."""
    return str(data(author.patch(ME, json={"avatar_id": file["id"]}))["avatar_url"])


class TestChange:
    def test_shows_a_picture_of_ones_own(
        self, author: FlaskClient, client: FlaskClient, ada: User, file: dict[str, Any]
    ) -> None:
        changed = data(author.patch(ME, json={"avatar_id": file["id"]}))

        path = content_of(file["id"])
        assert (changed["avatar_id"], changed["avatar_url"]) == (file["id"], path)
        assert data(client.get(f"/api/v1/users/{ada.id}"))["avatar_url"] == path
        assert data(client.get("/api/v1/users/by-username/ada"))["avatar_url"] == path
        assert [each["avatar_url"] for each in items(client.get("/api/v1/users"))] == [path]
        assert [client.get(p).status_code for p in (path, thumbnail_of(file["id"], 64))] == [
            200
        ] * 2

    def test_is_private_to_whoever_it_is_of(
        self, client: FlaskClient, ada: User, shown: str
    ) -> None:
        assert "avatar_id" not in data(client.get(f"/api/v1/users/{ada.id}"))

    def test_stands_beside_what_one_writes(
        self, author: FlaskClient, client: FlaskClient, shown: str
    ) -> None:
        post = data(
            author.post("/api/v1/posts", json={"title": "T", "body": "B", "status": "published"}),
            201,
        )
        comments = f"/api/v1/posts/{post['id']}/comments"
        comment = data(author.post(comments, json={"body": "So it is."}), 201)

        assert post["author"]["avatar_url"] == comment["author"]["avatar_url"] == shown
        for path in (
            "/api/v1/posts",
            "/api/v1/posts?author=ada",
            "/api/v1/posts?q=t",
            comments,
        ):
            assert [each["author"]["avatar_url"] for each in items(client.get(path))] == [shown]

    def test_is_kept_in_the_history(
        self, author: FlaskClient, session: Session, file: dict[str, Any], shown: str
    ) -> None:
        kept = sa.select(Revision.snapshot).where(Revision.type == "users")
        latest = session.scalars(kept.order_by(Revision.version.desc())).first()
        assert latest is not None
        assert latest["avatar_id"] == file["id"]

    def test_by_put_takes_it_off(self, author: FlaskClient, ada: User, shown: str) -> None:
        answer = author.put(ME, json={"username": "ada", "email": ada.email})

        assert (data(answer)["avatar_id"], data(answer)["avatar_url"]) == (None, None)

    def test_by_an_admin(self, admin: FlaskClient, ada: User, file: dict[str, Any]) -> None:
        theirs = uploaded(admin)

        for each in (file, theirs):
            answer = admin.patch(f"/api/v1/users/{ada.id}", json={"avatar_id": each["id"]})
            assert data(answer)["avatar_url"] == content_of(each["id"])

    @pytest.mark.parametrize("which", ["unknown", "another's", "text", "in the trash"])
    def test_takes_nothing_else(
        self,
        author: FlaskClient,
        sign_in: SignIn,
        ada: User,
        mallory: User,
        session: Session,
        file: dict[str, Any],
        which: str,
    ) -> None:
        ids: dict[str, Callable[[], int]] = {
            "unknown": lambda: 2**53 - 1,
            "another's": lambda: uploaded(sign_in(mallory), visibility="public")["id"],
            "text": lambda: uploaded(author, b"Hello, world.\n", "x.txt")["id"],
            "in the trash": lambda: file["id"],
        }
        id = ids[which]()
        if which == "in the trash":
            author.delete(f"{FILES}/{id}")

        answer = author.patch(ME, json={"avatar_id": id})

        assert faults(answer) == {"avatar_id": "choice"}
        session.refresh(ada)
        assert (ada.avatar_id, ada.version) == (None, 1)

    def test_is_not_for_others(self, sign_in: SignIn, ada: User, mallory: User, shown: str) -> None:
        answer = sign_in(mallory).patch(f"/api/v1/users/{ada.id}", json={"avatar_id": None})

        assert answer.status_code == 403


class TestFile:
    def test_takes_the_path_along_and_brings_it_back(
        self, author: FlaskClient, client: FlaskClient, ada: User, file: dict[str, Any], shown: str
    ) -> None:
        # given
        path = f"/api/v1/users/{ada.id}"
        # when it goes
        author.delete(f"{FILES}/{file['id']}")
        # then
        assert data(client.get(path))["avatar_url"] is None
        assert data(author.get(path))["avatar_id"] == file["id"]
        assert client.get(shown).status_code == 404
        # when it comes back
        author.post(f"/api/v1/trash/files/{file['id']}/restoration")
        # then
        assert data(client.get(path))["avatar_url"] == shown
        assert client.get(shown).status_code == 200

    def test_purged_takes_the_id_along(
        self, author: FlaskClient, ada: User, file: dict[str, Any], shown: str
    ) -> None:
        author.delete(f"{FILES}/{file['id']}")
        author.delete(f"/api/v1/trash/files/{file['id']}")

        own = data(author.get(ME))
        assert (own["avatar_id"], own["avatar_url"]) == (None, None)


class TestVisibility:
    def test_ends_with_the_suspension_of_the_user(
        self, admin: FlaskClient, client: FlaskClient, ada: User, shown: str
    ) -> None:
        assert client.get(shown).status_code == 200

        data(admin.patch(f"/api/v1/users/{ada.id}", json={"status": "suspended"}))

        assert client.get(shown).status_code == 404

    def test_ends_with_another_avatar(
        self, author: FlaskClient, client: FlaskClient, shown: str
    ) -> None:
        data(author.patch(ME, json={"avatar_id": uploaded(author)["id"]}))

        assert client.get(shown).status_code == 404
        assert author.get(shown).status_code == 200
