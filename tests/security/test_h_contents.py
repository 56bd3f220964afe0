"""Sections D and H: what files hold is gone with them, never run, never what was not uploaded."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api.downloads import URL_LIFE
from config import Config
from models import User
from services.storage.checked import LARGE, SMALL
from tests.answers import code, data
from tests.security.world import API, CALLERS, GIF, World
from tests.servers import LiveServer
from tests.sockets import connect, eventually, workers
from tests.stores import Store
from tests.uploads import uploaded

SignIn = Callable[[User], FlaskClient]
#: How often what may leak a file is done; ten thousand times where proofs are made.
TIMES = 10_000 if os.environ.get("PROVE") else 300

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
XHTML = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script/></html>'
MATHML = b'<math xmlns="http://www.w3.org/1998/Math/MathML" href="javascript:alert(1)"/>'
XML = b'<?xml version="1.0"?><?xml-stylesheet href="evil.xsl" type="text/xsl"?><a/>'


def send(caller: httpx.Client, content: bytes, name: str = "a.bin") -> dict[str, Any]:
    """Upload one public file to a live server; return what it became."""
    answer = caller.post(
        f"{API}/files", files={"files": (name, content)}, data={"visibility": "public"}
    ).raise_for_status()
    return dict(answer.json()["items"][0]["data"])


def urls_of(world: World, file: dict[str, Any]) -> list[str]:
    """Return every URL under which a file of ``owner`` or its content can be read."""
    at, owner = f"{API}/files/{file['id']}", world.id("owner")
    named = [f"files/by-name/{file['name']}", f"users/{owner}/files/by-name/{file['name']}"]
    named += ["users/me/files/by-name/" + file["name"]]
    return [at, f"{at}/content", *(f"{API}/{path}" for path in named)]


class TestDeletion:
    @pytest.mark.parametrize("deleter", ["owner", "admin"])
    @pytest.mark.parametrize("what", ["file", "author"])
    def test_case_032_a_deleted_file_is_nowhere_for_anybody(
        self, app: Flask, session: Session, deleter: str, what: str
    ) -> None:
        # given
        world = World(app, session)
        file = uploaded(world.caller("owner"), GIF, "a.gif", visibility="public")
        urls = urls_of(world, file)
        assert world.caller("anonymous").get(urls[1]).data == GIF
        # when
        gone = f"files/{file['id']}" if what == "file" else f"users/{world.id('owner')}"
        world.delete(deleter, gone)
        # then
        for name in CALLERS[:6]:
            caller = world.caller(name)
            for url in urls:
                for headers in ({}, {"Range": "bytes=0-3"}):
                    answer = caller.get(url, headers=headers)
                    assert answer.status_code in {401, 404}, (name, url)
                    assert GIF[:4] not in answer.data
                    assert caller.head(url, headers=headers).status_code == answer.status_code
        assert data(world.caller("admin").get(f"{API}/files?total=true"))["total"] == 0

    def test_case_033_a_cached_copy_is_not_confirmed_any_more(
        self, app: Flask, session: Session
    ) -> None:
        # given
        world = World(app, session)
        file = uploaded(world.caller("owner"), GIF, "a.gif", visibility="public")
        url, caller = urls_of(world, file)[1], world.caller("anonymous")
        held = {"If-None-Match": caller.get(url).headers["ETag"]}
        assert caller.get(url, headers=held).status_code == 304
        # when
        world.delete("owner", f"files/{file['id']}")
        # then
        for given in (held, {"If-None-Match": "*"}):
            assert code(caller.get(url, headers=given)) == "not-found"

    def test_case_034_the_files_of_who_is_suspended_are_absent(
        self, app: Flask, session: Session
    ) -> None:
        # given
        world = World(app, session)
        file = uploaded(world.caller("owner"), GIF, "a.gif", visibility="public")
        # when
        world.suspend("owner")
        # then
        for name in ("anonymous", "reader", "other", "editor"):
            for url in urls_of(world, file):
                assert world.caller(name).get(url).status_code in {401, 404}, (name, url)

    def test_case_035_a_signed_url_ends_within_a_minute(
        self,
        make_app: Callable[[Config], Flask],
        config: Config,
        s3: Store,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        assert URL_LIFE <= 60
        monkeypatch.setattr("api.downloads.URL_LIFE", 3)
        app = make_app(replace(config, **s3.settings, S3_PUBLIC_ENDPOINT=s3.url))
        world = World(app, session)
        owner = world.caller("owner")
        file = uploaded(owner, GIF, "a.gif")
        assert httpx.get(file["url"]).content == GIF
        # when
        world.delete("owner", f"files/{file['id']}")
        # then
        assert owner.get(f"{API}/files/{file['id']}").status_code == 404
        assert owner.get(f"{API}/files/{file['id']}/content").status_code == 404
        eventually(lambda: httpx.get(file["url"]).status_code in {400, 403})


class TestDownloads:
    def test_case_114_many_of_every_kind_leave_nothing_open(self, server: LiveServer) -> None:
        # given
        with server.admin as admin, server.caller() as caller:
            small, large = send(admin, b"small"), send(admin, os.urandom(SMALL + 1))
            paths = [f"{API}/files/{file['id']}/content" for file in (small, large)]
            for path in paths * 8:
                caller.get(path).raise_for_status()
            before = open_files(server)
            # when
            for turn in range(TIMES):
                path = paths[turn % 2]
                assert caller.head(path).status_code == 200
                if turn % 10 == 0:
                    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
                    assert caller.get(path, headers={"Range": many}).status_code == 416
                    assert caller.get(path, headers={"Range": "bytes=x"}).status_code == 416
                    part = caller.get(path, headers={"Range": "bytes=1-2"})
                    assert (part.status_code, len(part.content)) == (206, 2)
        # then
        eventually(lambda: open_files(server) <= before)

    def test_case_114_who_leaves_early_leaves_nothing_open(self, server: LiveServer) -> None:
        # given
        with server.admin as admin:
            path = send(admin, os.urandom(8 * 2**20))["url"]
        before = open_files(server)
        # when
        for _ in range(30):
            with connect(server) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        # then
        eventually(lambda: open_files(server) <= before)

    def test_case_114_slow_readers_keep_nobody_waiting(self, server: LiveServer) -> None:
        # given: more of them than a process has places
        with server.admin as admin, server.caller() as caller:
            path = send(admin, os.urandom(9 * 2**20))["url"]
            slow = [connect(server) for _ in range(24)]
            for each in slow:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                each.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            for each in slow:
                assert each.recv(1000).startswith(b"HTTP/1.1 200")
            # when
            started = time.monotonic()
            statuses = [caller.get(f"{API}/posts").status_code for _ in range(20)]
            # then
            assert statuses == [200] * 20
            assert time.monotonic() - started < 5
            for each in slow:
                each.close()


class TestTypes:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            *(("a.svg", SVG), ("a.html", HTML), ("a.xhtml", XHTML), ("a.xml", XML)),
            *(("a.mml", MATHML), ("a.png", HTML), ("a.gif", SVG), ("a.json", HTML)),
            ("a.html", b"\xef\xbb\xbf  <!-- --><SCRIPT>alert(1)</SCRIPT>"),
            ("a.js", b"alert(document.domain)"),
        ],
    )
    def test_case_119_nothing_is_run_by_a_browser(
        self, sign_in: SignIn, ada: User, name: str, content: bytes
    ) -> None:
        # given
        me = sign_in(ada)
        form = {"files": (BytesIO(content), name, "text/html;charset=x")}
        sent = me.post(f"{API}/files", data=form, content_type="multipart/form-data")
        if sent.status_code != 201:  # to refuse it is as good
            assert sent.status_code in {400, 415}
            return
        # when
        answer = me.get(f"{API}/files/{sent.get_json()['items'][0]['id']}/content")
        # then
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"].split("; ")
        assert answer.mimetype in {"application/octet-stream", "text/plain"}

    def test_case_120_a_polyglot_is_what_it_was_checked_to_be(
        self, sign_in: SignIn, ada: User
    ) -> None:
        # given: a picture for who looks at its start, a script for who believes its name
        me = sign_in(ada)
        file = uploaded(me, GIF + b"/*<script>alert(1)</script>*/=1;alert(1)", "a.js")
        # when
        answer = me.get(f"{API}/files/{file['id']}/content")
        # then
        assert file["media_type"] == answer.content_type == "image/gif"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"].split("; ")


class TestDamage:
    def test_case_127_bytes_that_changed_on_the_disk_are_told_not_served(
        self, make_server: Callable[..., LiveServer]
    ) -> None:
        # given: one that is compared in memory, one before it is sent, one while it is
        server = make_server(WORKERS=1, MAX_FILE_BYTES=LARGE + 2**20)
        contents = [os.urandom(size) for size in (1000, SMALL + 1, LARGE + 1)]
        with server.admin as admin, server.caller() as caller:
            files = [send(admin, content) for content in contents]
            for file, content in zip(files, contents, strict=True):
                assert caller.get(file["url"]).content == content
            # when
            for file, content in zip(files, contents, strict=True):
                change(server, file["sha256"], content)
            # then
            for file in files[:2]:
                assert caller.get(file["url"]).json()["code"] == "internal"
            with pytest.raises(httpx.RemoteProtocolError):
                caller.get(files[2]["url"])
            told = [line for line in server.log.splitlines() if '"event":"damaged"' in line]
            assert [file["sha256"] in line for file, line in zip(files, told, strict=True)] == [
                True
            ] * 3
            assert caller.get("/healthz").status_code == 200


def change(server: LiveServer, sha256: str, content: bytes) -> None:
    """Change the last byte of a content on the disk."""
    path = server.data_dir / "files" / sha256[:2] / sha256[2:4] / sha256
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def open_files(server: LiveServer) -> int:
    """Return how many files, not sockets, the workers have open."""
    links = [each for pid in workers(server) for each in Path(f"/proc/{pid}/fd").iterdir()]
    return sum("/files/" in target for target in map(_target, links))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""
