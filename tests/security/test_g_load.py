"""Section G: what one crowd asks for, slowly or all at once, is not taken from the others."""

from __future__ import annotations

import re
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.databases import sqlite_databases
from tests.servers import ADMIN_PASSWORD, LiveServer, live_server

TOKEN = "/api/v1/auth/token"
HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"
#: Connections of each slow kind.
CROWD = 100
#: Seconds for the server to be rid of them: 10 without a byte, 2 between looks, and some to spare.
RID = 22.0
#: Bodies of nearly 2 MiB that become many small objects.
HEAVY = (
    b"[" + b",".join([b"1"] * 1_000_000) + b"]",
    b"[" + b",".join([b"{}"] * 600_000) + b"]",
    b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
    b"[" * 100_000,
    b'{"title":"' + b"\\u0301" * 300_000 + b'"}',
)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of its own; what it keeps its rows in makes no difference here."""
    folder: Path = tmp_path_factory.mktemp("crowded")
    with (
        sqlite_databases(folder) as make,
        live_server(make("crowded"), folder / "data") as server,
    ):
        yield server


def read_times(server: LiveServer, count: int = 40) -> list[float]:
    """Read a list this often, over one connection; return the seconds that each answer took."""
    times = []
    with server.caller() as caller:
        for _ in range(count):
            started = time.monotonic()
            answer = caller.get("/api/v1/posts")
            times.append(time.monotonic() - started)
            assert answer.status_code == 200, answer.text
    return times


def bearable(quiet: list[float], busy: list[float]) -> bool:
    """Whether readers wait little longer than before; few at all on a machine that is shared."""
    most = max(5 * statistics.median(quiet), 0.1)
    return statistics.median(busy) <= most and max(busy) <= max(20 * max(quiet), 1.0)


class TestCase094:
    """Who is slow waits alone."""

    def test_case_094_slow_clients(self, crowded: LiveServer) -> None:
        # given
        bundle = re.findall(r'src="([^"]*bundle[^"]*)"', crowded.client.get("/docs").text)[0]
        kinds = [
            b"",
            b"GET /api/v1/posts" + HEAD + b"X-A: ",
            b"POST " + TOKEN.encode() + HEAD + b"Content-Length: 99\r\n\r\n{",
            b"GET " + bundle.encode() + HEAD + b"\r\n",
        ]
        quiet, before = read_times(crowded), open_files(crowded)
        with ExitStack() as stack:
            # when
            started = time.monotonic()
            slow = [(connect(crowded, stack), kind) for kind in kinds for _ in range(CROWD)]
            for connection, kind in slow:
                connection.sendall(kind)
            busy = read_times(crowded)
            held = open_files(crowded)
            # then
            assert bearable(quiet, busy), (quiet, busy)
            assert held - before > 2 * CROWD
            while (held := open_files(crowded)) > before + 10:
                assert time.monotonic() - started < RID, held
                time.sleep(0.1)
        assert max(read_times(crowded)) < 1


def connect(server: LiveServer, stack: ExitStack) -> socket.socket:
    """Return a connection with little room for what arrives."""
    url = urlsplit(server.url)
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.hostname, url.port))
    return connection


def open_files(server: LiveServer) -> int:
    """Return how many files and connections the workers hold open."""
    return sum(len(list(Path(f"/proc/{worker}/fd").iterdir())) for worker in workers(server))


def workers(server: LiveServer) -> list[str]:
    """Return the ids of the worker processes."""
    pid = server.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class TestCase112:
    """What a hostile body takes, it gives back."""

    def test_case_112_memory_is_given_back(self, crowded: LiveServer) -> None:
        # given
        headers = {"Content-Type": "application/json"}

        def send_all() -> set[int]:
            answers = [crowded.client.post(TOKEN, content=each, headers=headers) for each in HEAVY]
            return {answer.status_code for answer in answers}

        for _ in range(3):
            send_all()
        before = memory(crowded)
        # when
        told = set[int]().union(*(send_all() for _ in range(6)))
        # then
        assert told <= {400, 413}
        assert memory(crowded) - before < 64 * 1024


def memory(server: LiveServer) -> int:
    """Return the KiB of memory that the workers hold."""
    texts = [Path(f"/proc/{worker}/status").read_text() for worker in workers(server)]
    return sum(int(found) for text in texts for found in re.findall(r"VmRSS:\s+(\d+)", text))


class TestCase115:
    """Hashing is done by few at a time; the rest waits or is told to come back."""

    def test_case_115_a_flood_of_sign_ins(self, server: LiveServer) -> None:
        # given
        quiet, told, over = read_times(server), Counter[int](), threading.Event()
        threads = [threading.Thread(target=flood, args=(server, told, over)) for _ in range(32)]
        # when
        for thread in threads:
            thread.start()
        try:
            busy = read_times(server, 100)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        # then
        assert set(told) <= {400, 429, 503}, told
        assert told[400] > 0
        assert bearable(quiet, busy), (statistics.median(busy), max(busy))
        grant = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
        assert server.client.post(TOKEN, json=grant).status_code == 200


def flood(server: LiveServer, told: Counter[int], over: threading.Event) -> None:
    """Guess passwords of people that there are not, until it is over."""
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=server.url, limits=limits, timeout=30, trust_env=False) as caller:
        number = 0
        while not over.is_set():
            number += 1
            name = f"zq-{threading.get_ident()}-{number}"
            grant = {"grant_type": "password", "username": name, "password": "wrong, wrong"}
            answer = caller.post(TOKEN, json=grant)
            told[answer.status_code] += 1
            if answer.status_code in {429, 503}:
                assert int(answer.headers["Retry-After"]) > 0
