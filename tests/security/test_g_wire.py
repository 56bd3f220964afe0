"""Section G: requests that two readers could read in two ways, cut ones and endless ones."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from urllib.parse import urlsplit

import pytest

from tests.servers import LiveServer

HOST = b"Host: signpost.example\r\n"
JSON = b"Content-Type: application/json\r\n"
GET = b"GET /api/v1/posts HTTP/1.1\r\n"
POST = b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + JSON
TE = b"Transfer-Encoding: "
CHUNKED = POST + TE + b"chunked\r\n\r\n"
#: What an attacker hides behind another request.
SMUGGLED = b"GET /zq-smuggled HTTP/1.1\r\n" + HOST + b"\r\n"

#: A request that follows, and is the last.
LAST = b"GET /zq-next HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
#: Seconds for the server to close a connection that it will not read any more.
PATIENCE = 10.0

#: Transfer codings that are none, or none that is known here.
CODINGS = (
    *(b"xchunked", b"chunked, identity", b"gzip, chunked", b"chunked, chunked", b"identity"),
    *(b'"chunked"', b"\x0bchunked", b"\r\n chunked", b"chunked;q=1", b","),
)
#: What has no meaning, or two: refused, and nothing that follows on the connection is read.
AMBIGUOUS: dict[str, bytes] = {
    "both lengths": POST + b"Content-Length: 4\r\n" + TE + b"chunked\r\n\r\n0\r\n\r\n",
    "both lengths, other order": POST + TE + b"chunked\r\nContent-Length: 99\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n",
    "two lengths in a line": POST + b"Content-Length: 0, 60\r\n\r\n",
    "one length twice in a line": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    **{
        f"length {length!r}": POST + b"Content-Length:" + length + b"\r\n\r\n{}"
        for length in (
            b"+2",
            b"-2",
            b"0x2",
            b"0_2",
            b"2 2",
            b"",
            b"2;",
            b"\x0b2",
            b"2.0",
            b"9" * 20,
        )
    },
    "length with a blank": POST + b"Content-Length : 2\r\n\r\n{}",
    **{f"coding {coding!r}": POST + TE + coding + b"\r\n\r\n0\r\n\r\n" for coding in CODINGS},
    "coding with a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + TE + b"identity\r\n" + TE + b"chunked\r\n\r\n0\r\n\r\n",
    "coding in HTTP/1.0": POST.replace(b"1.1", b"1.0", 1) + TE + b"chunked\r\n\r\n0\r\n\r\n",
    **{
        f"chunk {size!r}": CHUNKED + size + b"\r\n{}\r\n0\r\n\r\n"
        for size in (
            b"0x2",
            b"+2",
            b"-2",
            b"0_2",
            b" 2",
            b"",
            b"1" + b"0" * 16,
            b"2;a=\nb",
            b"\xb2",
        )
    },
    "chunk without an end": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "chunks by bare LF": CHUNKED + b"2\n{}\n0\n\n",
    "lines by bare CR": GET.replace(b"\r\n", b"\r") + b"Host: a\r\r",
    "folded": GET + HOST + b"X-A: b\r\n c: d\r\n\r\n",
    "folded at once": GET + b" " + HOST + b"\r\n",
    "NUL in a value": GET + HOST + b"X-A: a\0b\r\n\r\n",
    "NUL in a name": GET + HOST + b"X\0A: b\r\n\r\n",
    "CR in a value": GET + HOST + b"X-A: a\rX-B: c\r\n\r\n",
    "no colon": GET + HOST + b"X-A\r\n\r\n",
    "no name": GET + HOST + b": b\r\n\r\n",
    "blank in a name": GET + HOST + b"X A: b\r\n\r\n",
    "two hosts": GET + HOST + b"Host: other.example\r\n\r\n",
    "one host twice": GET + HOST + HOST + b"\r\n",
    "two hosts in a line": GET + b"Host: signpost.example, other.example\r\n\r\n",
    **{
        f"host {host!r}": GET + b"Host: " + host + b"\r\n\r\n"
        for host in (b"", b"a b", b"a/b", b"a@b", b"a\\b", b"a?b", b"a#b", b"\xe9", b"<a>")
    },
    "blank in the target": b"GET /api/v1/posts /x HTTP/1.1\r\n" + HOST + b"\r\n",
    "control in the target": b"GET /api/\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the target": b"GET /api/\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no slash": b"GET api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n",
    "two blanks": b"GET  /api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n",
    "blank at once": b" " + GET + HOST + b"\r\n",
    "odd method": b"G@T /api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /api/v1/posts\r\n",
    "HTTP/1.2": b"GET /api/v1/posts HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET /api/v1/posts HTTP/2.0\r\n" + HOST + b"\r\n",
    "http/1.1": b"GET /api/v1/posts http/1.1\r\n" + HOST + b"\r\n",
}
#: What is odd but clear: what follows on the connection is the next request, answered as one.
CLEAR: dict[str, tuple[bytes, int]] = {
    "one length twice": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "CHUNKED": (POST + TE + b"CHUNKED\r\n\r\n0\r\n\r\n", 400),
    "small method": (b"get /api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "unknown method": (b"FROB /api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "CONNECT": (b"CONNECT signpost.example:80 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "absolute form": (b"GET http://other.example/api/v1/posts HTTP/1.1\r\n" + HOST + b"\r\n", 200),
    "HTTP/2 upgrade": (GET + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
    "WebSocket upgrade": (GET + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    # A recipient may take a bare LF for the end of a line (RFC 9112, 2.2); the parser does.
    "lines by bare LF": ((GET + HOST + b"\r\n").replace(b"\r\n", b"\n"), 200),
}


def statuses(server: LiveServer, *parts: bytes) -> list[int]:
    """Send bytes; return the status of each answer until the connection is closed."""
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3}) ", send(server, *parts))]


def send(server: LiveServer, *parts: bytes, cut: bool = False, first: bool = False) -> bytes:
    """Send bytes, and with ``cut`` the end of them; return all until the connection is closed.

    With ``first`` only what comes at first: the server may wait for what it was told of.
    """
    url = urlsplit(server.url)
    address = (url.hostname or "", url.port or 80)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        received = b""
        with suppress(ConnectionResetError, BrokenPipeError):  # closed with something unread
            for part in parts:
                connection.sendall(part)
            if cut:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                received += chunk
                if first:
                    break
        return received


class TestCase092:
    """One request has one meaning."""

    @pytest.mark.parametrize("form", AMBIGUOUS)
    def test_case_092_what_is_ambiguous_ends_the_connection(
        self, server: LiveServer, form: str
    ) -> None:
        [status] = statuses(server, AMBIGUOUS[form] + SMUGGLED)
        assert status in {400, 413, 415, 431, 501, 505}
        assert "/zq-smuggled" not in server.log

    @pytest.mark.parametrize("form", CLEAR)
    def test_case_092_what_is_clear_ends_where_it_says(self, server: LiveServer, form: str) -> None:
        request, status = CLEAR[form]
        assert statuses(server, request + LAST) == [status, 404]

    def test_case_092_what_is_a_body_is_no_request(self, server: LiveServer) -> None:
        length = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
        assert statuses(server, GET + HOST + length + SMUGGLED + LAST) == [200, 404]
        assert "/zq-smuggled" not in server.log


class TestCase093:
    """A request says whom it is for."""

    @pytest.mark.parametrize("path", [b"/api/v1/posts", b"/", b"/healthz", b"/docs", b"/zq"])
    def test_case_093_no_host(self, server: LiveServer, path: bytes) -> None:
        received = send(server, b"GET " + path + b" HTTP/1.1\r\n\r\n" + LAST)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert received.count(b"HTTP/1.1") == 1
        assert b'"code":"unknown-host"' in received
        assert send(server, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")


def new_user(name: str) -> bytes:
    """Return a sign-up that would be accepted."""
    user = {"username": name, "email": f"{name}@example.org", "password": "an elephant in Rome"}
    return json.dumps(user).encode()


def sign_up(*lines: bytes) -> bytes:
    """Return the head of a sign-up with these lines."""
    head = [b"POST /api/v1/users HTTP/1.1", HOST.strip(), JSON.strip(), *lines, b"", b""]
    return b"\r\n".join(head)


def is_there(server: LiveServer, name: str) -> bool:
    """Whether a user is found."""
    return server.client.get(f"/api/v1/users/by-username/{name}").status_code == 200


def in_chunks(body: bytes, size: int = 60_000) -> Iterator[bytes]:
    """Give a body as chunks, without the last one."""
    for start in range(0, len(body), size):
        part = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)


class TestCase095:
    """What is too large is refused, told beforehand or not."""

    @pytest.mark.parametrize("ends", [True, False])
    def test_case_095_twice_the_limit_in_chunks(self, server: LiveServer, ends: bool) -> None:
        name = f"zq-chunks-{ends}"
        body = new_user(name) + b" " * 4 * 1024 * 1024
        last = [b"0\r\n\r\n"] if ends else []
        parts = chain([sign_up(b"Transfer-Encoding: chunked")], in_chunks(body), last)
        received = send(server, *parts, first=True)
        assert not received or received.startswith(b"HTTP/1.1 413 ")
        assert not is_there(server, name)

    def test_case_095_that_is_told(self, server: LiveServer) -> None:
        answer = server.client.post(
            "/api/v1/users",
            content=chain([new_user("zq-told")], [b" " * 1024] * 4096),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert not is_there(server, "zq-told")

    def test_case_095_twice_the_limit_announced(self, server: LiveServer) -> None:
        head = sign_up(b"Content-Length: 4194304", b"Connection: close")
        assert send(server, head, first=True).startswith(b"HTTP/1.1 413 ")


class TestCase096:
    """What did not arrive whole is not acted on.

    Whether the last chunk came is not known: the server tells nobody that a connection broke off
    instead. But a JSON text cannot end early without being none.
    """

    @pytest.mark.parametrize("missing", [1, 20])
    @pytest.mark.parametrize(
        ("line", "body"),
        [
            (b"Content-Length: %d", b"%s"),
            (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n"),
            (b"Transfer-Encoding: chunked", b"%x\r\n%s"),
            (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0"),
            (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n5\r\n "),
        ],
        ids=["length", "no last chunk", "no end of chunk", "half of the last", "half of another"],
    )
    def test_case_096_cut_bodies(
        self, server: LiveServer, line: bytes, body: bytes, missing: int
    ) -> None:
        # given
        name = f"zq-cut-{missing}-{len(line)}-{len(body)}"
        user = new_user(name)
        sent = user[:-missing]
        head = sign_up(line % len(user) if b"%" in line else line)
        # when
        received = send(
            server, head, body % ((len(user), sent) if b"x" in body else sent), cut=True
        )
        # then
        assert not received or received.startswith(b"HTTP/1.1 400 ")
        assert received.count(b"HTTP/1.1") <= 1
        assert not is_there(server, name)

    def test_case_096_whole_json_that_is_shorter_than_told(self, server: LiveServer) -> None:
        user = new_user("zq-short")
        head = sign_up(b"Content-Length: %d" % (len(user) + 1))
        received = send(server, head, user, cut=True)
        assert not received or received.startswith(b"HTTP/1.1 400 ")
        assert not is_there(server, "zq-short")
