"""Live servers from below: raw requests, slow ones, their worker processes."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.servers import PATIENCE, LiveServer

HEAD = b"Host: localhost\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


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


def accepts(server: LiveServer) -> bool:
    with suppress(httpx.TransportError), server.caller() as caller:
        return caller.get("/healthz").status_code == 200
    return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def has_ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
