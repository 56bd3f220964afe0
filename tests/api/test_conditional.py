"""Entity tags: reads that need no body, writes that depend on a version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import Post, User
from tests.answers import code, data
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"
TEXT = {"title": "New", "body": "New."}


def title_of(session: Session, post: Post) -> str:
    session.refresh(post)
    return post.title


class TestGet:
    def test_item_tells_version_and_time(self, client: FlaskClient, url: str) -> None:
        answer = client.get(url)

        assert answer.headers["ETag"].startswith('"1-')
        assert answer.headers["Last-Modified"].endswith(" GMT")
        assert client.get(url).headers["ETag"] == answer.headers["ETag"]

    def test_time_is_never_later_than_the_answer(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada, updated_at=datetime(9999, 12, 31, tzinfo=UTC))

        answer = client.get(f"{POSTS}/{post.id}")

        assert answer.last_modified is not None
        assert answer.last_modified <= datetime.now(UTC)
        assert data(answer)["updated_at"].startswith("9999")

    def test_time_is_told_to_those_only_who_see_it_in_the_item(
        self, client: FlaskClient, sign_in: SignIn, ada: User
    ) -> None:
        profile = f"/api/v1/users/{ada.id}"

        assert "Last-Modified" in sign_in(ada).get(profile).headers
        assert "Last-Modified" not in client.get(profile).headers  # of a password, perhaps

    def test_if_none_match(self, client: FlaskClient, url: str) -> None:
        tag = client.get(url).headers["ETag"]

        for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = client.get(url, headers={"If-None-Match": header})
            assert answer.status_code == 304, header
            assert answer.data == b""
            assert answer.headers["ETag"] == tag
            assert "Content-Type" not in answer.headers
            assert answer.headers["Cache-Control"] == "public, no-cache"
            assert client.head(url, headers={"If-None-Match": header}).status_code == 304
        for header in ('"1"', '"1-x"', "1", ""):
            assert client.get(url, headers={"If-None-Match": header}).status_code == 200, header

    def test_if_modified_since_alone_gives_no_304(self, client: FlaskClient, url: str) -> None:
        when = client.get(url).headers["Last-Modified"]

        assert client.get(url, headers={"If-Modified-Since": when}).status_code == 200

    def test_tag_covers_caller_mask_and_what_is_embedded(
        self, client: FlaskClient, sign_in: SignIn, ada: User, url: str
    ) -> None:
        author = sign_in(ada)
        tags = [
            client.get(url).headers["ETag"],
            author.get(url).headers["ETag"],
            client.get(f"{url}?fields=id,title").headers["ETag"],
        ]
        data(author.patch("/api/v1/users/me", json={"name": "Ada"}))
        tags.append(client.get(url).headers["ETag"])

        assert len(set(tags)) == 4
        assert all(tag.startswith('"1-') for tag in tags)

    def test_list_has_a_weak_tag(
        self, client: FlaskClient, session: Session, ada: User, post: Post
    ) -> None:
        tag = client.get(POSTS).headers["ETag"]
        headers = {"If-None-Match": tag}

        same = client.get(POSTS, headers=headers)
        make_post(session, ada)
        other = client.get(POSTS, headers=headers)

        assert tag.startswith('W/"')
        assert (same.status_code, same.data) == (304, b"")
        assert other.status_code == 200
        assert other.headers["ETag"] != tag

    def test_list_with_a_next_page_keeps_its_tag(
        self, client: FlaskClient, session: Session, ada: User, post: Post
    ) -> None:
        make_post(session, ada)
        tag = client.get(f"{POSTS}?limit=1").headers["ETag"]

        assert client.get(f"{POSTS}?limit=1", headers={"If-None-Match": tag}).status_code == 304


class TestIfMatch:
    @pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
    def test_of_another_version(
        self, verb: str, sign_in: SignIn, session: Session, ada: User, post: Post, url: str
    ) -> None:
        author = sign_in(ada)
        present = author.get(url).headers["ETag"]
        body = None if verb == "DELETE" else TEXT

        for tag in ('"2"', '"2-x"', f"W/{present}", "1", '"01"', '"x", "2"', '""', ""):
            answer = author.open(url, method=verb, json=body, headers={"If-Match": tag})
            assert answer.status_code == 412, tag
            assert code(answer) == "precondition-failed"
            assert answer.headers["ETag"] == present
        assert title_of(session, post) == "About something"
        assert post.deleted_at is None

    @pytest.mark.parametrize("tag", ['"1"', '"1-other"', '"7", "1-x"', "*"])
    @pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
    def test_of_this_version(
        self, verb: str, tag: str, sign_in: SignIn, ada: User, url: str
    ) -> None:
        body = None if verb == "DELETE" else TEXT

        answer = sign_in(ada).open(url, method=verb, json=body, headers={"If-Match": tag})

        assert answer.status_code == (204 if verb == "DELETE" else 200)

    def test_chain_of_changes(self, sign_in: SignIn, ada: User, url: str) -> None:
        author = sign_in(ada)
        tag = author.get(url).headers["ETag"]

        for title in ("a", "b", "c"):
            answer = author.patch(url, json={"title": title}, headers={"If-Match": tag})
            assert answer.status_code == 200
            assert answer.headers["ETag"] != tag
            assert author.get(url).headers["ETag"] == answer.headers["ETag"]
            tag = answer.headers["ETag"]

    def test_without_a_difference_the_version_stays(
        self, sign_in: SignIn, ada: User, post: Post, url: str
    ) -> None:
        answer = sign_in(ada).patch(url, json={"title": post.title}, headers={"If-Match": '"1"'})

        assert answer.headers["ETag"].startswith('"1-')

    def test_of_a_user(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)
        tag = author.get("/api/v1/users/me").headers["ETag"]

        changed = author.patch("/api/v1/users/me", json={"bio": "x"}, headers={"If-Match": tag})
        stale = author.patch("/api/v1/users/me", json={"bio": "y"}, headers={"If-Match": tag})

        assert data(changed)["version"] == 2
        assert code(stale) == "precondition-failed"
        assert stale.headers["ETag"] == changed.headers["ETag"]

    def test_says_nothing_about_what_is_hidden(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User, url: str
    ) -> None:
        draft = make_post(session, ada, status="draft")
        caller, headers = sign_in(mallory), {"If-Match": '"9"'}

        hidden = caller.patch(f"{POSTS}/{draft.id}", json=TEXT, headers=headers)
        forbidden = caller.patch(url, json=TEXT, headers=headers)

        assert code(hidden) == "not-found"
        assert code(forbidden) == "forbidden"
        assert "ETag" not in hidden.headers


class TestRequired:
    @pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
    def test_where_the_setting_says_so(
        self,
        verb: str,
        make_app: Callable[[Config], Flask],
        config: Config,
        sign_in: SignIn,
        session: Session,
        ada: User,
        mallory: User,
        post: Post,
        url: str,
    ) -> None:
        strict = make_app(replace(config, REQUIRE_IF_MATCH=True)).test_client()
        body = None if verb == "DELETE" else TEXT

        def ask(user: User, json: object = body) -> str:
            token = sign_in(user).environ_base["HTTP_AUTHORIZATION"]
            headers = {"Authorization": token}
            return code(strict.open(url, method=verb, headers=headers, json=json))

        assert ask(ada) == "precondition-required"
        assert ask(mallory) == "forbidden"
        if body:
            assert ask(ada, json={"title": 1}) == "validation"
        assert title_of(session, post) == "About something"
