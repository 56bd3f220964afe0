"""Streams: every list as NDJSON and CSV, whole, in memory that does not grow, told if it breaks."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from sqlite3 import OperationalError as Lost
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from api import streams
from api.database import db
from models import Post, User
from services.posts import PostService
from services.search import DEEPEST
from tests.answers import code, data, faults, ids, items
from tests.contract.declared import LISTS, filled
from tests.contract.shelves import Shelves
from tests.factories import make_post
from tests.streamed import CSV, NDJSON, POSTS, fill, index, lines, rows

SignIn = Callable[[User], FlaskClient]


def walk(client: FlaskClient, url: str) -> list[Any]:
    """Return all items of a list, page by page."""
    found, page = [], data(client.get(f"{url}?limit=3"))
    while True:
        found += page["items"]
        if page["next"] is None:
            return found
        page = data(client.get(f"{url}?limit=3&cursor={page['next']}"))


def begun(client: FlaskClient, url: str, headers: dict[str, str]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first chunk of an answer and what gives the others."""
    chunks = client.get(url, headers=headers).iter_encoded()
    return next(chunks), chunks


class TestEveryList:
    @pytest.fixture
    def shelves(self, sign_in: SignIn, session: Session, ada: User) -> Shelves:
        """Four things and more in every list that Ada can read."""
        shelves = Shelves(session, ada, sign_in(ada))
        for _ in range(4):
            shelves.add()
        return shelves

    @pytest.fixture
    def caller(self, shelves: Shelves) -> FlaskClient:
        return shelves.caller

    @pytest.fixture
    def urls(self, shelves: Shelves) -> list[str]:
        """The URLs of all lists that are declared."""
        return sorted(filled(each.rule, shelves.ids) for each in LISTS)

    def test_is_streamed_as_it_is_paged(self, caller: FlaskClient, urls: list[str]) -> None:
        for url in urls:
            paged = walk(caller, url)
            assert len(paged) > 3, url
            assert lines(caller.get(url, headers=NDJSON)) == paged, url

            table = rows(caller.get(url, headers=CSV))
            first = next(iter(paged[0]))
            assert [row[first] for row in table] == [str(each[first]) for each in paged], url

    def test_has_the_headers_of_a_list(self, caller: FlaskClient, urls: list[str]) -> None:
        for url in urls:
            page = caller.get(url)
            for headers in (NDJSON, CSV):
                answer = caller.get(url, headers={**headers, "If-None-Match": "*"})
                assert answer.status_code == 200
                assert answer.headers["Cache-Control"] == page.headers["Cache-Control"], url
                assert answer.headers["Vary"] == page.headers["Vary"], url
                assert "Accept" in answer.vary
                assert "X-Fields" in answer.vary
                assert not {"ETag", "Link"} & {name for name, _ in answer.headers}, url
            name = caller.get(url, headers=CSV).headers["Content-Disposition"]
            assert name.startswith('attachment; filename="')
            assert name.endswith('.csv"')

    def test_refuses_other_types_with_a_problem(self, caller: FlaskClient, urls: list[str]) -> None:
        for url in urls:
            answer = caller.get(url, headers={"Accept": "application/xml"})
            assert (answer.status_code, code(answer)) == (406, "not-acceptable"), url
            assert answer.get_json()["available"][0] == "application/json"

    def test_refuses_what_is_for_pages(self, caller: FlaskClient, urls: list[str]) -> None:
        for url in urls:
            answer = caller.get(f"{url}?limit=5&page=1&total=false", headers=NDJSON)
            assert code(answer) == "validation"
            assert faults(answer) == dict.fromkeys(("limit", "page", "total"), "conflict"), url

    def test_has_a_head_without_a_body(self, caller: FlaskClient, urls: list[str]) -> None:
        for url in urls:
            for headers in (NDJSON, CSV):
                got, head = caller.get(url, headers=headers), caller.head(url, headers=headers)
                assert (head.status_code, head.data) == (200, b""), url
                assert "Content-Length" not in head.headers
                assert head.content_type == got.content_type

    def test_has_no_member_that_could_be_taken_for_an_error(
        self, caller: FlaskClient, urls: list[str]
    ) -> None:
        for url in urls:
            assert all("error" not in each for each in walk(caller, url)), url

    def test_says_so_in_both_specifications(self, client: FlaskClient, urls: list[str]) -> None:
        openapi = client.get("/api/v1/openapi.json").get_json()["paths"]
        swagger = client.get("/api/v1/swagger.json").get_json()["paths"]
        for path, item in openapi.items():
            answers = item.get("get", {}).get("responses", {})
            if "406" in answers:
                types = ["application/json", "application/x-ndjson", "text/csv"]
                assert list(answers["200"]["content"]) == types
                produced = swagger[path]["get"]["produces"]
                assert produced == [*types, "application/problem+json"]
        assert sum(
            "406" in item.get("get", {}).get("responses", {}) for item in openapi.values()
        ) == len(urls)


class TestWhatIsStreamed:
    def test_follows_filter_sort_and_mask(
        self, client: FlaskClient, session: Session, ada: User, mallory: User
    ) -> None:
        for number in range(30):
            make_post(session, ada, title=f"{number:02}", tags=["even"] if number % 2 == 0 else [])
            make_post(session, mallory, tags=["even"])
        url = f"{POSTS}?author=ada&tag=even&sort=-title&fields=title,author{{username}}"

        expected = [{"title": f"{n:02}", "author": {"username": "ada"}} for n in range(28, -1, -2)]
        assert lines(client.get(url, headers=NDJSON)) == expected
        by_header = {**CSV, "X-Fields": "title,author{username}"}
        table = client.get(f"{POSTS}?author=ada&tag=even&sort=-title", headers=by_header)
        assert table.text.splitlines()[:2] == ["title,author.username", "28,ada"]

    def test_is_all_that_is_found_best_first(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        # given
        fill(session, ada, DEEPEST + 50, size=10)
        best = make_post(session, ada, title="The number", body="Number number number number.")
        session.execute(sa.delete(PostService.searched.table))
        index(session)
        # when
        found = lines(client.get(f"{POSTS}?q=number&fields=id,snippet", headers=NDJSON))
        sorted_ = lines(client.get(f"{POSTS}?q=number&sort=title&fields=id", headers=NDJSON))
        # then
        numbers = [each["id"] for each in found]
        assert len(numbers) == len(set(numbers)) == len(sorted_) == DEEPEST + 51
        assert numbers[0] == best.id
        page = ids(client.get(f"{POSTS}?q=number&limit=100"))
        assert numbers[:100] == page
        assert "<mark>" in found[0]["snippet"]

    def test_is_what_the_caller_may_see(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, mallory: User
    ) -> None:
        public, draft = make_post(session, ada), make_post(session, ada, status="draft")
        url = f"{POSTS}?status=any"

        def seen(caller: FlaskClient) -> list[int]:
            return sorted(each["id"] for each in lines(caller.get(url, headers=NDJSON)))

        assert seen(sign_in(ada)) == [public.id, draft.id]
        assert seen(sign_in(mallory)) == []
        people = client.get("/api/v1/users", headers=CSV)
        assert "email" not in people.text

    def test_shows_admins_more(self, sign_in: SignIn, admin: User) -> None:
        table = rows(sign_in(admin).get("/api/v1/users", headers=CSV))

        assert table[0]["email"] == admin.email

    def test_is_nothing_or_a_header_where_nothing_matches(self, client: FlaskClient) -> None:
        assert client.get(POSTS, headers=NDJSON).data == b""
        assert client.get(f"{POSTS}?fields=id,title", headers=CSV).data == b"id,title\r\n"

    @pytest.mark.parametrize("query", ["colour=red", "sort=body", "fields=secret", "ids=x"])
    def test_is_refused_as_a_list_is(self, client: FlaskClient, query: str) -> None:
        for headers in ({}, NDJSON, CSV):
            for method in ("GET", "HEAD"):
                answer = client.open(f"{POSTS}?{query}", method=method, headers=headers)
                assert answer.status_code == 400
                assert answer.content_type == "application/problem+json"

    def test_asks_for_a_caller_first(self, client: FlaskClient) -> None:
        for accept in (*NDJSON.values(), "image/png"):
            answer = client.get("/api/v1/trash?limit=1", headers={"Accept": accept})
            assert code(answer) == "unauthenticated"

    def test_of_somebody_unknown_is_not_found(self, client: FlaskClient) -> None:
        assert code(client.get("/api/v1/users/99/posts", headers=NDJSON)) == "not-found"

    def test_has_no_line_break_within_a_line(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        body = "one\u2028two\u2029three\x85four\r\nfive\x0bsix"
        make_post(session, ada, body=body)

        assert [each["body"] for each in lines(client.get(POSTS, headers=NDJSON))] == [body]
        assert [each["body"] for each in rows(client.get(POSTS, headers=CSV))] == [body]

    def test_leaves_items_as_they_are(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        answer = client.get(f"{POSTS}/{make_post(session, ada).id}", headers=CSV)

        assert (answer.status_code, answer.content_type) == (200, "application/json")


class TestWhileItIsRead:
    def test_nothing_is_held(
        self, app: Flask, client: FlaskClient, session: Session, ada: User
    ) -> None:
        fill(session, ada, 60)
        # when
        first, rest = begun(client, POSTS, NDJSON)
        # then
        assert len(first) < 2 * streams.CHUNK
        assert not has_app_context()
        with app.app_context():
            assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert make_post(session, ada).id  # SQLite's only writer has its turn
        assert len((first + b"".join(rest)).splitlines()) == 60

    def test_rows_that_stay_come_once(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        # given
        fill(session, ada, 120)
        before = {each["id"] for each in walk(client, POSTS)}
        first, rest = begun(client, f"{POSTS}?sort=created_at&fields=id,title,body", NDJSON)
        # when
        last, other = sorted(before)[-1], sorted(before)[-2]
        session.execute(sa.delete(Post).where(Post.id == last))
        session.execute(sa.update(Post).where(Post.id == other).values(title="Changed"))
        session.commit()
        added = make_post(session, ada)
        # then
        found = [json.loads(line) for line in (first + b"".join(rest)).splitlines()]
        assert sorted(each["id"] for each in found) == sorted(before - {last} | {added.id})
        assert [each["title"] for each in found if each["id"] == other] == ["Changed"]

    def test_who_is_locked_out_gets_no_more(
        self, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        # given
        fill(session, ada, 60)
        client = sign_in(ada)
        current = [each["id"] for each in items(client.get("/api/v1/auth/sessions"))]
        first, rest = begun(client, POSTS, NDJSON)
        # when
        assert client.delete(f"/api/v1/auth/sessions/{current[0]}").status_code == 204
        # then
        told = b"".join(rest).splitlines()
        assert len(told) == 1
        assert json.loads(told[0])["error"]["code"] == "unauthenticated"
        assert b"error" not in first

    def test_no_more_than_some_are_sent_at_once(
        self, client: FlaskClient, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        fill(session, ada, 30)
        open_ones = [client.get(POSTS, headers=NDJSON) for _ in range(streams.AT_ONCE)]
        # when
        refused = client.get(POSTS, headers=NDJSON)
        # then
        assert code(refused) == "unavailable"
        assert refused.headers["Retry-After"]
        assert client.get(POSTS).status_code == 200
        assert client.head(POSTS, headers=NDJSON).status_code == 200
        for each in open_ones:
            each.close()
        assert len(lines(client.get(POSTS, headers=NDJSON))) == 30

    def test_memory_stays_flat(self, client: FlaskClient, session: Session, ada: User) -> None:
        fill(session, ada, 600, size=15_000)
        client.get(POSTS, headers=NDJSON).close()
        for headers in (NDJSON, CSV):
            size = 0
            tracemalloc.start()
            for chunk in client.get(POSTS, headers=headers).iter_encoded():
                size += len(chunk)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert size > 18_000_000
            assert peak < 6_000_000


class TestFailure:
    @pytest.fixture
    def breaking(
        self, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[Exception], None]:
        """``breaking(exc)``: the second page fails."""
        fill(session, ada, 60)

        def prepare(exc: Exception) -> None:
            listed, calls = PostService.list, iter((False,))

            def fail(service: PostService, query: Any) -> Any:
                if next(calls, True):
                    raise exc
                return listed(service, query)

            monkeypatch.setattr(PostService, "list", fail)

        return prepare

    def test_of_the_database_is_the_last_line(
        self, client: FlaskClient, breaking: Callable[[Exception], None]
    ) -> None:
        # given
        breaking(OperationalError("SELECT", None, Lost("unable to open database file")))
        # when
        answer = client.get(f"{POSTS}?author=ada", headers=NDJSON)
        # then
        *found, last = lines(answer)
        assert 0 < len(found) <= 20
        assert list(last) == ["error"]
        problem = last["error"]
        assert (problem["code"], problem["status"]) == ("unavailable", 503)
        assert problem["instance"] == POSTS
        assert problem["request_id"] == answer.headers["X-Request-Id"]

    def test_is_no_row_of_a_table(
        self, client: FlaskClient, breaking: Callable[[Exception], None]
    ) -> None:
        # given
        breaking(OperationalError("SELECT", None, Lost("unable to open database file")))
        # when
        answer = client.get(f"{POSTS}?fields=id,title,body", headers=CSV)
        # then
        *table, last = answer.text.splitlines()
        assert all(line.endswith("b") for line in table[1:])
        assert json.loads(last)["error"]["code"] == "unavailable"

    def test_of_ours_tells_nothing(
        self,
        client: FlaskClient,
        breaking: Callable[[Exception], None],
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        # given
        breaking(ZeroDivisionError("the secret of division"))
        # when
        answer = client.get(POSTS, headers=NDJSON)
        # then
        assert lines(answer)[-1]["error"]["code"] == "internal"
        assert "division" not in answer.text
        answer.close()
        log = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        crash, end = log[-2:]
        assert "ZeroDivisionError" in crash["exception"]
        assert (end["event"], end["outcome"]) == ("stream", "failed")
        assert end["rows"] == len(lines(answer)) - 1
        assert crash["request_id"] == end["request_id"] == answer.headers["X-Request-Id"]

    def test_before_the_first_byte_is_a_problem(
        self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OperationalError("SELECT", None, Lost("unable to open database file"))

        monkeypatch.setattr(PostService, "list", fail)

        for headers in (NDJSON, CSV):
            assert code(client.get(POSTS, headers=headers)) == "unavailable"
