"""Requests as bytes over a fresh connection: what clients would tidy up before they send it."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: Seconds for the whole answer.
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    """By lower-case name; of several with one name, the last."""
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def ask(url: str, target: str, *lines: str, method: str = "GET", body: bytes = b"") -> Answer:
    """Send one request to the server at ``url``; ``target`` goes out as it is.

    Args:
        lines: header lines; without one for ``Host``, that of ``url`` is sent.
    """
    host = urlsplit(url).netloc
    named = any(line.lower().startswith("host:") for line in lines)
    head = [f"{method} {target} HTTP/1.1", *(() if named else (f"Host: {host}",)), *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return exchange(url, "\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1") + body)


def exchange(url: str, request: bytes) -> Answer:
    """Send bytes to the server at ``url`` and read until it closes."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Answer(int(status.split()[1]), headers, body)
