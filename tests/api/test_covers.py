"""Covers of posts: pictures of one's own, seen with their post, gone and back with their file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import File, Post, Revision, User
from tests.answers import code, data, faults, items
from tests.api.pictures import content_of, thumbnail_of, uploaded
from tests.factories import make_user
from tests.uploads import FILES

SignIn = Callable[..., FlaskClient]

POSTS = "/api/v1/posts"
TEXT = {"title": "Hello", "body": "World", "status": "published"}
GONE = 2**53 - 1


@pytest.fixture
def author(sign_in: SignIn, ada: User) -> FlaskClient:
    return sign_in(ada)


@pytest.fixture
def editor(sign_in: SignIn, session: Session) -> FlaskClient:
    return sign_in(make_user(session, "eve", role="editor"))


def posted(caller: FlaskClient, cover_id: int | None = None, **more: Any) -> dict[str, Any]:
    """Create a post with a cover."""
    made = data(caller.post(POSTS, json=TEXT | {"cover_id": cover_id} | more), 201)
    return dict(made)


def cover_of(caller: FlaskClient, post: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return the cover that a post shows now, by id and path."""
    shown = data(caller.get(f"{POSTS}/{post['id']}"))
    return shown["cover_id"], shown["cover_url"]


class TestCreate:
    def test_with_a_picture_of_ones_own(self, author: FlaskClient) -> None:
        file = uploaded(author)

        post = posted(author, file["id"])

        assert (post["cover_id"], post["cover_url"]) == (file["id"], content_of(file["id"]))
        assert cover_of(author, post) == (file["id"], content_of(file["id"]))
        (listed,) = items(author.get(POSTS))
        assert listed["cover_url"] == content_of(file["id"])

    def test_without_one(self, author: FlaskClient) -> None:
        post = posted(author)

        assert (post["cover_id"], post["cover_url"]) == (None, None)

    def test_shows_the_avatar_of_its_author_at_once(self, author: FlaskClient, ada: User) -> None:
        file = uploaded(author)
        author.patch("/api/v1/users/me", json={"avatar_id": file["id"]})

        assert posted(author)["author"]["avatar_url"] == content_of(file["id"])

    def test_has_the_prefix_of_the_proxy(
        self, author: FlaskClient, config: Config, make_app: Callable[[Config], Flask]
    ) -> None:
        post = posted(author, uploaded(author)["id"])
        caller = make_app(replace(config, PUBLIC_URL="https://example.org/blog")).test_client()

        answer = caller.get(f"{POSTS}/{post['id']}", base_url="https://example.org")

        assert data(answer)["cover_url"] == f"/blog{post['cover_url']}"


class TestRefusal:
    @pytest.mark.parametrize("verb", ["post", "put", "patch"])
    @pytest.mark.parametrize("which", ["unknown", "another's", "public", "text", "in the trash"])
    def test_of_what_is_no_picture_of_ones_own(
        self,
        author: FlaskClient,
        sign_in: SignIn,
        mallory: User,
        session: Session,
        verb: str,
        which: str,
    ) -> None:
        # given
        other = sign_in(mallory)
        ids: dict[str, Callable[[], int]] = {
            "unknown": lambda: GONE,
            "another's": lambda: uploaded(other)["id"],
            "public": lambda: uploaded(other, visibility="public")["id"],
            "text": lambda: uploaded(author, b"Hello, world.\n", "x.txt")["id"],
            "in the trash": lambda: uploaded(author)["id"],
        }
        id = ids[which]()
        if which == "in the trash":
            author.delete(f"{FILES}/{id}")
        post = posted(author)
        path = POSTS if verb == "post" else f"{POSTS}/{post['id']}"
        # when
        answer = getattr(author, verb)(path, json=TEXT | {"cover_id": id})
        # then
        assert answer.status_code == 400
        assert faults(answer) == {"cover_id": "choice"}
        assert session.scalars(sa.select(Post.cover_id)).all() == [None]

    @pytest.mark.parametrize("value", [0, -1, "1", 1.5, True, [1], 2**53])
    def test_of_what_is_no_id(self, author: FlaskClient, value: object) -> None:
        answer = author.post(POSTS, json=TEXT | {"cover_id": value})

        assert code(answer) == "validation"
        assert set(faults(answer)) == {"cover_id"}

    def test_of_its_path(self, author: FlaskClient) -> None:
        answer = author.post(POSTS, json=TEXT | {"cover_url": "/x"})

        assert faults(answer) == {"cover_url": "read_only"}


class TestChange:
    def test_is_kept_in_the_history(self, author: FlaskClient, session: Session) -> None:
        first, second = uploaded(author)["id"], uploaded(author)["id"]
        post = posted(author, first)

        changed = data(author.patch(f"{POSTS}/{post['id']}", json={"cover_id": second}))

        assert (changed["cover_id"], changed["version"]) == (second, 2)
        kept = (
            sa.select(Revision.snapshot).where(Revision.type == "posts").order_by(Revision.version)
        )
        assert [each["cover_id"] for each in session.scalars(kept)] == [first, second]

    def test_takes_it_off(self, author: FlaskClient) -> None:
        post = posted(author, uploaded(author)["id"])

        by_patch = data(author.patch(f"{POSTS}/{post['id']}", json={"cover_id": None}))

        assert (by_patch["cover_id"], by_patch["cover_url"]) == (None, None)

    def test_by_put_resets_it(self, author: FlaskClient) -> None:
        post = posted(author, uploaded(author)["id"])

        replaced = data(author.put(f"{POSTS}/{post['id']}", json=TEXT))

        assert (replaced["cover_id"], replaced["cover_url"]) == (None, None)

    def test_by_json_patch(self, author: FlaskClient) -> None:
        file, post = uploaded(author), posted(author)
        operation = {"op": "replace", "path": "/cover_id", "value": file["id"]}

        answer = author.patch(
            f"{POSTS}/{post['id']}", json=[operation], content_type="application/json-patch+json"
        )

        assert data(answer)["cover_url"] == content_of(file["id"])

    def test_by_an_editor_keeps_what_is_there(
        self, author: FlaskClient, editor: FlaskClient
    ) -> None:
        file = uploaded(author)
        post = posted(author, file["id"])

        answer = editor.put(f"{POSTS}/{post['id']}", json=TEXT | {"cover_id": file["id"]})

        assert data(answer)["cover_url"] == content_of(file["id"])

    def test_by_an_editor_takes_one_of_the_author_or_of_their_own(
        self, author: FlaskClient, editor: FlaskClient
    ) -> None:
        post = posted(author)

        for file in (uploaded(author), uploaded(editor)):
            answer = editor.patch(f"{POSTS}/{post['id']}", json={"cover_id": file["id"]})
            assert data(answer)["cover_id"] == file["id"]

    def test_of_something_else_keeps_a_cover_in_the_trash(self, author: FlaskClient) -> None:
        file = uploaded(author)
        post = posted(author, file["id"])
        author.delete(f"{FILES}/{file['id']}")

        answer = author.put(f"{POSTS}/{post['id']}", json=TEXT | {"cover_id": file["id"]})

        assert (data(answer)["cover_id"], data(answer)["cover_url"]) == (file["id"], None)


class TestFile:
    def test_takes_its_path_along_and_brings_it_back(
        self, author: FlaskClient, client: FlaskClient
    ) -> None:
        # given
        file = uploaded(author)
        post = posted(author, file["id"])
        tag = client.get(f"{POSTS}/{post['id']}").headers["ETag"]
        # when it goes
        author.delete(f"{FILES}/{file['id']}")
        # then
        answer = client.get(f"{POSTS}/{post['id']}", headers={"If-None-Match": tag})
        assert (data(answer)["cover_id"], data(answer)["cover_url"]) == (file["id"], None)
        assert client.get(content_of(file["id"])).status_code == 404
        # when it comes back
        author.post(f"/api/v1/trash/files/{file['id']}/restoration")
        # then
        assert cover_of(client, post) == (file["id"], content_of(file["id"]))
        assert client.get(content_of(file["id"])).status_code == 200

    def test_purged_takes_its_id_along(
        self, author: FlaskClient, client: FlaskClient, session: Session
    ) -> None:
        file = uploaded(author)
        post, other = posted(author, file["id"]), posted(author, uploaded(author)["id"])

        author.delete(f"{FILES}/{file['id']}")
        author.delete(f"/api/v1/trash/files/{file['id']}")

        assert cover_of(client, post) == (None, None)
        assert cover_of(client, other) == (other["cover_id"], other["cover_url"])
        assert session.get(File, file["id"]) is None


class TestVisibility:
    """A private picture is seen where it is shown, and only as long as it is."""

    @pytest.fixture
    def file(self, author: FlaskClient) -> dict[str, Any]:
        return uploaded(author)

    @pytest.fixture
    def post(self, author: FlaskClient, file: dict[str, Any]) -> dict[str, Any]:
        return posted(author, file["id"])

    def seen(self, caller: FlaskClient, file: dict[str, Any]) -> list[int]:
        """Return the answers to whoever asks for a picture in all ways."""
        paths = (f"{FILES}/{file['id']}", content_of(file["id"]), thumbnail_of(file["id"]))
        return [
            answer.status_code for path in paths for answer in (caller.get(path), caller.head(path))
        ]

    def test_with_its_post(
        self, client: FlaskClient, file: dict[str, Any], post: dict[str, Any]
    ) -> None:
        assert self.seen(client, file) == [200] * 6

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "draft"},
            {"status": "archived"},
            {"status": "published", "published_at": "2999-01-01T00:00:00Z"},
            {"cover_id": None},
        ],
    )
    def test_ends_with_it(
        self,
        author: FlaskClient,
        client: FlaskClient,
        sign_in: SignIn,
        mallory: User,
        file: dict[str, Any],
        post: dict[str, Any],
        change: dict[str, Any],
    ) -> None:
        assert self.seen(client, file) == [200] * 6

        data(author.patch(f"{POSTS}/{post['id']}", json=change))

        assert self.seen(client, file) == [404] * 6
        assert self.seen(sign_in(mallory), file) == [404] * 6
        assert self.seen(author, file) == [200] * 6

    def test_ends_with_the_deletion_of_its_post(
        self,
        author: FlaskClient,
        client: FlaskClient,
        file: dict[str, Any],
        post: dict[str, Any],
    ) -> None:
        author.delete(f"{POSTS}/{post['id']}")
        assert self.seen(client, file) == [404] * 6

        author.post(f"/api/v1/trash/posts/{post['id']}/restoration")
        assert self.seen(client, file) == [200] * 6

    def test_ends_with_the_suspension_of_its_author(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        file: dict[str, Any],
        post: dict[str, Any],
    ) -> None:
        admin = sign_in(make_user(session, "root", role="admin"))
        data(admin.patch(f"/api/v1/users/{ada.id}", json={"status": "suspended"}))
        assert self.seen(client, file) == [404] * 6

        data(admin.patch(f"/api/v1/users/{ada.id}", json={"status": "active"}))
        assert self.seen(client, file) == [200] * 6

    def test_ends_with_the_deletion_of_its_author(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        file: dict[str, Any],
        post: dict[str, Any],
    ) -> None:
        admin = sign_in(make_user(session, "root", role="admin"))
        admin.delete(f"/api/v1/users/{ada.id}")
        assert self.seen(client, file) == [404] * 6

    def test_of_a_draft_is_for_who_sees_the_draft(
        self,
        author: FlaskClient,
        editor: FlaskClient,
        client: FlaskClient,
        file: dict[str, Any],
    ) -> None:
        posted(author, file["id"], status="draft")

        assert self.seen(editor, file) == [200] * 6
        assert self.seen(client, file) == [404] * 6
