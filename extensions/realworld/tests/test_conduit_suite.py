"""A front end's day over HTTP, in the order of RealWorld's own suites, against a live server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import LiveServer, live_server

ORIGIN = "http://localhost:4200"
PASSWORD = "password"


@dataclass
class Person:
    """Somebody at a front end."""

    client: httpx.Client
    name: str
    token: str | None = None

    def __call__(self, method: str, path: str, status: int, json: Any = None) -> Any:
        """Ask as a browser on another origin does; the answer has to have ``status``."""
        headers = {"Origin": ORIGIN} | (
            {"Authorization": f"Token {self.token}"} if self.token else {}
        )
        url = f"/api/realworld{path}"
        answer = self.client.request(method, url, headers=headers, json=json)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        return answer.json() if answer.content else None

    @property
    def account(self) -> dict[str, str]:
        """What they sign in with."""
        return {"email": f"{self.name}@test.com", "password": PASSWORD}


@pytest.fixture(scope="module")
def suite(
    make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A live server with the settings of the README."""
    settings = {
        "REALWORLD_CONFIRM_PASSWORD": "off",
        "PASSWORD_BLOCKLIST": "off",
        "ACCESS_TOKEN_TTL": 86400,
        "CORS_ORIGINS": ORIGIN,
    }
    folder: Path = tmp_path_factory.mktemp("suite")
    with live_server(make_database("suite"), folder, EXTENSIONS_DISABLED="", **settings) as server:
        yield server


@pytest.fixture
def people(suite: LiveServer) -> tuple[Person, Person, Person]:
    """Two who sign up, with names that nobody has, and one who does not."""
    end = secrets.token_hex(5)
    ada, bob = (Person(suite.client, f"{name}_{end}") for name in ("ada", "bob"))
    for each in (ada, bob):
        user = {"username": each.name, **each.account}
        each.token = each("POST", "/users", 201, {"user": user})["user"]["token"]
    return ada, bob, Person(suite.client, "")


def test_a_day_of_two_people(people: tuple[Person, Person, Person]) -> None:
    ada, bob, anyone = people
    account_goes_on(ada, anyone)
    slug = article_goes_on(ada, bob)
    comments_go_on(ada, bob, slug)
    favorites_go_on(ada, bob, slug)
    following_goes_on(ada, bob, slug)
    tags_and_filters_go_on(ada, anyone, slug)
    ada("DELETE", f"/articles/{slug}", 204)
    anyone("GET", f"/articles/{slug}", 404)
    bob("GET", f"/articles/{slug}/comments", 404)


def account_goes_on(ada: Person, anyone: Person) -> None:
    """Sign in, look at oneself, change everything."""
    found = anyone("POST", "/users/login", 200, {"user": ada.account})["user"]
    assert found["username"] == ada.name
    assert anyone("GET", "/user", 401) == {"errors": {"token": ["is missing"]}}
    assert ada("GET", "/user", 200)["user"]["token"] == ada.token
    change = {"bio": "I write.", "image": "https://example.org/a.png"}
    after = ada("PUT", "/user", 200, {"user": {**change, "email": f"{ada.name}_2@test.com"}})
    assert {name: after["user"][name] for name in change} == change
    for password in ("12345678", "a" * 64, PASSWORD):
        ada("PUT", "/user", 200, {"user": {"password": password}})
    ada("GET", "/user", 200)


def article_goes_on(ada: Person, bob: Person) -> str:
    """Publish, read, change; return the slug."""
    given = {"title": f"On {ada.name}", "description": "What", "body": "It is so."}
    tags = {"tagList": [f"x_{ada.name}", f"a_{ada.name}"]}
    article = ada("POST", "/articles", 201, {"article": given | tags})["article"]
    assert article["tagList"] == sorted(tags["tagList"])
    slug = str(article["slug"])
    assert bob("GET", f"/articles/{slug}", 200)["article"]["author"]["bio"] == "I write."
    bob("PUT", f"/articles/{slug}", 403, {"article": {"body": "Mine."}})
    bob("DELETE", f"/articles/{slug}", 403)
    after = ada("PUT", f"/articles/{slug}", 200, {"article": {"body": "More."}})["article"]
    assert (after["slug"], after["body"]) == (slug, "More.")
    assert after["createdAt"] == article["createdAt"]
    assert after["updatedAt"] != article["updatedAt"]
    return slug


def comments_go_on(ada: Person, bob: Person, slug: str) -> None:
    """Comment, read, delete."""
    url = f"/articles/{slug}/comments"
    comment = bob("POST", url, 201, {"comment": {"body": "Well said."}})["comment"]
    assert ada("GET", url, 200)["comments"][0]["id"] == comment["id"]
    ada("DELETE", f"{url}/{comment['id']}", 403)
    bob("DELETE", f"{url}/99999", 404)
    bob("DELETE", f"{url}/{comment['id']}", 204)
    assert ada("GET", url, 200) == {"comments": []}


def favorites_go_on(ada: Person, bob: Person, slug: str) -> None:
    """Favorite, find it, take it back."""
    article = bob("POST", f"/articles/{slug}/favorite", 200, {})["article"]
    assert (article["favorited"], article["favoritesCount"]) == (True, 1)
    found = ada("GET", f"/articles?favorited={bob.name}", 200)
    assert [each["slug"] for each in found["articles"]] == [slug]
    article = bob("DELETE", f"/articles/{slug}/favorite", 200)["article"]
    assert (article["favorited"], article["favoritesCount"]) == (False, 0)


def following_goes_on(ada: Person, bob: Person, slug: str) -> None:
    """Follow, read the feed, follow no longer."""
    assert bob("GET", f"/profiles/{ada.name}", 200)["profile"]["following"] is False
    assert bob("GET", "/articles/feed", 200) == {"articles": [], "articlesCount": 0}
    followed = bob("POST", f"/profiles/{ada.name}/follow", 200, {"user": {"email": "x"}})
    assert followed["profile"]["following"] is True
    feed = bob("GET", "/articles/feed?limit=10&offset=0", 200)
    assert [each["slug"] for each in feed["articles"]] == [slug]
    bob("DELETE", f"/profiles/{ada.name}/follow", 200)
    assert bob("GET", "/articles/feed", 200)["articlesCount"] == 0


def tags_and_filters_go_on(ada: Person, anyone: Person, slug: str) -> None:
    """Find it by its tags and its author, without its body."""
    assert {f"x_{ada.name}", f"a_{ada.name}"} <= set(anyone("GET", "/tags", 200)["tags"])
    for query in (f"tag=x_{ada.name}", f"author={ada.name}&limit=10"):
        found = anyone("GET", f"/articles?{query}", 200)
        assert [each["slug"] for each in found["articles"]] == [slug]
        assert found["articlesCount"] == 1
        assert "body" not in found["articles"][0]


class TestFromAnotherOrigin:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("path", ["/user", "/articles/some-slug", "/articles/x/comments/1"])
    def test_a_preflight_needs_no_token(self, suite: LiveServer, method: str, path: str) -> None:
        answer = suite.client.options(
            f"/api/realworld{path}",
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert method in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert {"authorization", "content-type"} <= set(allowed.split(", "))

    def test_errors_can_be_read_too(self, people: tuple[Person, Person, Person]) -> None:
        ada, _, anyone = people  # each of their answers is asked for its allowed origin
        anyone("GET", "/user", 401)
        anyone("GET", "/articles/unknown", 404)
        anyone("GET", "/nothing", 404)
        ada("POST", "/articles", 422, {"article": {}})

    def test_a_bad_token_is_401_and_json(self, suite: LiveServer) -> None:
        for token in ("Token bad", "Token a.b.c", "Bearer bad", "Token", "nonsense"):
            headers = {"Origin": ORIGIN, "Authorization": token}
            answer = suite.client.get("/api/realworld/user", headers=headers)
            assert answer.status_code == 401, token
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert answer.json() == {"errors": {"token": ["is invalid"]}}

    def test_no_body_but_a_content_type(self, people: tuple[Person, Person, Person]) -> None:
        ada, bob, _ = people
        headers = {"Content-Type": "application/json", "Authorization": f"Token {ada.token}"}
        url = f"/api/realworld/profiles/{bob.name}/follow"
        for method, path in (("GET", "/api/realworld/user"), ("POST", url), ("DELETE", url)):
            answer = ada.client.request(method, path, headers=headers)
            assert answer.status_code == 200, (method, path, answer.text)


class TestCrowd:
    def test_no_limit_is_met_in_a_run_of_the_suites(self, suite: LiveServer) -> None:
        end = secrets.token_hex(5)
        for number in range(25):
            name = f"run_{number}_{end}"
            user = {"username": name, "email": f"{name}@mail.com", "password": PASSWORD}
            answer = suite.client.post("/api/realworld/users", json={"user": user})
            assert answer.status_code == 201, answer.text
