"""Many callers at the same moment, each over a connection of its own to a live server."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

#: Seconds for each answer.
PATIENCE = 60.0


@dataclass(frozen=True)
class Call:
    """One request; ``body`` goes out as JSON."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: Any

    @property
    def code(self) -> str:
        """The code of a problem; empty for what is none."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""


def at_once(url: str, calls: Sequence[Call]) -> list[Answer]:
    """Connect for each call, then send all of them at the same moment; return the answers."""
    start = threading.Barrier(len(calls))

    def call(each: Call) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.connect()
        start.wait()
        try:
            return send(connection, each)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def send(connection: http.client.HTTPConnection, call: Call) -> Answer:
    """Send one call and read its answer."""
    headers = dict(call.headers)
    body = None
    if call.body is not None:
        body = json.dumps(call.body).encode()
        headers.setdefault("Content-Type", "application/json")
    connection.request(call.method, call.path, body, headers)
    response = connection.getresponse()
    text = response.read()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, json.loads(text) if text else None)


def bearer(token: str) -> dict[str, str]:
    """Return the header of a caller."""
    return {"Authorization": f"Bearer {token}"}
