"""Races: many requests at once to a live server of several processes, and what is stored then."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import sqlalchemy as sa

from tests.servers import LiveServer

PASSWORD = "a violin in Oslo"

_serial = itertools.count(1)


def new_name() -> str:
    """Return a username that nobody has yet."""
    return f"racer{next(_serial)}"


def all_at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make every call in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(_patiently, call) for call in calls]]


def _patiently(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again where the server says that it is busy; it has done nothing then."""
    while (answer := call()).status_code == 503:
        assert answer.headers["Retry-After"]
    return answer


def told(answers: list[httpx.Response]) -> Counter[int | str]:
    """Count the answers: by status, problems by code."""
    return Counter(
        each.json()["code"] if each.status_code >= 400 else each.status_code for each in answers
    )


class World:
    """One live server, as its admin sees it, and its database."""

    def __init__(self, server: LiveServer, engine: sa.Engine) -> None:
        self.server = server
        self.engine = engine
        self.clients = ExitStack()
        self.admin = self.clients.enter_context(server.admin)

    def user(self, role: str = "author") -> tuple[int, httpx.Client]:
        """Make a user; return the id and a client that is signed in."""
        name = new_name()
        body = {
            "username": name,
            "email": f"{name}@example.com",
            "password": PASSWORD,
            "role": role,
        }
        id = int(self.admin.post("/api/v1/users", json=body).raise_for_status().json()["id"])
        caller = self.server.caller(self.server.token(name, PASSWORD))
        return id, self.clients.enter_context(caller)

    def rows(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Any]:
        """Run a query on the server's database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]
