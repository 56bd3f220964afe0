"""What files hold: whole, in ranges, under conditions, by name; from a folder and from a store."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api import downloads
from config import Config
from models import File, User
from services.storage import storage_of
from services.storage.checked import SMALL
from tests.sockets import eventually
from tests.stores import Store
from tests.uploads import FILES, uploaded

SignIn = Callable[[User], FlaskClient]
MakeApp = Callable[[Config], Flask]

TEXT = b"0123456789" * 10
#: Larger than what is handed over as a whole.
LARGE = os.urandom(SMALL * 2 + 1)


def upload(client: FlaskClient, content: bytes, name: str = "a.bin", **more: str) -> dict[str, Any]:
    """Upload one file; return what it became."""
    return uploaded(client, content, name, **more)


def path_of(file: dict[str, Any]) -> str:
    """Return where the service has a file's content."""
    return f"{FILES}/{file['id']}/content"


def code(answer: TestResponse) -> tuple[int, str]:
    """Return status and code of a problem."""
    return answer.status_code, answer.get_json()["code"]


@pytest.fixture
def me(sign_in: SignIn, ada: User) -> FlaskClient:
    """Ada, signed in."""
    return sign_in(ada)


class TestGet:
    @pytest.mark.parametrize("content", [TEXT, LARGE], ids=["small", "large"])
    def test_answers_the_bytes(self, me: FlaskClient, content: bytes) -> None:
        answer = me.get(path_of(upload(me, content)))

        assert (answer.status_code, answer.data) == (200, content)
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    def test_of_a_public_file_by_anybody(self, me: FlaskClient, client: FlaskClient) -> None:
        answer = client.get(path_of(upload(me, TEXT, visibility="public")))

        assert (answer.status_code, answer.data) == (200, TEXT)
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert "Authorization" in answer.headers["Vary"]

    def test_of_a_private_file_by_others(
        self, me: FlaskClient, client: FlaskClient, sign_in: SignIn, mallory: User, admin: User
    ) -> None:
        path = path_of(upload(me, TEXT))
        assert code(client.get(path)) == (404, "not-found")
        assert code(sign_in(mallory).get(path)) == (404, "not-found")
        assert sign_in(admin).get(path).data == TEXT

    def test_of_nothing(self, me: FlaskClient) -> None:
        assert code(me.get(f"{FILES}/999/content")) == (404, "not-found")

    def test_with_a_query(self, me: FlaskClient, client: FlaskClient) -> None:
        path = path_of(upload(me, TEXT))
        assert code(me.get(f"{path}?download=1")) == (400, "validation")
        assert code(client.get(f"{path}?download=1")) == (400, "validation")

    @pytest.mark.parametrize("content", [TEXT, LARGE], ids=["small", "large"])
    def test_as_head(self, me: FlaskClient, content: bytes) -> None:
        path = path_of(upload(me, content))
        whole, head = me.get(path), me.head(path, headers={"Range": "bytes=0-3"})
        assert (head.status_code, head.data) == (200, b"")
        same = {"Content-Length", "ETag", "Last-Modified", "Content-Type", "Content-Disposition"}
        assert {name: head.headers[name] for name in same} == {
            name: whole.headers[name] for name in same
        }

    def test_by_another_method(self, me: FlaskClient) -> None:
        assert code(me.post(path_of(upload(me, TEXT)))) == (405, "method-not-allowed")


class TestRange:
    @pytest.mark.parametrize("content", [LARGE, LARGE[:1000]], ids=["large", "small"])
    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=10-19", 10, 20),
            ("bytes=990-", 990, None),
            ("bytes=-5", -5, None),
            ("Bytes = 3-4", 3, 5),
            ("bytes=5-999999999999999999", 5, None),
            ("bytes=-999999999999999999", 0, None),
            ("bytes=0-", 0, None),
            ("bytes=3-4,", 3, 5),
            (" bytes=, 3-4 ,,", 3, 5),
        ],
    )
    def test_answers_a_part(
        self, me: FlaskClient, content: bytes, asked: str, start: int, end: int | None
    ) -> None:
        answer = me.get(path_of(upload(me, content)), headers={"Range": asked})
        part = content[start:end]
        first = start % len(content)
        told = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        assert (answer.status_code, answer.data) == (206, part)
        assert answer.headers["Content-Range"] == told
        assert answer.headers["Content-Length"] == str(len(part))

    @pytest.mark.parametrize(
        "asked",
        [
            *("bytes=100-", "bytes=-0", "bytes=7-3", "bytes=", "bytes=x", "bytes=-"),
            *("bytes=1-2-3", "bytes=0-0" + ",0-0" * 900, "bytes=0-1,9999-", "bytes=\u0661-"),
        ],
    )
    def test_that_is_none(self, me: FlaskClient, asked: str) -> None:
        answer = me.get(path_of(upload(me, TEXT)), headers={"Range": asked})
        assert code(answer) == (416, "range")
        assert answer.headers["Content-Range"] == "bytes */100"

    @pytest.mark.parametrize("asked", ["lines=0-5", "bytes=0-1,5-6", "nonsense", ""])
    def test_that_is_ignored(self, me: FlaskClient, asked: str) -> None:
        answer = me.get(path_of(upload(me, TEXT)), headers={"Range": asked})
        assert (answer.status_code, answer.data) == (200, TEXT)


class TestConditions:
    def test_none_match(self, me: FlaskClient) -> None:
        path = path_of(upload(me, TEXT))
        tag = me.get(path).headers["ETag"]
        for named in (tag, f'"x", W/{tag}', "*"):
            answer = me.get(path, headers={"If-None-Match": named, "Range": "bytes=0-3"})
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == tag
        assert me.get(path, headers={"If-None-Match": '"x"'}).status_code == 200

    def test_if_range(self, me: FlaskClient) -> None:
        path = path_of(upload(me, TEXT))
        first = me.get(path)
        tag, at = first.headers["ETag"], first.headers["Last-Modified"]
        statuses = {
            named: me.get(path, headers={"Range": "bytes=0-3", "If-Range": named}).status_code
            for named in (tag, '"x"', f"W/{tag}", at)
        }
        assert statuses == {tag: 206, '"x"': 200, f"W/{tag}": 200, at: 200}


class TestHowItIsShown:
    @pytest.mark.parametrize(
        ("media_type", "said", "shown"),
        [
            *((f"image/{each}", f"image/{each}", True) for each in ("png", "gif", "avif")),
            ("video/mp4", "video/mp4", True),
            ("application/json", "application/json", True),
            ("application/pdf", "application/pdf", False),
            ("text/plain", "text/plain; charset=utf-8", False),
            *(
                (each, "application/octet-stream", False)
                for each in (
                    *("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"),
                    *("text/javascript", "text/css", "nonsense", "image/png; x=\n", ""),
                )
            ),
        ],
    )
    def test_is_by_type(self, media_type: str, said: str, *, shown: bool) -> None:
        assert downloads.shown_type(media_type) == said
        assert downloads.disposition("a", media_type).startswith("inline") == shown

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("a b.txt", 'attachment; filename="a b.txt"'),
            ('a"b\\.txt', "attachment; filename=\"a_b_.txt\"; filename*=UTF-8''a%22b%5C.txt"),
            ("Ünï.txt", "attachment; filename=\"Uni.txt\"; filename*=UTF-8''%C3%9Cn%C3%AF.txt"),
            ("日本", "attachment; filename=\"file\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
            ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie_ x\"; "
             "filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ],
    )  # fmt: skip
    def test_is_under_its_name(self, name: str, said: str) -> None:
        assert downloads.disposition(name, "text/plain") == said


class TestByName:
    def test_answers_the_newest(self, me: FlaskClient) -> None:
        upload(me, b'{"a": 1}', "settings.json")
        upload(me, b'{"a": 2}', "settings.json")
        upload(me, b'{"a": 3}', "other.json")
        answer = me.get(f"{FILES}/by-name/settings.json")
        assert answer.get_json() == {"a": 2}
        assert answer.content_type == "application/json"
        again = me.get(
            f"{FILES}/by-name/settings.json", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == 304

    def test_answers_the_one_before_once_the_newest_is_deleted(self, me: FlaskClient) -> None:
        upload(me, b"1", "a.txt")
        newest = upload(me, b"2", "a.txt")
        assert me.delete(f"{FILES}/{newest['id']}").status_code == 204
        assert me.get(f"{FILES}/by-name/a.txt").data == b"1"

    def test_is_one_s_own(self, me: FlaskClient, sign_in: SignIn, mallory: User) -> None:
        upload(me, b"1", "a.txt", visibility="public")
        assert code(sign_in(mallory).get(f"{FILES}/by-name/a.txt")) == (404, "not-found")

    def test_needs_somebody(self, client: FlaskClient) -> None:
        assert code(client.get(f"{FILES}/by-name/a.txt")) == (401, "unauthenticated")

    def test_of_another_answers_what_is_public(
        self, me: FlaskClient, client: FlaskClient, ada: User
    ) -> None:
        upload(me, b"public", "a.txt", visibility="public")
        upload(me, b"private", "a.txt")
        upload(me, b"private", "b.txt")
        path = f"/api/v1/users/{ada.id}/files/by-name"
        assert client.get(f"{path}/a.txt").data == b"public"
        assert code(client.get(f"{path}/b.txt")) == (404, "not-found")
        assert code(client.get("/api/v1/users/999/files/by-name/a.txt")) == (404, "not-found")
        assert me.get("/api/v1/users/me/files/by-name/a.txt").data == b"private"

    @pytest.mark.parametrize("name", ["Ünï cødé.txt", "a%b.txt", "50% + 1?.txt", "#1.txt"])
    def test_finds_any_name(self, me: FlaskClient, name: str) -> None:
        upload(me, b"x", name)
        answer = me.get(f"{FILES}/by-name/{quote(name, safe='')}")
        assert (answer.status_code, answer.data) == (200, b"x")


class TestStore:
    @pytest.fixture
    def stored(self, make_app: MakeApp, config: Config, s3: Store) -> Flask:
        """The service with its files in a bucket, from which clients may download."""
        return make_app(replace(config, **s3.settings, S3_PUBLIC_ENDPOINT=s3.url))

    @pytest.fixture
    def me(self, me: FlaskClient, stored: Flask) -> FlaskClient:
        client = stored.test_client()
        client.environ_base |= me.environ_base
        return client

    @pytest.mark.parametrize("content", [TEXT, LARGE], ids=["small", "large"])
    def test_has_the_bytes(self, me: FlaskClient, s3: Store, content: bytes) -> None:
        file = upload(me, content)
        assert (s3.bucket / file["sha256"]).read_bytes() == content
        assert me.get(path_of(file)).data == content
        part = me.get(path_of(file), headers={"Range": "bytes=50-60"})
        assert (part.status_code, part.data) == (206, content[50:61])

    def test_gives_them_itself(self, me: FlaskClient) -> None:
        file = upload(me, b'{"a": 1}', "a.json")
        answer = httpx.get(file["url"])
        assert answer.json() == {"a": 1}
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-disposition"] == 'inline; filename="a.json"'
        assert "X-Amz-Expires=60&" in file["url"]

    def test_that_is_away_is_told(self, me: FlaskClient, s3: Store) -> None:
        path = path_of(upload(me, TEXT))
        with s3.frozen():
            started = time.monotonic()
            answer = me.get(path)
            assert time.monotonic() - started < 5
        assert code(answer) == (503, "unavailable")
        assert answer.headers["Retry-After"]
        eventually(lambda: me.get(path).status_code == 200)

    def test_that_is_away_takes_nothing(self, me: FlaskClient, s3: Store, session: Session) -> None:
        form = {"files": (BytesIO(b"of a bad moment"), "a.txt")}
        with s3.frozen():
            started = time.monotonic()
            answer = me.post(FILES, data=form, content_type="multipart/form-data")
            assert time.monotonic() - started < 5
        assert code(answer) == (503, "unavailable")
        assert session.scalars(sa.select(File)).all() == []
        again = {"content_type": "multipart/form-data"}
        eventually(
            lambda: me.post(FILES, data={"files": (BytesIO(b"x"), "a")}, **again).status_code == 201
        )

    def test_lets_go_what_is_purged(self, me: FlaskClient, s3: Store) -> None:
        file = upload(me, json.dumps({"of": "this test"}).encode(), "a.json")
        assert me.delete(f"{FILES}/{file['id']}").status_code == 204
        assert me.delete(f"/api/v1/trash/files/{file['id']}").status_code == 204
        assert not (s3.bucket / file["sha256"]).exists()


class TestDamage:
    @pytest.mark.parametrize("content", [TEXT, LARGE], ids=["small", "large"])
    @pytest.mark.parametrize("range", [{}, {"Range": "bytes=1-2"}])
    def test_is_told_and_not_served(
        self, me: FlaskClient, config: Config, content: bytes, range: dict[str, str]
    ) -> None:
        file = upload(me, content)
        storage = storage_of(config)
        damaged = bytes([content[0] ^ 1]) + content[1:]
        storage.put(file["sha256"], BytesIO(damaged), len(content))
        assert code(me.get(path_of(file), headers=range)) == (500, "internal")
        storage.put(file["sha256"], BytesIO(content), len(content))
        assert me.get(path_of(file), headers=range).status_code in {200, 206}

    def test_of_the_length_is_seen_by_head(self, me: FlaskClient, config: Config) -> None:
        file = upload(me, LARGE)
        storage_of(config).put(file["sha256"], BytesIO(LARGE[:-1]), len(LARGE) - 1)
        assert me.head(path_of(file)).status_code == 500

    def test_that_is_a_loss_is_told(self, me: FlaskClient, config: Config) -> None:
        file = upload(me, TEXT)
        storage_of(config).delete(file["sha256"])
        assert code(me.get(path_of(file))) == (500, "internal")
