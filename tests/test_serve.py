"""The server from outside: what it does with odd requests, dying workers, and signals."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api import stalled
from tests.servers import PATIENCE, ROOT, LiveServer, live_server

HEAD = b"Host: localhost\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """``make_server(WORKERS=1)``: a server of the test's own."""
    url = f"sqlite:///{tmp_path}/server.sqlite"
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            live_server(url, tmp_path / "server", **settings)
        )


def connect(server: LiveServer) -> socket.socket:
    url = urlsplit(server.url)
    return socket.create_connection((url.hostname, url.port or 80), timeout=PATIENCE)


def exchange(server: LiveServer, request: bytes, *, end: bool = False) -> tuple[int, bytes]:
    """Send bytes; return the status and all that came back."""
    with connect(server) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return int(answer.split(b" ", 2)[1]) if answer else 0, answer


def eventually(is_so: Callable[[], object]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def workers(server: LiveServer) -> set[int]:
    """Return the ids of the worker processes, dead ones that nobody noticed included."""
    pid = server.process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def kill_all(server: LiveServer) -> None:
    """Kill every worker, and wait until each has a successor."""
    doomed = workers(server)
    for each in doomed:
        os.kill(each, signal.SIGKILL)
    eventually(lambda: len(workers(server)) == len(doomed) and not workers(server) & doomed)


def begin(connection: socket.socket, body: bytes) -> None:
    """Send the head of a request, and wait until the server wants its body."""
    head = b"POST /api/v1/auth/token HTTP/1.1\r\n" + HEAD + JSON
    length = f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(head + length.encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 100")


@contextmanager
def slow_requests(server: LiveServer, count: int) -> Iterator[list[socket.socket]]:
    """Hold connections on which the body does not come."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(connect(server))) for _ in range(count)]
        for each in connections:
            each.sendall(
                b"POST /api/v1/auth/token HTTP/1.1\r\n"
                + HEAD
                + JSON
                + b"Content-Length: 9\r\n\r\n{"
            )
        yield connections


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
            while not _has_ended(client):
                if sends:  # a byte now and then does not help
                    client.send(b"x")
                    accepted.recv(4096)
                stalled.close_stalled(port)
                assert time.monotonic() - started < PATIENCE
            assert time.monotonic() - started >= (0.4 if sends else 0.1)
            assert not stalled.is_stalled(listener)

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


class TestWorkers:
    def test_that_die_are_replaced_however_often(
        self, make_server: Callable[..., LiveServer]
    ) -> None:
        server = make_server()
        for _ in range(4):
            kill_all(server)
            with server.caller() as caller:
                assert caller.get("/api/v1/posts").status_code == 200
        assert server.log.count('"event":"worker died"') == 8

    def test_that_die_lose_no_waiting_connection(
        self, make_server: Callable[..., LiveServer]
    ) -> None:
        server = make_server(WORKERS=1)
        [worker] = workers(server)
        os.kill(worker, signal.SIGSTOP)  # so that what comes now has to wait in the queue
        with connect(server) as waiting:
            waiting.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
            os.kill(worker, signal.SIGKILL)
            assert waiting.recv(4096).startswith(b"HTTP/1.1 200")

    def test_are_counted_together_and_after_their_death(
        self, make_server: Callable[..., LiveServer]
    ) -> None:
        server = make_server()

        def ask(count: int) -> None:
            for _ in range(count):
                with server.caller() as caller:  # a connection each, so that both get some
                    assert caller.get("/api/v1/posts").status_code == 200

        ask(20)
        kill_all(server)
        ask(5)
        with server.caller() as caller:
            text = caller.get("/metrics").text
        [line] = re.findall(r'http_requests_total\{method="GET",route="/api/v1/posts".*', text)
        assert line.endswith(" 25.0")

    def test_end_with_their_supervisor(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server()
        orphans = workers(server)
        [note] = server.data_dir.glob("figures-*")
        server.process.kill()
        server.process.wait(PATIENCE)
        eventually(lambda: not any(map(_is_running, orphans)))
        assert not Path(note.read_text()).exists()

    def test_share_the_log_line_by_line(self, server: LiveServer) -> None:
        server.client.get("/api/v1/posts?a=hush")
        for line in server.log.splitlines():
            if line.startswith("{"):
                assert json.loads(line)["event"]
        assert "hush" not in server.log


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_without_a_complaint(
        self, make_server: Callable[..., LiveServer], number: signal.Signals
    ) -> None:
        server = make_server()
        os.killpg(server.process.pid, number)  # as a terminal does: the workers hear it too
        assert server.process.wait(PATIENCE) == 0
        assert '"level":"error"' not in server.log
        assert "Traceback" not in server.log

    def test_finishes_what_it_began(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server(WORKERS=1)
        body = b'{"grant_type": "password", "username": "x", "password": "y"}'
        with connect(server) as begun:
            begin(begun, body)
            server.process.terminate()
            eventually(lambda: not _accepts(server))
            begun.sendall(body)
            assert begun.recv(4096).startswith(b"HTTP/1.1 400")
        assert server.process.wait(PATIENCE) == 0

    @pytest.mark.parametrize("signals", [1, 2])  # 2: make passes on what its group gets
    def test_waits_for_what_comes_slowly(
        self, make_server: Callable[..., LiveServer], signals: int
    ) -> None:
        server = make_server(WORKERS=1)
        body = b'{"grant_type": "password", "username": "x", "password": "y"}'
        with connect(server) as begun:
            begin(begun, body)
            for _ in range(signals):
                os.killpg(server.process.pid, signal.SIGTERM)
            begun.settimeout(1.5)  # by then the workers were asked again and again
            with pytest.raises(TimeoutError):
                begun.recv(1)
            begun.settimeout(PATIENCE)
            begun.sendall(body)
            assert begun.recv(4096).startswith(b"HTTP/1.1 400")
        assert server.process.wait(PATIENCE) == 0

    def test_says_so_before(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server(DRAIN_DELAY=2)
        assert server.client.get("/readyz").status_code == 200
        server.process.terminate()
        eventually(lambda: server.client.get("/readyz").status_code == 503)
        assert server.client.get("/api/v1/posts").status_code == 200
        assert server.process.wait(PATIENCE) == 0

    def test_is_at_once_when_asked_twice(self, make_server: Callable[..., LiveServer]) -> None:
        server = make_server(WORKERS=1)
        with connect(server) as begun:
            begin(begun, b"{}")
            server.process.terminate()
            eventually(lambda: not _accepts(server))
            started = time.monotonic()
            while server.process.poll() is None and time.monotonic() - started < PATIENCE:
                server.process.terminate()
            assert time.monotonic() - started < 5


class TestStart:
    def test_on_a_port_that_is_taken(self, server: LiveServer, tmp_path: Path) -> None:
        done = _serve(tmp_path, PORT=str(urlsplit(server.url).port))
        assert done.returncode == 2
        assert done.stderr.startswith("HOST, PORT: cannot listen on 127.0.0.1")
        assert len(done.stderr.splitlines()) == 1
        assert server.client.get("/healthz").status_code == 200

    def test_on_an_address_of_others(self, tmp_path: Path) -> None:
        done = _serve(tmp_path, HOST="192.0.2.1")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)

    def test_tells_its_url(self, server: LiveServer) -> None:
        assert f"Signpost serves {server.url} " in server.log


def _serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.serve"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def _accepts(server: LiveServer) -> bool:
    with suppress(httpx.TransportError), server.caller() as caller:
        return caller.get("/healthz").status_code == 200
    return False


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def _has_ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
