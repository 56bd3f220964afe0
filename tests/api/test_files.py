"""Files over HTTP: uploaded one or many at a time, told what they are, renamed, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import Content, ContentHold, File, User
from services.storage import storage_of
from tests.answers import code, data, faults
from tests.uploads import FILES, upload

SignIn = Callable[[User], FlaskClient]

HELLO = b"Hello, world.\n"
MEMBERS = {
    *("id", "name", "visibility", "media_type", "size", "sha256", "width", "height", "url"),
    *("author", "version", "created_at", "updated_at"),
}


def picture(width: int, height: int) -> bytes:
    """Return a PNG of this size."""
    from PIL import Image

    target = BytesIO()
    Image.new("RGB", (width, height)).save(target, "PNG")
    return target.getvalue()


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

    def test_of_several(self, sign_in: SignIn, ada: User) -> None:
        answer = upload(sign_in(ada), ("a.txt", b"a"), ("b.bin", b"\0b"), visibility="public")

        items = data(answer, 201)["items"]
        assert "Location" not in answer.headers
        assert [each["status"] for each in items] == [201, 201]
        assert [each["problem"] for each in items] == [None, None]
        assert [each["data"]["media_type"] for each in items] == [
            "text/plain",
            "application/octet-stream",
        ]
        assert {each["data"]["visibility"] for each in items} == {"public"}
        assert all(each["id"] == each["data"]["id"] for each in items)

    def test_where_some_are_refused_keeps_the_others(
        self, sign_in: SignIn, ada: User, session: Session, config: Config
    ) -> None:
        answer = upload(
            sign_in(ada),
            ("good.json", b'{"a": 1}'),
            ("bad.json", b'{\n  "a": 1,\n}'),
            ("large.bin", b"\0" * (config.MAX_FILE_BYTES + 1)),
            ("empty.txt", b""),
            ("broken.png", b"\x89PNG\r\n\x1a\n"),
            ("last.txt", HELLO),
        )

        items = data(answer, 207)["items"]
        assert [each["status"] for each in items] == [201, 400, 413, 400, 400, 201]
        problems = [each["problem"] for each in items]
        assert [each and each["code"] for each in problems] == [
            *(None, "malformed-json", "too-large", "validation", "validation", None)
        ]
        assert problems[1]["line"] == 3
        assert problems[3]["errors"][0]["field"] == "files.3"
        assert [each["data"] and each["data"]["name"] for each in items] == [
            *("good.json", None, None, None, None, "last.txt")
        ]
        names = session.scalars(sa.select(File.name).order_by(File.id)).all()
        assert names == ["good.json", "last.txt"]
        assert len(session.scalars(sa.select(Content)).all()) == 2
        assert session.scalars(sa.select(ContentHold)).all() == []

    def test_where_all_are_refused_is_the_problem_of_the_first(
        self, sign_in: SignIn, ada: User, session: Session
    ) -> None:
        answer = upload(sign_in(ada), ("a.json", b"{"), ("b.txt", b""))

        assert code(answer) == "malformed-json"
        assert [each["status"] for each in answer.get_json()["items"]] == [400, 400]
        assert session.scalars(sa.select(Content)).all() == []

    def test_under_another_name(self, sign_in: SignIn, ada: User) -> None:
        assert stored(upload(sign_in(ada), ("a.txt", HELLO), name="b.txt"))["name"] == "b.txt"

    def test_under_names_that_begin_alike(self, sign_in: SignIn, ada: User) -> None:
        answer = upload(sign_in(ada), ("a.txt", b"a"), ("b.txt", b"b"), name="trip-")

        assert [each["name"] for each in data(answer, 201)["items"]] == ["trip-a.txt", "trip-b.txt"]

    @pytest.mark.parametrize(
        ("fields", "found"),
        [
            ({"visibility": "friends"}, {"visibility": "choice"}),
            ({"name": "a/b"}, {"name": "format"}),
            ({"name": ".."}, {"name": "format"}),
            ({"name": " "}, {"name": "too_short"}),
            ({"name": "x" * 256}, {"name": "too_long"}),
            ({"name": "a\u202eb"}, {"name": "control_character"}),
            ({"colour": "red", "owner": "me"}, {"colour": "unknown", "owner": "unknown"}),
            (
                {"name": "a/b", "visibility": "friends", "colour": "red"},
                {"name": "format", "visibility": "choice", "colour": "unknown"},
            ),
        ],
    )
    def test_with_fields_that_are_wrong(
        self,
        sign_in: SignIn,
        ada: User,
        session: Session,
        fields: dict[str, str],
        found: dict[str, str],
    ) -> None:
        answer = upload(sign_in(ada), ("a.txt", HELLO), **fields)

        assert faults(answer) == found
        assert session.scalars(sa.select(Content)).all() == []

    def test_without_any_file(self, sign_in: SignIn, ada: User, session: Session) -> None:
        answer = upload(sign_in(ada), visibility="public")

        assert faults(answer) == {"files": "required"}
        assert session.scalars(sa.select(File)).all() == []

    def test_of_a_field_in_which_nothing_was_chosen(self, sign_in: SignIn, ada: User) -> None:
        assert faults(upload(sign_in(ada), ("", b""))) == {"files": "required"}

    def test_by_a_reader(self, sign_in: SignIn, bob: User) -> None:
        assert code(upload(sign_in(bob), ("a.txt", HELLO))) == "forbidden"

    def test_by_nobody(self, client: FlaskClient) -> None:
        assert code(upload(client, ("a.txt", HELLO))) == "unauthenticated"

    def test_of_the_same_content_stores_it_once(
        self, sign_in: SignIn, ada: User, mallory: User, session: Session
    ) -> None:
        one = upload(sign_in(ada), ("a.txt", HELLO), ("b.txt", HELLO))
        other = stored(upload(sign_in(mallory), ("c.txt", HELLO)))

        ids = {each["id"] for each in data(one, 201)["items"]} | {other["id"]}
        assert len(ids) == 3
        assert len(session.scalars(sa.select(Content)).all()) == 1


class TestKind:
    @pytest.mark.parametrize(
        ("name", "content", "media_type"),
        [
            ("a.json", b' {"a": [1, 2.5e3, null]} ', "application/json"),
            ("a.txt", b'{"a": 1}', "text/plain"),
            ("a.txt", "Grüße".encode(), "text/plain"),
            ("a.txt", b"BMW is a car", "text/plain"),
            ("a.txt", b"caf\xe9", "application/octet-stream"),
            ("a.png", b"<!DOCTYPE html><script>1</script>", "text/html"),
            ("a.txt", b"\xef\xbb\xbf <!-- x --><SCRIPT>1</SCRIPT>", "text/html"),
            (
                "a.jpg",
                b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
                "image/svg+xml",
            ),
            ("a.txt", b'<?xml version="1.0"?><a/>', "application/xml"),
            ("a.txt", b'<a xmlns="http://www.w3.org/1999/xhtml"/>', "application/xhtml+xml"),
            ("a.txt", b"%PDF-1.7\n\0", "application/pdf"),
            ("a.txt", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>", "application/pdf"),
            ("a.txt", b"PK\x03\x04" + b"\0" * 40, "application/zip"),
            ("a.txt", b"\x7fELF" + b"\0" * 60, "application/x-executable"),
            ("a.html", b"\0\1\2", "application/octet-stream"),
        ],
    )
    def test_is_told_by_the_content(
        self, sign_in: SignIn, ada: User, name: str, content: bytes, media_type: str
    ) -> None:
        made = stored(upload(sign_in(ada), (name, content)))

        assert made["media_type"] == media_type
        assert made["sha256"] == hashlib.sha256(content).hexdigest()

    def test_of_a_picture_comes_with_its_size(self, sign_in: SignIn, ada: User) -> None:
        made = stored(upload(sign_in(ada), ("a.txt", picture(30, 20))))

        assert made["media_type"] == "image/png"
        assert (made["width"], made["height"]) == (30, 20)


class TestDocument:
    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b"", None),
            (b"{", 1),
            (b'{"a": 1,\n "b": }', 2),
            (b'{"a":\n NaN}', 2),
            (b'["NaN", \n\n-Infinity]', 3),
            (b'{"a": 1e9,\n"b": 1e999}', 2),
            (b'{"a": 1,\n "a": 2}', 2),
            (b'{"a": {"b": "a", "c": {"b": 1}},\n "d": {"b": 1,\n\n "\\u0062" : 2}}', 4),
            (b'["\\ud800"]', 1),
            (b'["\\\\ud800 \\ud83d\\ude00",\n "\\udc00"]', 2),
            (b'[1]\n["\xff"]', 2),
            (b"[\n" * 33 + b"]" * 33, 33),
            (b"[" * 100_000, 1),
            (b'{"a":\n' * 33 + b"1" + b"}" * 33, 33),
            (b"[\n" + b"1" * 5_000 + b"]", 2),
            (b"[" + b"0," * 1_000_001 + b"0]", None),
        ],
    )
    def test_that_is_broken_is_refused(
        self, sign_in: SignIn, ada: User, session: Session, content: bytes, line: int | None
    ) -> None:
        answer = upload(sign_in(ada), ("A.JSON", content))

        assert code(answer) == ("malformed-json" if content else "validation")
        assert answer.get_json().get("line") == line
        assert session.scalars(sa.select(Content)).all() == []

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbf[]",
            b'["\\ud83d\\ude00", "\\\\ud800", "\\u00e9"]',
            b"[" * 32 + b"]" * 32,
            b"-1.5",
            b'{"a": {"b": 1}, "c": {"b": 2}}',
        ],
    )
    def test_that_is_whole_is_taken(self, sign_in: SignIn, ada: User, content: bytes) -> None:
        made = stored(upload(sign_in(ada), ("a.json", content)))

        assert made["media_type"] == "application/json"
