"""Refusals: what comes first where several things are wrong, and bodies read strictly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from tests.answers import code, data
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "New", "body": "New."}


class TestOrder:
    """Each request is wrong in every way that comes after the one it is refused for."""

    BAD: dict[str, Any] = {
        "data": "{",
        "content_type": "text/plain",
        "headers": {"If-Match": '"9"'},
    }

    def test_of_a_creation(
        self, client: FlaskClient, sign_in: SignIn, bob: User, ada: User
    ) -> None:
        assert code(client.post("/api/v1/nothing", **self.BAD)) == "not-found"
        assert code(client.put(POSTS, **self.BAD)) == "method-not-allowed"
        assert code(client.post(POSTS, **self.BAD)) == "unauthenticated"
        assert code(sign_in(bob).post(POSTS, **self.BAD)) == "forbidden"
        assert code(sign_in(ada).post(POSTS, **self.BAD)) == "unsupported-media-type"

    @pytest.mark.parametrize("verb", ["PUT", "PATCH"])
    def test_of_a_change(
        self,
        verb: str,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        mallory: User,
        url: str,
    ) -> None:
        draft = make_post(session, ada, status="draft", slug="mine")
        hidden = f"{POSTS}/{draft.id}"
        other, author = sign_in(mallory), sign_in(ada)

        def ask(caller: FlaskClient, address: str, **more: Any) -> str:
            return code(caller.open(address, method=verb, **more))

        assert ask(client, url, **self.BAD) == "unauthenticated"
        assert ask(client, f"{POSTS}/999999", **self.BAD) == "unauthenticated"
        assert ask(client, f"{POSTS}/x", **self.BAD) == "not-found"
        assert ask(other, hidden, **self.BAD) == "not-found"
        assert ask(other, f"{POSTS}/999999", **self.BAD) == "not-found"
        assert ask(other, url, **self.BAD) == "forbidden"
        assert ask(other, url, json={"title": 1, "id": 7}) == "forbidden"
        assert ask(other, f"{url}?fields=colour", json=TEXT) == "forbidden"
        assert ask(author, url, **self.BAD) == "unsupported-media-type"
        stale = {"If-Match": '"9"'}
        taken = {**TEXT, "slug": "mine"}
        assert ask(author, url, json={"title": 1}, headers=stale) == "validation"
        assert ask(author, url, json=taken, headers=stale) == "precondition-failed"
        assert ask(author, url, json=taken) == "slug-taken"

    def test_of_a_deletion(
        self,
        client: FlaskClient,
        sign_in: SignIn,
        session: Session,
        ada: User,
        mallory: User,
        url: str,
    ) -> None:
        hidden = f"{POSTS}/{make_post(session, ada, status='draft').id}"
        other, headers = sign_in(mallory), {"If-Match": '"9"'}

        assert code(client.delete(url, headers=headers)) == "unauthenticated"
        assert code(other.delete(hidden, headers=headers)) == "not-found"
        assert code(other.delete(url, headers=headers)) == "forbidden"
        assert code(sign_in(ada).delete(url, headers=headers)) == "precondition-failed"

    def test_of_the_last_admin(self, sign_in: SignIn, admin: User) -> None:
        root, headers = sign_in(admin), {"If-Match": '"9"'}

        assert code(root.delete(f"{USERS}/me", headers=headers)) == "precondition-failed"
        assert code(root.delete(f"{USERS}/me")) == "last-admin"

    def test_a_bad_token_is_refused_even_where_none_is_needed(
        self, client: FlaskClient, url: str
    ) -> None:
        headers = {"Authorization": "Bearer nonsense"}

        for address in (POSTS, url, USERS):
            answer = client.get(address, headers=headers)
            assert code(answer) == "unauthenticated"
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


class TestBodies:
    @pytest.mark.parametrize("verb", ["PUT", "PATCH", "POST"])
    @pytest.mark.parametrize(
        ("raw", "kind", "refusal"),
        [
            (b"", None, "malformed-json"),
            (b"", "application/json", "malformed-json"),
            (b"{}", None, "unsupported-media-type"),
            (b"title=x", "application/x-www-form-urlencoded", "unsupported-media-type"),
            (b"{}", "application/json; charset=latin-1", "unsupported-media-type"),
            (b"{", "application/json", "malformed-json"),
            (b'{"title": "a", "title": "b"}', "application/json", "malformed-json"),
            (b'{"title": NaN}', "application/json", "malformed-json"),
            (b'{"title": "\\ud800"}', "application/json", "malformed-json"),
            (b'{"title": "\xff"}', "application/json", "malformed-json"),
            (b"[" * 33 + b"]" * 33, "application/json", "malformed-json"),
            (b'{"title": "a\\u0000b", "body": "x"}', "application/json", "validation"),
            (b"[]", "application/json", "validation"),
            (b"null", "application/json", "validation"),
            (b'{"title": true, "body": "x"}', "application/json", "validation"),
            (b'{"title": "a\\nb", "body": "x"}', "application/json", "validation"),
            (b'{"title": "a", "body": "x", "tags": "x"}', "application/json", "validation"),
            (b'{"title": "a", "body": "x", "tags": [null]}', "application/json", "validation"),
            (b'{"title": "a", "body": "x", "excerpt": 1}', "application/json", "validation"),
            (b'{"title": "' + b"x" * 201 + b'", "body": "x"}', "application/json", "validation"),
        ],
    )
    def test_wrong_ones(
        self,
        verb: str,
        raw: bytes,
        kind: str | None,
        refusal: str,
        sign_in: SignIn,
        session: Session,
        ada: User,
        post: Post,
        url: str,
    ) -> None:
        address = POSTS if verb == "POST" else url

        answer = sign_in(ada).open(address, method=verb, data=raw, content_type=kind)

        assert code(answer) == refusal
        session.refresh(post)
        assert post.version == 1

    def test_too_large_ones(self, sign_in: SignIn, ada: User, url: str) -> None:
        body = {"title": "x", "body": "x" * (2 * 1024 * 1024)}

        assert code(sign_in(ada).patch(url, json=body)) == "too-large"

    def test_encoded_ones(self, sign_in: SignIn, ada: User, url: str) -> None:
        answer = sign_in(ada).patch(url, json=TEXT, headers={"Content-Encoding": "gzip"})

        assert code(answer) == "unsupported-media-type"

    def test_are_normalised_and_trimmed(self, sign_in: SignIn, ada: User, url: str) -> None:
        body = {"title": " Cafe\u0301 ", "body": " e\u0301 ", "tags": [" e\u0301 ", "\u00e9"]}

        changed = data(sign_in(ada).patch(url, json=body))

        assert changed["title"] == "Caf\u00e9"
        assert changed["body"] == " \u00e9 "
        assert changed["tags"] == ["\u00e9"]

    def test_merge_patches_are_json(self, sign_in: SignIn, ada: User, url: str) -> None:
        author, kind = sign_in(ada), "application/merge-patch+json"

        changed = author.patch(url, data='{"title": "New"}', content_type=kind)
        refused = author.put(url, json=TEXT, content_type=kind)

        assert data(changed)["title"] == "New"
        assert code(refused) == "unsupported-media-type"

    def test_where_none_is_needed_are_ignored(self, sign_in: SignIn, ada: User, url: str) -> None:
        assert sign_in(ada).delete(url, data=b"{", content_type="text/plain").status_code == 204
