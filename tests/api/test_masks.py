"""Masks: ``fields`` and ``X-Fields`` trim what is shown, and never decide what is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from tests.answers import code, data, faults, items

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"
TEXT = {"title": "New", "body": "New."}


class TestGet:
    @pytest.mark.parametrize("mask", ["id,author{username}", "{id, author { username }}"])
    def test_item(self, mask: str, client: FlaskClient, post: Post, url: str) -> None:
        wanted = {"id": post.id, "author": {"username": "ada"}}

        assert data(client.get(url, query_string={"fields": mask})) == wanted
        assert data(client.get(url, headers={"X-Fields": mask})) == wanted

    def test_list_keeps_its_envelope(self, client: FlaskClient, post: Post) -> None:
        answer = data(client.get(f"{POSTS}?fields=id&total=true"))

        assert answer == {"items": [{"id": post.id}], "next": None, "total": 1}

    def test_star_is_all(self, client: FlaskClient, url: str) -> None:
        whole = data(client.get(url))

        assert data(client.get(f"{url}?fields=*")) == whole
        trimmed = data(client.get(url, query_string={"fields": "*,author{id}"}))
        assert set(trimmed) == set(whole)
        assert set(trimmed["author"]) == {"id"}

    def test_answers_tell_that_they_vary(self, client: FlaskClient, url: str) -> None:
        item = {"X-Fields", "Authorization", "Origin"}

        assert set(client.get(url).vary) == item
        assert set(client.get(POSTS).vary) == item | {"Accept"}

    def test_query_goes_before_header(self, client: FlaskClient, url: str) -> None:
        answer = client.get(f"{url}?fields=title", headers={"X-Fields": "id"})

        assert set(data(answer)) == {"title"}

    @pytest.mark.parametrize(
        ("mask", "fault"),
        [
            ("colour", "unknown"),
            ("id,author{email}", "unknown"),
            ("author{password_hash}", "unknown"),
            ("deleted_at", "unknown"),
            ("__class__", "unknown"),
            ("id{x}", "format"),
            ("author{id", "format"),
            ("id}", "format"),
            ("id,,title", "format"),
            ("id;title", "format"),
            (" ", "format"),
            ("{" * 200 + "id" + "}" * 200, "format"),
        ],
    )
    def test_wrong_ones(self, mask: str, fault: str, client: FlaskClient, url: str) -> None:
        for address in (url, POSTS):
            answer = client.get(address, query_string={"fields": mask})
            assert code(answer) == "validation"
            assert faults(answer) == {"fields": fault}
        assert code(client.get(url, headers={"X-Fields": mask})) == "validation"

    def test_hidden_members_are_as_unknown_as_absent_ones(
        self, client: FlaskClient, sign_in: SignIn, ada: User, mallory: User, admin: User
    ) -> None:
        url = f"/api/v1/users/{ada.id}?fields=email,id"
        users = "/api/v1/users?fields=email"

        for caller in (client, sign_in(mallory)):
            assert faults(caller.get(url)) == {"fields": "unknown"}
            assert faults(caller.get(users)) == {"fields": "unknown"}
        assert data(sign_in(ada).get(url)) == {"id": ada.id, "email": "ada@example.com"}
        assert len(items(sign_in(admin).get(users))) == 3
        assert "email" not in data(client.get(f"/api/v1/users/{ada.id}?fields=*"))


class TestWrite:
    @pytest.fixture
    def author(self, sign_in: SignIn, ada: User) -> FlaskClient:
        return sign_in(ada)

    def test_is_trimmed(self, author: FlaskClient, url: str) -> None:
        for verb, status, address in (
            ("POST", 201, POSTS),
            ("PUT", 200, url),
            ("PATCH", 200, url),
        ):
            by_query = author.open(f"{address}?fields=title", method=verb, json=TEXT)
            by_header = author.open(
                address, method=verb, json={**TEXT, "title": "X"}, headers={"X-Fields": "title"}
            )
            assert data(by_query, status) == {"title": "New"}, verb
            assert data(by_header, status) == {"title": "X"}, verb
            assert "ETag" in by_query.headers

    @pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
    def test_with_a_wrong_mask_stores_nothing(
        self, verb: str, author: FlaskClient, session: Session, post: Post, url: str
    ) -> None:
        address = POSTS if verb == "POST" else url

        by_query = author.open(f"{address}?fields=colour", method=verb, json=TEXT)
        by_header = author.open(address, method=verb, json=TEXT, headers={"X-Fields": "colour"})

        assert faults(by_query) == {"fields": "unknown"}
        assert faults(by_header) == {"fields": "unknown"}
        session.refresh(post)
        assert post.title == "About something"
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 1

    def test_of_a_sign_up(self, client: FlaskClient, session: Session) -> None:
        body = {"username": "eve", "email": "eve@example.com", "password": "a violin in Oslo"}

        refused = client.post("/api/v1/users", json=body, headers={"X-Fields": "password_hash"})
        made = client.post("/api/v1/users?fields=username,email", json=body)

        assert faults(refused) == {"fields": "unknown"}
        assert data(made, 201) == {"username": "eve", "email": "eve@example.com"}

    def test_of_a_deletion_is_no_parameter(
        self, author: FlaskClient, session: Session, post: Post, url: str
    ) -> None:
        assert faults(author.delete(f"{url}?fields=id")) == {"fields": "unknown"}
        session.refresh(post)
        assert post.deleted_at is None

    def test_of_a_restoration(self, author: FlaskClient, post: Post, url: str) -> None:
        author.delete(url)
        restoration = f"/api/v1/trash/posts/{post.id}/restoration"

        refused = author.post(restoration, headers={"X-Fields": "colour"})
        restored = author.post(f"{restoration}?fields=id")

        assert faults(refused) == {"fields": "unknown"}
        assert data(restored) == {"id": post.id}
