"""The server from outside: what it does with odd, slow and stalled requests."""

from __future__ import annotations

import fcntl
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api import stalled
from tests.servers import PATIENCE, LiveServer
from tests.sockets import (
    HEAD,
    JSON,
    connect,
    exchange,
    has_ended,
    slow_requests,
)


class TestRequests:
    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n", 200),
            (b"GET / HTTP/1.0\r\n\r\n", 200),
            (b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"x" * 300_000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + HEAD + b"X: x\r\n" * 150 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + HEAD + b"X : x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n", 400),
            (b"GET /\x00 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
            (
                b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                400,
            ),
            (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: +1\r\n\r\nx", 400),
            (b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
            (b"rubbish\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a.example\r\n" + HEAD + b"\r\n", 400),
        ],
    )
    def test_of_odd_form_get_one_answer(
        self, server: LiveServer, request_: bytes, status: int
    ) -> None:
        got, answer = exchange(server, request_)
        assert got == status
        assert answer.count(b"HTTP/1.") == 1

    def test_with_both_lengths_smuggle_nothing(self, server: LiveServer) -> None:
        smuggled = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
        _, answer = exchange(
            server,
            b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
        )
        assert answer.count(b"HTTP/1.") == 1
        assert b'"ok"' not in answer

    def test_that_end_early_are_refused(self, server: LiveServer) -> None:
        head = b"POST /api/v1/users HTTP/1.1\r\n" + HEAD + JSON
        body = json.dumps({"username": "cut", "email": "cut@example.org", "password": "x" * 12})
        length = str(len(body) + 5).encode()
        status, answer = exchange(
            server, head + b"Content-Length: " + length + b"\r\n\r\n" + body.encode(), end=True
        )
        assert (status, b'"malformed-json"' in answer) == (400, True)
        assert server.client.get("/api/v1/users/by-username/cut").status_code == 404

    def test_in_chunks_are_read(self, server: LiveServer) -> None:
        answer = server.client.post(
            "/api/v1/auth/token",
            content=iter([b'{"grant_type": "password", ', b'"username": "x", "password": "y"}']),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-grant")

    def test_in_chunks_beyond_the_limit_are_refused(self, server: LiveServer) -> None:
        answer = server.client.post(
            "/api/v1/auth/token",
            content=iter([b"[" + b" " * 1024 * 1024] * 4),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def test_beyond_the_limit_are_answered_whoever_goes_on_sending(
        self, server: LiveServer
    ) -> None:
        head = b"POST /api/v1/users HTTP/1.1\r\n" + HEAD + JSON
        with connect(server) as connection:
            connection.sendall(head + b"Content-Length: 16000000\r\n\r\n")
            status = connection.recv(12)
            connection.sendall(b"x" * 16_000_000)
        assert status == b"HTTP/1.1 413"

    def test_for_the_head_get_no_body(self, server: LiveServer) -> None:
        status, answer = exchange(server, b"HEAD /api/v1/posts HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert status == 200
        assert answer.endswith(b"\r\n\r\n")

    def test_share_a_connection(self, server: LiveServer) -> None:
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        _, answer = exchange(server, head + b"\r\n" + head + b"Connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200") == 2

    def test_get_no_version_told(self, server: LiveServer) -> None:
        answer = server.client.get("/healthz")
        assert not re.search(r"\d", answer.headers.get("Server", ""))

    def test_never_get_a_debugger(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server(FLASK_DEBUG=1, ENV="development", WORKERS=1)
        for path in ("/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/nothing"):
            answer = server.client.get(path)
            assert "debugger" not in answer.text.lower() or answer.status_code >= 400
            assert "Werkzeug" not in answer.text


class TestSlowSenders:
    def test_keep_nobody_waiting(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server(WORKERS=1, THREADS=2)
        with slow_requests(server, 100):
            started = time.monotonic()
            for _ in range(10):
                assert server.client.get("/api/v1/posts").status_code == 200
            assert time.monotonic() - started < 5


class TestStalled:
    @pytest.mark.parametrize("sends", [True, False])
    def test_connections_are_closed(self, monkeypatch: pytest.MonkeyPatch, sends: bool) -> None:
        monkeypatch.setattr(stalled, "SILENT", 0.2)
        monkeypatch.setattr(stalled, "WHOLE", 0.5)
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
            listener.accept()[0] as accepted,
        ):
            started = time.monotonic()
            client.setblocking(False)
            port = listener.getsockname()[1]
            while not has_ended(client):
                if sends:  # a byte now and then does not help
                    client.send(b"x")
                    accepted.recv(4096)
                stalled.close_stalled(port)
                assert time.monotonic() - started < PATIENCE
            assert time.monotonic() - started >= (0.4 if sends else 0.1)
            assert not stalled.is_stalled(listener)

    def test_uploads_have_more_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stalled, "WHOLE", 0)
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()),
            listener.accept()[0] as accepted,
        ):
            with stalled.patient("127.0.0.1"), stalled.patient("127.0.0.2"):
                assert not stalled.is_stalled(accepted)
            assert stalled.is_stalled(accepted)

    def test_what_was_sent_may_be_stored_in_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stalled, "SILENT", 0)
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()),
            listener.accept()[0] as accepted,
        ):
            with stalled.patient("127.0.0.1"), stalled.storing("127.0.0.1"):
                assert not stalled.is_stalled(accepted)
            with stalled.patient("127.0.0.1"):
                assert stalled.is_stalled(accepted)

    def test_does_not_touch_what_moves(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
            listener.accept()[0] as accepted,
        ):
            stalled.close_stalled(listener.getsockname()[1])
            client.send(b"x")
            assert accepted.recv(1) == b"x"

    def test_leaves_the_locks_of_files_alone(self, tmp_path: Path) -> None:
        # given: SQLite keeps others from a database by such a lock
        path = tmp_path / "file"
        ask = (
            "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        )
        with path.open("w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            # when
            stalled.close_stalled(1)
            # then
            other = subprocess.run([sys.executable, "-c", ask, path], capture_output=True)
            assert b"BlockingIOError" in other.stderr
