"""Answers that are kept: sent again to who asks the same, and never when they are old."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from typing import Any

import orjson
import pytest
from cachetools import FIFOCache
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import create_environ

from api import cache
from models import Post, User
from services import clock
from services.errors import Unavailable
from services.moments import Moments
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"


@dataclass
class Told:
    """What a server would send, and how many statements the app needed for it."""

    status: int
    headers: dict[str, str]
    body: bytes
    statements: int

    @property
    def is_kept(self) -> bool:
        return self.statements == 0

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


Ask = Callable[..., Told]


@pytest.fixture
def ask(app: Flask, count_queries: Callable[[], AbstractContextManager[list[str]]]) -> Ask:
    """``ask(path, **headers)``: a request as servers hand it over."""

    def ask(path: str, **headers: str) -> Told:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        environ = create_environ(path, "http://localhost", headers=sent)
        started: list[Any] = []

        def start(*given: Any) -> Any:
            started.extend(given)

        with count_queries() as queries:
            parts = app.wsgi_app(environ, start)
            body = b"".join(parts)
        status, names = started
        return Told(int(status[:3]), dict(names), body, len(queries))

    return ask


@pytest.fixture
def settle(ask: Ask) -> Ask:
    """``settle(path, **headers)``: ask until the answer is kept, through what comes between."""

    def settle(path: str, **headers: str) -> Told:
        for _ in range(2 * cache.REST_MAX):
            if (told := ask(path, **headers)).is_kept:
                return told
        raise AssertionError("it is never kept")

    return settle


@pytest.fixture
def post(session: Session, ada: User) -> Post:
    return make_post(session, ada, title="As it was")


@pytest.fixture
def kept(settle: Ask, url: str) -> Told:
    """The answer to a post, kept by now."""
    return settle(url)


def cache_of(app: Flask) -> cache.Cache:
    """Return the middleware of ``app`` that is tested here."""
    found = app.wsgi_app
    while not isinstance(found, cache.Cache):
        found = found.app  # type: ignore[attr-defined]
    return found


def token_of(client: FlaskClient) -> str:
    return str(client.environ_base["HTTP_AUTHORIZATION"])


class TestKept:
    @pytest.mark.parametrize("path", ["", "?limit=1&total=true", "?tag=python", "?q=was"])
    def test_needs_no_statement(self, ask: Ask, settle: Ask, url: str, path: str) -> None:
        path = f"{POSTS}{path}" if path else url
        first = ask(path)

        told = settle(path)

        assert (told.status, told.body) == (first.status, first.body)
        ids = {each.headers.pop("X-Request-Id") for each in (first, told)}
        assert len(ids) == 2
        assert told.headers == first.headers

    def test_who_has_it_already_gets_304(self, ask: Ask, kept: Told, url: str) -> None:
        tag = kept.headers["ETag"]
        anew = ask(url, If_None_Match=tag, X_Anew="1")

        told = ask(url, If_None_Match=f'"other", {tag}')

        assert told.is_kept
        assert not anew.is_kept
        assert (told.status, told.body) == (304, b"")
        assert told.headers | {"X-Request-Id": ""} == anew.headers | {"X-Request-Id": ""}

    def test_another_tag_gets_it_whole(self, ask: Ask, kept: Told, url: str) -> None:
        told = ask(url, If_None_Match='"1-other"')

        assert (told.status, told.body) == (200, kept.body)

    def test_the_request_keeps_its_own_id(self, ask: Ask, kept: Told, url: str) -> None:
        assert ask(url, X_Request_Id="mine").headers["X-Request-Id"] == "mine"

    def test_is_logged_and_counted(
        self, app: Flask, ask: Ask, kept: Told, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Any] = []
        monkeypatch.setattr(app.extensions["signpost"], "observers", [seen.append])

        assert ask(url, X_Request_Id="mine").is_kept

        assert [each[:5] for each in seen] == [("mine", "GET", f"{POSTS}/<id:id>", url, 200)]

    @pytest.mark.parametrize("header", ["X-Anew", "Range", "If-Modified-Since", "Cookie"])
    def test_an_unknown_header_goes_past(self, ask: Ask, kept: Told, url: str, header: str) -> None:
        told = ask(url, **{header: "x"})

        assert not told.is_kept

    def test_what_is_too_long_is_not_kept(
        self, ask: Ask, kept: Told, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "LONGEST", 10)

        assert [ask(f"{url}?fields=id,title").is_kept for _ in range(3)] == [False] * 3

    def test_errors_are_not_kept(self, ask: Ask, url: str) -> None:
        assert [ask(f"{POSTS}/999").status for _ in range(3)] == [404] * 3
        assert not ask(f"{POSTS}/999").is_kept

    def test_a_database_that_is_away_is_told_at_once(
        self, ask: Ask, kept: Told, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Moments) -> None:
            raise Unavailable(retry_after=1)

        monkeypatch.setattr(Moments, "now", fail)

        told = ask(url, X_Request_Id="mine")

        assert told.statements == 0
        assert (told.status, told.json["code"]) == (503, "unavailable")
        assert told.json["request_id"] == "mine"

    def test_is_found_while_it_is_kept_anew(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached, environ = cache_of(app), create_environ(POSTS)
        monkeypatch.setattr(cached._moments, "now", lambda: None)
        cached._find(environ)
        entry = next(each for each in cached._entries.values() if each.key[0] == POSTS)

        class Anew(FIFOCache[Hashable, Any]):
            def __contains__(self, key: object) -> bool:
                is_there = super().__contains__(key)
                keeping = Thread(target=take)
                keeping.start()
                keeping.join(0.2)  # it waits until this one was found
                return is_there

        def take() -> None:
            with cached._lock, suppress(KeyError):  # the last one looks for what is gone
                del cached._entries[entry.key]

        entries = Anew(cache.ROOM)
        entries[entry.key] = entry
        monkeypatch.setattr(cached, "_entries", entries)

        assert cached._find(environ) is None  # it has no answer yet

    def test_its_room_is_bounded(self, app: Flask, ask: Ask) -> None:
        found = cache_of(app)
        for n in range(2 * cache.ROOM // 5_000):
            assert ask(f"{POSTS}/{n + 1000}?fields={'x' * 4000}").status in {400, 404}

        assert 0 < found.kept_bytes <= cache.ROOM


class TestNeverOld:
    def test_after_a_change_elsewhere(
        self, ask: Ask, kept: Told, url: str, session: Session, post: Post
    ) -> None:
        post.title = "As it is"
        session.commit()

        told = ask(url)

        assert told.json["title"] == "As it is"
        assert not told.is_kept

    def test_after_a_change_by_this_process(
        self, ask: Ask, settle: Ask, kept: Told, url: str, sign_in: SignIn, ada: User
    ) -> None:
        client = sign_in(ada)
        settle(url)

        assert client.patch(url, json={"title": "As it is"}).status_code == 200

        assert ask(url).json["title"] == "As it is"

    def test_after_a_deletion(
        self, ask: Ask, kept: Told, url: str, sign_in: SignIn, ada: User
    ) -> None:
        assert sign_in(ada).delete(url).status_code == 204

        assert ask(url).status == 404

    def test_after_the_suspension_of_its_author(
        self, ask: Ask, kept: Told, url: str, session: Session, ada: User
    ) -> None:
        ada.status = "suspended"
        session.commit()

        assert ask(url).status == 404

    def test_when_the_time_of_another_post_has_come(
        self, ask: Ask, settle: Ask, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        soon = clock.now() + timedelta(hours=1)
        make_post(session, ada, title="Scheduled", published_at=soon)
        assert settle(POSTS).json["items"] == []

        monkeypatch.setattr(clock, "now", lambda: soon)

        assert [item["title"] for item in ask(POSTS).json["items"]] == ["Scheduled"]

    def test_when_the_clock_was_set_back(
        self, ask: Ask, kept: Told, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        earlier = clock.now() - timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: earlier)

        assert ask(url).status == 404  # it will be published in an hour

    def test_what_is_never_asked_again_is_made_less_often(
        self, ask: Ask, url: str, session: Session, post: Post
    ) -> None:
        for n in range(20):
            post.title = f"Title {n}"
            session.commit()
            assert ask(url).json["title"] == f"Title {n}"

        kept = [ask(url).is_kept for _ in range(cache.REST_MAX + 2)]

        assert kept[0] is False
        assert kept[-1] is True


class TestCallers:
    def test_each_has_an_own_answer(
        self, ask: Ask, settle: Ask, session: Session, sign_in: SignIn, ada: User, mallory: User
    ) -> None:
        draft = f"{POSTS}/{make_post(session, ada, status='draft').id}"
        own, other = token_of(sign_in(ada)), token_of(sign_in(mallory))

        settle(draft, Authorization=own)

        assert ask(draft, Authorization=other).status == 404
        assert ask(draft).status == 404
        assert ask(draft, Authorization=own).headers["Cache-Control"] == "private, no-cache"

    def test_a_revoked_token_is_refused(
        self, app: Flask, ask: Ask, settle: Ask, url: str, sign_in: SignIn, ada: User
    ) -> None:
        client = sign_in(ada)
        token = token_of(client)
        settle(url, Authorization=token)

        assert client.delete("/api/v1/auth/sessions").status_code == 204
        assert ask(url, Authorization=token).status == 200  # all but the current one
        assert client.post("/api/v1/auth/revoke", data={"token": token[7:]}).status_code == 200

        assert ask(url, Authorization=token).status == 401

    def test_an_expired_token_is_refused(
        self,
        ask: Ask,
        settle: Ask,
        url: str,
        sign_in: SignIn,
        ada: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        token = token_of(sign_in(ada))
        settle(url, Authorization=token)
        later = time.time() + 24 * 3600
        monkeypatch.setattr("api.auth.time.time", lambda: later)

        assert ask(url, Authorization=token).status == 401

    def test_the_log_names_the_caller(
        self,
        app: Flask,
        ask: Ask,
        settle: Ask,
        url: str,
        sign_in: SignIn,
        ada: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        token = token_of(sign_in(ada))
        settle(url, Authorization=token)
        seen: list[Any] = []
        monkeypatch.setattr(app.extensions["signpost"], "observers", [seen.append])

        assert ask(url, Authorization=token).is_kept

        assert [each.actor_id for each in seen] == [ada.id]
