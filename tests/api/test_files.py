"""Files over HTTP: uploaded one or many at a time, told what they are, renamed, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import Content, ContentHold, File, User
from services.storage import storage_of
from tests.answers import data, faults

SignIn = Callable[[User], FlaskClient]

FILES = "/api/v1/files"
HELLO = b"Hello, world.\n"
MEMBERS = {
    *("id", "name", "visibility", "media_type", "size", "sha256", "width", "height", "url"),
    *("author", "version", "created_at", "updated_at"),
}


def upload(client: FlaskClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    """Send files, each as (name, content), and further fields."""
    form: dict[str, Any] = {"files": [(BytesIO(content), name) for name, content in files]}
    return client.post(FILES, data=form | fields, content_type="multipart/form-data")


def stored(answer: TestResponse) -> dict[str, Any]:
    """Return the one file that an upload made."""
    (item,) = data(answer, 201)["items"]
    return dict(item["data"])


class TestUpload:
    def test_of_one_file(
        self, sign_in: SignIn, ada: User, session: Session, config: Config
    ) -> None:
        answer = upload(sign_in(ada), ("notes.txt", HELLO))

        made = stored(answer)
        sha256 = hashlib.sha256(HELLO).hexdigest()
        assert set(made) == MEMBERS
        assert answer.headers["Location"] == f"{FILES}/{made['id']}"
        assert made["name"] == "notes.txt"
        assert made["visibility"] == "private"
        assert made["media_type"] == "text/plain"
        assert (made["size"], made["sha256"]) == (len(HELLO), sha256)
        assert (made["width"], made["height"]) == (None, None)
        assert made["url"] == f"{FILES}/{made['id']}/content"
        assert made["author"]["username"] == "ada"
        assert b"".join(storage_of(config).open(sha256)) == HELLO
        content = session.scalars(sa.select(Content)).one()
        assert (content.sha256, content.size) == (sha256, len(HELLO))
        assert content.stored_at is not None
        assert session.scalars(sa.select(ContentHold)).all() == []

    def test_without_any_file(self, sign_in: SignIn, ada: User, session: Session) -> None:
        answer = upload(sign_in(ada), visibility="public")

        assert faults(answer) == {"files": "required"}
        assert session.scalars(sa.select(File)).all() == []
