"""The server's processes: workers that die, signals, and starts that fail."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import PATIENCE, ROOT, LiveServer
from tests.sockets import (
    HEAD,
    accepts,
    begin,
    connect,
    eventually,
    is_running,
    kill_all,
    workers,
)


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
        eventually(lambda: not any(map(is_running, orphans)))
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
            eventually(lambda: not accepts(server))
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
            eventually(lambda: not accepts(server))
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
