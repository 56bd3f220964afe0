"""Section H, and case 98: what is uploaded is told by its content, named by us, within limits."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import Content, ContentHold, File, User
from tests.answers import code, data
from tests.security.world import API, FORM, FORM_TYPE, token_of

Callers = dict[str, FlaskClient]
FILES = f"{API}/files"
#: Seconds of the processor that a refusal may take.
CHEAP = 0.1
PNG = b"\x89PNG\r\n\x1a\n"


def form(*parts: tuple[str, bytes], end: bytes = b"--limit--\r\n") -> bytes:
    """Return a form of parts, each a disposition and a content."""
    head = "--limit\r\nContent-Disposition: form-data; {}\r\n\r\n"
    each = [head.format(said).encode() + content + b"\r\n" for said, content in parts]
    return b"".join((*each, end))


def file(name: str, content: bytes) -> tuple[str, bytes]:
    """Return a part with a file, its name quoted as browsers do it."""
    quoted = (
        name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    )
    return f'name="files"; filename="{quoted}"', content


def send(caller: FlaskClient, body: bytes, content_type: str | None = FORM_TYPE) -> Any:
    """Upload a body as it is."""
    return caller.post(FILES, data=body, content_type=content_type)


def sent(caller: FlaskClient, name: str, content: bytes) -> dict[str, Any]:
    """Upload one file; return what it became."""
    return dict(data(send(caller, form(file(name, content))), 201)["items"][0]["data"])


def assert_nothing_is_stored(session: Session) -> None:
    for table in (File, Content, ContentHold):
        assert session.scalars(sa.select(table)).all() == []


MANY = form(*(file(f"{n}.txt", b"x") for n in range(1_001)))
LARGE_FIELD = form(('name="visibility"', b"x" * 600_000), file("a.txt", b"x"))
CRLF = form(file("a.bin", b"\r\n" + b"a" * 50_000_000))
LONG_HEAD = b"--limit\r\nX: " + b"x" * 10_000_000


class TestCase098:
    @pytest.mark.parametrize(
        ("body", "content_type", "expected"),
        [
            pytest.param(MANY, FORM_TYPE, "too-large", id="1,001 parts"),
            pytest.param(LARGE_FIELD, FORM_TYPE, "too-large", id="600 kB field"),
            pytest.param(CRLF, FORM_TYPE, "too-large", id="50 MB after CR LF"),
            pytest.param(LONG_HEAD, FORM_TYPE, "malformed-json", id="10 MB header"),
            pytest.param(FORM[:-10], FORM_TYPE, "malformed-json", id="no final boundary"),
            pytest.param(FORM[:40], FORM_TYPE, "malformed-json", id="cut in a header"),
            pytest.param(
                form(file("é.txt", b"x")).decode().encode("latin-1"),
                FORM_TYPE,
                "malformed-json",
                id="header in Latin-1",
            ),
            pytest.param(b"--limit--\r\n", FORM_TYPE, "validation", id="no parts"),
            pytest.param(b"\r\n", FORM_TYPE, "malformed-json", id="no body"),
            pytest.param(b"x" * 1_000_000, FORM_TYPE, "malformed-json", id="no boundary in it"),
            pytest.param(FORM, "multipart/form-data", "malformed-json", id="no boundary"),
            pytest.param(
                FORM, f"{FORM_TYPE}{'x' * 300}", "malformed-json", id="boundary of 300 characters"
            ),
            pytest.param(FORM, "application/json", "unsupported-media-type", id="as JSON"),
            pytest.param(FORM, "multipart/mixed; boundary=limit", "unsupported-media-type"),
            pytest.param(FORM, None, "unsupported-media-type", id="as nothing"),
        ],
    )
    def test_case_098_is_refused_cheaply(
        self,
        callers: Callers,
        session: Session,
        body: bytes,
        content_type: str | None,
        expected: str,
    ) -> None:
        # given
        callers["author"].get(FILES)
        # when
        took = []
        for _ in range(3):
            started = time.process_time()
            answer = send(callers["author"], body, content_type)
            took.append(time.process_time() - started)
        # then
        assert code(answer) == expected
        assert min(took) < CHEAP, took
        assert_nothing_is_stored(session)

    def test_case_098_a_body_shorter_than_announced(
        self, callers: Callers, session: Session
    ) -> None:
        # when
        environ = {"CONTENT_LENGTH": str(len(FORM) + 10), "wsgi.input_terminated": True}
        answer = callers["author"].post(
            FILES, data=FORM, content_type=FORM_TYPE, environ_overrides=environ
        )
        # then
        assert code(answer) == "malformed-json"
        assert_nothing_is_stored(session)

    def test_case_098_a_compressed_body(self, callers: Callers) -> None:
        # when
        answer = callers["author"].post(
            FILES, data=FORM, content_type=FORM_TYPE, headers={"Content-Encoding": "gzip"}
        )
        # then
        assert code(answer) == "unsupported-media-type"


class TestCase117:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("..%2f..%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/etc/passwd", "passwd"),
            ("C:\\Users\\ada\\a.txt", "a.txt"),
            ("\\\\server\\share\\a.txt", "a.txt"),
            ("a\0b.txt", "ab.txt"),
            ("a\r\nSet-Cookie: x.txt", "a%0D%0ASet-Cookie: x.txt"),
            ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
            ("é" * 300, "é" * 255),
            ("CON.txt", "CON.txt"),
            (".htaccess", ".htaccess"),
            ("..", "unnamed"),
            (" . ", "unnamed"),
            ("a/", "unnamed"),
            ("gpj.\u202egnp.exe", "gpj.gnp.exe"),
            ("e\u0301.txt", "é.txt"),
            ("日本 語.txt", "日本 語.txt"),
            ("'; DROP TABLE files; --", "'; DROP TABLE files; --"),
            ('a"b.txt', 'a"b.txt'),
        ],
    )
    def test_case_117_a_name_is_shown_and_nothing_else(
        self, callers: Callers, config: Config, given: str, kept: str
    ) -> None:
        # when
        made = sent(callers["author"], given, given.encode())
        # then
        assert made["name"] == kept
        where = config.files / made["sha256"][:2] / made["sha256"][2:4] / made["sha256"]
        assert where.read_bytes() == given.encode()

    @pytest.mark.parametrize("name", ["../a", "a\\b", "..", "", "a\0", "a\r\nb", "\u202ea"])
    def test_case_117_a_name_that_is_chosen_is_refused(self, callers: Callers, name: str) -> None:
        # given
        made = sent(callers["author"], "a.txt", b"a")
        # when
        answer = callers["author"].patch(f"{FILES}/{made['id']}", json={"name": name})
        # then
        assert code(answer) == "validation"
        assert callers["author"].get(f"{FILES}/{made['id']}").get_json()["name"] == "a.txt"


class TestCase120:
    @pytest.mark.parametrize(
        ("name", "said", "content", "media_type"),
        [
            ("a.png", "image/png", b"<html><script>1</script>", "text/html"),
            ("a.txt", "text/plain", b"GIF89a" + b"\0" * 10, None),
            ("a.jpg", "image/jpeg", b"MZ" + b"\0" * 200, "application/x-msdownload"),
            ("a.json", "image/png", b'{"a": 1}', "application/json"),
            ("a.html", "text/html", b"\xff\xfe<\0s\0v\0g\0>\0", "application/octet-stream"),
        ],
    )
    def test_case_120_a_type_is_told_by_the_content(
        self, callers: Callers, name: str, said: str, content: bytes, media_type: str | None
    ) -> None:
        # given
        body = form((f'name="files"; filename="{name}"\r\nContent-Type: {said}', content))
        # when
        answer = send(callers["author"], body)
        # then
        if media_type is None:
            assert code(answer) == "validation"  # it begins as a picture, and is none
        else:
            assert data(answer, 201)["items"][0]["data"]["media_type"] == media_type


class TestCase121:
    def test_case_121_nothing_else_takes_bytes(self, app: Flask, callers: Callers) -> None:
        # given
        document = callers["anonymous"].get(f"{API}/openapi.json").get_json()
        # when
        takes = [
            (method, path)
            for path, verbs in document["paths"].items()
            for method, told in verbs.items()
            if "multipart/form-data" in told.get("requestBody", {}).get("content", {})
        ]
        # then
        assert takes == [("post", "/v1/files")]

    @pytest.mark.parametrize("member", ["media_type", "sha256", "size", "width", "url", "author"])
    def test_case_121_what_was_told_cannot_be_changed(self, callers: Callers, member: str) -> None:
        # given
        made = sent(callers["author"], "a.txt", b"a")
        url = f"{FILES}/{made['id']}"
        # when
        answer = callers["author"].patch(url, json={member: made[member]})
        # then
        assert code(answer) == "validation"
        assert answer.get_json()["errors"][0]["code"] == "read_only"


class TestCase123:
    def test_case_123_an_archive_is_kept_as_it_is(self, callers: Callers, config: Config) -> None:
        # given
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../zeros", b"\0" * 5_000_000)
            for number in range(2_000):
                archive.writestr(f"{number}.zip", b"PK\x05\x06" + b"\0" * 18)
        # when
        started = time.process_time()
        made = sent(callers["author"], "a.zip", bomb.getvalue())
        took = time.process_time() - started
        # then
        assert made["media_type"] == "application/zip"
        assert made["size"] == len(bomb.getvalue())
        assert took < 2 * CHEAP
        there = {path.name for path in config.files.rglob("*") if path.is_file()}
        assert not there & {"zeros", "0.zip"}


class TestCase125:
    def test_case_125_small_files_fill_a_quota_too(
        self,
        make_app: Callable[[Config], Flask],
        config: Config,
        session: Session,
        ada: User,
    ) -> None:
        # given
        app = make_app(replace(config, QUOTA_BYTES=50_000))
        caller = app.test_client()
        caller.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(app, session, ada)}"
        each = [file("a.txt", f"{number:0100}".encode()) for number in range(900)]
        # when
        answer = send(caller, form(*each))
        # then
        items = data(answer, 207)["items"]
        assert [item["status"] for item in items] == [201] * 500 + [413] * 400
        assert items[-1]["problem"]["left"] == 0
        assert session.scalar(sa.select(sa.func.sum(File.size))) == 50_000
        assert session.scalar(sa.select(sa.func.count()).select_from(Content)) == 500
        assert session.scalars(sa.select(ContentHold)).all() == []

    def test_case_125_what_is_in_the_trash_counts_until_it_is_purged(
        self,
        make_app: Callable[[Config], Flask],
        config: Config,
        session: Session,
        ada: User,
    ) -> None:
        # given
        app = make_app(replace(config, QUOTA_BYTES=100))
        caller = app.test_client()
        caller.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(app, session, ada)}"
        made = sent(caller, "a.txt", b"x" * 60)
        # when
        assert caller.delete(f"{FILES}/{made['id']}").status_code == 204
        before = send(caller, form(file("b.txt", b"y" * 60)))
        assert caller.delete(f"{API}/trash/files/{made['id']}").status_code == 204
        after = send(caller, form(file("b.txt", b"y" * 60)))
        # then
        assert code(before) == "too-large"
        assert before.get_json()["left"] == 40
        assert data(after, 201)["items"][0]["data"]["size"] == 60
