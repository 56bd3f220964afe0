"""Section K: nobody outside writes a line of the log, or a part of one that is not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import sqlite_databases
from tests.security.test_g_wire import send
from tests.servers import LiveServer, live_server

#: What moves a cursor, begins a line, colours a terminal or ends a JSON text.
MARKS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\x1b[31m",
    b"\x1b]0;x\x07",
    b"\x08\x08",
    b"\x7f",
    b"\x9b31m",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xae",
    b'"}\n{"event":"',
    b"\\n",
    b"\xff",
)
FORGED = b'{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"zq-forged"}'
#: What a line for people begins with: a time and a level, or the bar of a traceback.
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warning|error) |  \| |Signpost |  ")
#: Control characters, those of C1 and separators of lines included, and what turns text around.
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def textual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that logs for people."""
    folder: Path = tmp_path_factory.mktemp("textual")
    with (
        sqlite_databases(folder) as make,
        live_server(make("textual"), folder / "data", LOG_FORMAT="text", WORKERS=1) as server,
    ):
        yield server


def escaped(mark: bytes) -> str:
    """Return ``mark`` as it stands in a URL."""
    return "".join(f"%{byte:02X}" for byte in mark)


def attack(server: LiveServer) -> list[int]:
    """Send every mark in everything that a caller chooses; return the statuses."""
    statuses = []
    with server.caller() as caller:
        for mark in MARKS:
            text = escaped(mark + FORGED)
            urls = [
                f"/zq{text}",
                f"/api/v1/users/by-username/zq{text}",
                f"/api/v1/posts?zq{text}=1",
            ]
            urls += [f"/api/v1/posts?author={text}", f"/static/{text}/x", f"/problems/{text}"]
            statuses += [caller.get(url).status_code for url in urls]
            statuses += [_sign_in(caller, mark), _sign_up(caller, mark)]
            for name in (b"User-Agent", b"X-Request-Id", b"X-Forwarded-For", b"Host", b"Origin"):
                _send_header(server, name, b"zq" + mark + FORGED)
            _send_header(server, b"Authorization", b"Bearer zq" + mark + FORGED)
    return statuses


def _sign_in(caller: httpx.Client, mark: bytes) -> int:
    name = (mark + FORGED).decode("latin-1")
    grant = {"grant_type": "password", "username": name, "password": name}
    return caller.post("/api/v1/auth/token", json=grant).status_code


def _sign_up(caller: httpx.Client, mark: bytes) -> int:
    name = (mark + FORGED).decode("latin-1")
    user = {"username": name, "email": f"{name}@x.org", "password": name, "name": name}
    return caller.post("/api/v1/users", json=user).status_code


def _send_header(server: LiveServer, name: bytes, value: bytes) -> None:
    host = b"" if name == b"Host" else b"Host: localhost\r\n"
    line = b"%s: %s\r\n" % (name, value)
    send(server, b"GET /zq HTTP/1.1\r\n" + host + line + b"Connection: close\r\n\r\n")


class TestCase144:
    """One event, one line, and nothing in it that a terminal obeys."""

    def test_case_144_in_json(self, server: LiveServer) -> None:
        # given
        before = len(server.log)
        # when
        statuses = attack(server)
        # then
        assert max(statuses) < 500
        lines = server.log[before:].rstrip("\n").split("\n")
        assert len(lines) >= len(statuses)
        assert [line for line in lines if CONTROL.search(line)] == []
        events = [json.loads(line) for line in lines]
        assert {event["event"] for event in events} == {"request"}
        assert len({event["request_id"] for event in events}) == len(events)

    def test_case_144_in_text(self, textual: LiveServer) -> None:
        # given
        before = len(textual.log)
        # when
        statuses = attack(textual)
        # then
        assert max(statuses) < 500
        lines = textual.log[before:].rstrip("\n").split("\n")
        assert len(lines) >= len(statuses)
        assert [line for line in lines if CONTROL.search(line)] == []
        assert [line for line in lines if not LINE.match(line)] == []

    def test_case_144_in_what_is_kept_of_a_device(self, server: LiveServer) -> None:
        # given
        agent = b"zq-device\t" + FORGED * 9
        body = json.dumps(
            {"grant_type": "password", "username": "admin", "password": "an elephant in Cairo"}
        ).encode()
        head = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += b"Content-Type: application/json\r\nUser-Agent: " + agent
        # when
        received = send(server, head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        # then
        assert received.startswith(b"HTTP/1.1 200 ")
        with server.admin as admin:
            sessions = admin.get("/api/v1/auth/sessions").json()["items"]
        [device] = [each["device"] for each in sessions if "zq-device" in (each["device"] or "")]
        assert device.isprintable()
        assert len(device) <= 200
