"""Section F: no answer reaches another caller, by a shared cache or by a mix-up of connections."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.security.rights import TABLE, Row, url_of
from tests.security.shared_cache import SharedCache, Told
from tests.security.world import API, CALLERS, World
from tests.servers import LiveServer

READS = [row for row in TABLE if row.method == "GET" and row.rule not in {"/metrics", "/readyz"}]
#: Masks that are asked for on some routes, beside none.
MASKS = {f"{API}/{each}": [None, "id"] for each in ("posts/<id:id>", "users/<user_id:id>")}
#: Requests that carry a word of their own, and the share of them whose sender hangs up.
NONCES, ABORTED = (10_000 if os.environ.get("PROVE") else 2_400), 0.1
CONNECTIONS = 24

_serial = itertools.count(1)


def comparable(told: Told) -> Any:
    """Return an answer without the id of its request."""
    if told.body.startswith(b'{"type"'):
        return told.status, {**json.loads(told.body), "request_id": None}
    return told


@pytest.mark.parametrize("row", READS, ids=str)
def test_case_081_everybody_gets_their_own_through_a_shared_cache(
    row: Row, app: Flask, session: Session
) -> None:
    # given
    world = World(app, session)
    world.everybody()
    url = url_of(row, world)
    client = world.caller("anonymous")
    cache, tags = SharedCache(client), set()
    order = random.Random(str(row)).choices(CALLERS, k=12)
    for name, wanted in itertools.product(
        [*CALLERS, *order, *CALLERS], MASKS.get(row.rule, [None])
    ):
        headers = {} if wanted is None else {"X-Fields": wanted}
        if name != "anonymous":
            headers["Authorization"] = f"Bearer {world.tokens[name]}"
        # when
        told = cache.get(url, headers)
        # then
        direct = client.get(url, headers=headers)
        tags.add(direct.headers.get("ETag"))
        assert comparable(told) == comparable(Told(direct.status_code, direct.data)), name
    assert cache.hits > 0 or tags == {None} or row.statuses["anonymous"] != 200


@pytest.mark.parametrize("row", READS, ids=str)
def test_case_081_what_depends_on_the_caller_says_so(
    row: Row, app: Flask, session: Session
) -> None:
    # given
    if not row.rule.startswith(API) or row.rule.endswith(".json"):
        return
    world = World(app, session)
    url = url_of(row, world)
    for name in CALLERS:
        # when
        answer = world.caller(name).get(url)
        # then
        rules = set(answer.headers["Cache-Control"].split(", "))
        if "no-store" not in rules:
            assert "Authorization" in answer.vary, name
            assert (name == "anonymous") or "public" not in rules


class Connection:
    """One connection, made anew after its sender hung up."""

    def __init__(self, url: str, number: int) -> None:
        self.address = urlsplit(url).netloc
        self.random = random.Random(number)
        self.connection = http.client.HTTPConnection(self.address, timeout=30)

    def ask(self, nonce: str, token: str | None, user: int) -> str:
        """Send a request that carries a nonce; return what came of it."""
        headers = {"X-Request-Id": nonce}
        path, method, body = f"{API}/posts/by-slug/{nonce}", "GET", None
        kind = self.random.choice(["item", "whoami", "write", "list"])
        if kind == "whoami" and token:
            path = f"{API}/auth/whoami"
        if kind == "list":
            path = f"{API}/posts?author={nonce[:30]}&page=1"
        if kind == "write":
            path, method, body = f"{API}/auth/revoke", "POST", json.dumps({nonce: 1, "token": "x"})
            headers["Content-Type"] = "application/json"
        if token and kind != "write":
            headers["Authorization"] = f"Bearer {token}"
        self.connection.request(method, path, body, headers)
        if self.random.random() < ABORTED:
            self.connection.close()
            self.connection = http.client.HTTPConnection(self.address, timeout=30)
            return "aborted"
        return self._judge(nonce, kind, token, user)

    def _judge(self, nonce: str, kind: str, token: str | None, user: int) -> str:
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status == 503:
            return "busy"
        assert answer.getheader("X-Request-Id") == nonce
        if kind == "whoami" and token:
            assert told["user"]["id"] == user
        elif kind == "list":
            assert nonce[:30] in str(answer.getheader("Link"))
        elif kind == "write":
            assert told["errors"][0]["field"] == nonce
        else:
            assert (told["request_id"], told["instance"][-len(nonce) :]) == (nonce, nonce)
        return "own"


def test_case_084_no_answer_carries_anothers_nonce(server: LiveServer) -> None:
    # given
    people = [sign_up(server) for _ in range(3)]

    def ask_many(number: int) -> Counter[str]:
        connection = Connection(server.url, number)
        token, user = [(None, 0), *people][number % 4]
        outcomes: Counter[str] = Counter()
        for turn in range(NONCES // CONNECTIONS):
            outcomes[
                connection.ask(f"nonce-{number}-{turn}-{os.urandom(12).hex()}", token, user)
            ] += 1
        connection.connection.close()
        return outcomes

    # when
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        outcomes = sum(pool.map(ask_many, range(CONNECTIONS)), Counter[str]())
    # then
    assert outcomes.total() == NONCES
    assert outcomes["aborted"] > NONCES / 20
    assert outcomes["own"] > NONCES / 2


def sign_up(server: LiveServer) -> tuple[str, int]:
    """Return the token and id of a new user."""
    name, password = f"nonce-{next(_serial)}", "a violin in Oslo"
    body = {"username": name, "email": f"{name}@example.com", "password": password}
    made = server.client.post(f"{API}/users", json=body).raise_for_status()
    return server.token(name, password), int(made.json()["id"])
