"""What many do at once, on a live server of two processes: nobody gets half of it, or an error."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from signpost.contract.plugin import MakeDatabase
from tests.servers import LiveServer, live_server

ROOT = "/api/realworld"
CALLERS = 6
#: A call: its method, path and body.
Call = tuple[str, str, Any]


@pytest.fixture(scope="module")
def crowded(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A live server with more places for an extension than there are callers."""
    folder = tmp_path_factory.mktemp("crowded")
    settings: dict[str, object] = {"THREADS": 32, "EXTENSIONS_DISABLED": ""}
    with live_server(make_database("crowded"), folder, **settings) as server:
        yield server


def account(name: str, end: str = "") -> dict[str, Any]:
    """Return what somebody signs up with."""
    user = {"username": name, "email": f"{name}{end}@test.com", "password": "an elephant in Cairo"}
    return {"user": user}


@pytest.fixture
def name(crowded: LiveServer) -> str:
    """A name that nobody has."""
    return f"ada_{secrets.token_hex(5)}"


@pytest.fixture
def token(crowded: LiveServer, name: str) -> str:
    """The token of somebody of that name."""
    answer = crowded.client.post(f"{ROOT}/users", json=account(name))
    return str(answer.json()["user"]["token"])


def at_once(
    server: LiveServer, token: str | None, call: Callable[[int], Call]
) -> list[httpx.Response]:
    """Have each caller ask at the same time; return the answers."""
    headers = {"Authorization": f"Token {token}"} if token else {}

    def ask(number: int) -> httpx.Response:
        method, path, body = call(number)
        with server.caller() as client:
            return client.request(method, f"{ROOT}{path}", json=body, headers=headers)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, range(CALLERS)))


def test_one_gets_a_name(crowded: LiveServer, name: str) -> None:
    answers = at_once(crowded, None, lambda number: ("POST", "/users", account(name, str(number))))
    assert sorted(each.status_code for each in answers) == [201] + [409] * (CALLERS - 1)
    for each in answers:
        if each.status_code == 409:
            assert each.json() == {"errors": {"username": ["has already been taken"]}}


def test_a_first_image_is_the_last_one_sent(crowded: LiveServer, name: str, token: str) -> None:
    answers = at_once(
        crowded, token, lambda number: ("PUT", "/user", {"user": {"image": f"image {number}"}})
    )
    assert {each.status_code for each in answers} == {200}
    shown = crowded.client.get(f"{ROOT}/profiles/{name}").json()["profile"]["image"]
    assert shown in {f"image {number}" for number in range(CALLERS)}


def test_articles_of_one_title_have_a_slug_each(crowded: LiveServer, token: str) -> None:
    article = {"title": "All at once", "description": "What", "body": "It is so."}
    answers = at_once(crowded, token, lambda _: ("POST", "/articles", {"article": article}))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["article"]["slug"] for each in answers}) == CALLERS


def test_a_favorite_counts_once(crowded: LiveServer, name: str, token: str) -> None:
    given = {"article": {"title": name, "description": "What", "body": "It is so."}}
    headers = {"Authorization": f"Token {token}"}
    made = crowded.client.post(f"{ROOT}/articles", json=given, headers=headers)
    slug = made.json()["article"]["slug"]
    answers = at_once(crowded, token, lambda _: ("POST", f"/articles/{slug}/favorite", None))
    assert {each.status_code for each in answers} == {200}
    found = crowded.client.get(f"{ROOT}/articles/{slug}").json()["article"]
    assert found["favoritesCount"] == 1
