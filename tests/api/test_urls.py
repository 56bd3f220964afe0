"""URLs: methods, a slash at the end, the prefix, parameters, and how answers are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from models import Post, User
from tests.answers import code, data, faults

SignIn = Callable[[User], FlaskClient]

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "New", "body": "New."}


class TestMethods:
    ALLOWED = {
        POSTS: {"GET", "HEAD", "OPTIONS", "POST"},
        f"{POSTS}/1": {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"},
        f"{POSTS}/1/can": {"GET", "HEAD", "OPTIONS"},
        f"{POSTS}/by-slug/x": {"GET", "HEAD", "OPTIONS"},
        USERS: {"GET", "HEAD", "OPTIONS", "POST"},
        f"{USERS}/1": {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"},
        f"{USERS}/me/password": {"OPTIONS", "PUT"},
        f"{USERS}/1/posts": {"GET", "HEAD", "OPTIONS"},
        f"{USERS}/by-username/x": {"GET", "HEAD", "OPTIONS"},
        TRASH: {"GET", "HEAD", "OPTIONS"},
        f"{TRASH}/posts/1": {"GET", "HEAD", "OPTIONS", "DELETE"},
        f"{TRASH}/posts/1/restoration": {"OPTIONS", "POST"},
    }

    @pytest.mark.parametrize("path", ALLOWED)
    def test_others_are_405(
        self, path: str, client: FlaskClient, sign_in: SignIn, ada: User
    ) -> None:
        for verb in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - self.ALLOWED[path]:
            for caller in (client, sign_in(ada)):
                answer = caller.open(path, method=verb)
                assert code(answer) == "method-not-allowed", verb
                assert set(answer.headers["Allow"].split(", ")) == self.ALLOWED[path]

    @pytest.mark.parametrize("path", ALLOWED)
    def test_options(self, path: str, client: FlaskClient) -> None:
        answer = client.options(path)

        assert (answer.status_code, answer.data) == (200, b"")
        assert set(answer.headers["Allow"].split(", ")) == self.ALLOWED[path]

    def test_head_is_get_without_a_body(self, client: FlaskClient, url: str) -> None:
        for address in (POSTS, url, f"{url}/can", f"{POSTS}/999999", f"{POSTS}?limit=0"):
            get, head = client.get(address), client.head(address)
            assert head.status_code == get.status_code
            assert head.data == b""
            different = {"X-Request-Id", "Content-Length"}
            for name in set(get.headers.keys()) - different:
                assert head.headers[name] == get.headers[name], name


class TestUrls:
    def test_with_a_slash_at_the_end_answer_directly(
        self, client: FlaskClient, sign_in: SignIn, ada: User, post: Post, url: str
    ) -> None:
        for address in (POSTS, url, f"{url}/can", f"{POSTS}/by-slug/{post.slug}", USERS):
            assert data(client.get(f"{address}/")) == data(client.get(address))
            assert code(client.get(f"{address}//")) == "not-found"
        made = sign_in(ada).post(f"{POSTS}/", json=TEXT)
        assert made.headers["Location"] == f"{POSTS}/{data(made, 201)['id']}"
        assert data(sign_in(ada).patch(f"{url}/", json={"title": "x"}))["title"] == "x"

    def test_are_told_with_the_prefix(
        self, make_app: Callable[[Config], Flask], config: Config, sign_in: SignIn, ada: User
    ) -> None:
        token = sign_in(ada).environ_base["HTTP_AUTHORIZATION"]
        app = make_app(replace(config, PUBLIC_URL="https://example.org/blog"))
        client = app.test_client()
        headers = {"Host": "example.org"}
        grant = {"grant_type": "password", "username": "ada", "password": "a long way to Tipperary"}
        token = data(client.post("/blog/api/v1/auth/token", json=grant, headers=headers))
        headers["Authorization"] = f"Bearer {token['access_token']}"

        made = client.post(f"/blog{POSTS}", json=TEXT, headers=headers)
        where = made.headers["Location"]
        listed = client.get(f"{POSTS}?status=draft&page=1", headers=headers)
        moved = client.patch(where, json={"slug": "other"}, headers=headers)
        former = client.get(f"{POSTS}/by-slug/new", headers=headers)
        deleted = client.delete(where, headers=headers)
        problem = client.get(where, headers=headers)

        assert where == f"/blog{POSTS}/{data(made, 201)['id']}"
        assert listed.headers["Link"] == f'</blog{POSTS}?status=draft&page=1>; rel="first"'
        assert data(moved)["slug"] == "other"
        assert former.headers["Location"] == f"/blog{POSTS}/by-slug/other"
        assert deleted.headers["Link"].startswith(f"</blog{TRASH}/posts/")
        assert problem.get_json()["instance"] == where
        assert problem.get_json()["type"] == "https://example.org/blog/problems/not-found"

    def test_take_no_parameters_that_they_do_not_know(
        self, client: FlaskClient, sign_in: SignIn, ada: User, url: str
    ) -> None:
        author = sign_in(ada)
        for verb, address in (
            *(("GET", each) for each in (POSTS, url, f"{url}/can", USERS, TRASH)),
            *(("POST", POSTS), ("PUT", url), ("PATCH", url), ("DELETE", url)),
            ("PUT", f"{USERS}/me/password"),
        ):
            answer = author.open(f"{address}?colour=red", method=verb, json=TEXT)
            assert faults(answer) == {"colour": "unknown"}, (verb, address)


class TestCaching:
    def test_of_reads_and_writes(
        self, client: FlaskClient, sign_in: SignIn, ada: User, url: str
    ) -> None:
        author = sign_in(ada)
        made = author.post(POSTS, json=TEXT)

        assert client.get(url).headers["Cache-Control"] == "public, no-cache"
        for answer in (
            author.get(url),
            author.get(POSTS),
            made,
            author.patch(url, json=TEXT),
            author.delete(url),
        ):
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert "Authorization" in answer.vary
        assert client.get(url).headers["Cache-Control"] == "no-store"
