"""Search over HTTP: what ``q`` finds, in which order, for whom, and when it no longer does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import POST_WORDS, Post, User
from services import search
from services.posts import PostService
from services.transaction import transact
from tests.answers import code, data, faults, ids, items
from tests.factories import actor_of, make_post, make_user

SignIn = Callable[[User], FlaskClient]

POSTS, USERS = "/api/v1/posts", "/api/v1/users"
NEEDLE = {"title": "About hay", "body": "A needle in it.", "status": "published"}


def found(caller: FlaskClient, q: str, **more: Any) -> list[int]:
    """Return the ids of what a search finds, best first."""
    return ids(caller.get(POSTS, query_string={"q": q, **more}))


def kept(session: Session) -> int:
    """Return how many posts the index has."""
    return session.scalar(sa.select(sa.func.count()).select_from(POST_WORDS)) or 0


class TestWords:
    def test_must_all_be_there_whatever_case_and_accents(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        both = make_post(session, ada, title="Ein Café", body="An der STRASSE.").id
        make_post(session, ada, title="Ein Café", body="Am Weg.")

        for q in (
            "cafe straße",
            "Straße,CAFÉ!",
            "-cafe +strasse",
            '"strasse cafe"',
            "cafe*strasse",
        ):
            assert found(client, q) == [both], q
        assert found(client, "caf") == []
        assert found(client, "cafe weg strasse") == []

    def test_of_title_tags_and_body_are_found(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        post = make_post(
            session, ada, title="One", body="**Two** http://three/", tags=["Four five"]
        )

        for q in ("one", "two", "three", "four", "FIVE", "five two one"):
            assert found(client, q) == [post.id], q
        assert found(client, "ada") == []

    def test_without_any_too_many_or_too_long_are_refused(self, client: FlaskClient) -> None:
        for q, fault in (
            ("", "too_short"),
            ("-*:'", "format"),
            ("x" * 201, "too_long"),
            (" ".join(map(str, range(11))), "too_many"),
            ("a\0b", "control_character"),
        ):
            answer = client.get(POSTS, query_string={"q": q})
            assert code(answer) == "validation", q
            assert faults(answer) == {"q": fault}, q
        assert faults(client.get(f"{POSTS}?q=a&q=b")) == {"q": "repeated"}

    @pytest.mark.parametrize(
        "q",
        [
            *(
                '"a" OR b*',
                "NEAR(a b)",
                "title:a",
                "-a",
                "a:*",
                "a & !b",
                "a <-> b",
                "(a",
                '"a',
                "a\\",
            ),
            *(
                "'; DROP TABLE posts; --",
                "a' OR '1'='1",
                "words:a",
                "{a b}:c",
                "^a",
                "a NOT a",
                "%a_",
            ),
        ],
    )
    def test_have_no_operators(
        self, q: str, client: FlaskClient, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada, title="Nothing", body="of the kind")
        exact = make_post(session, ada, title="The very thing", body=q)

        assert found(client, q) == [exact.id]
        assert set(ids(client.get(POSTS))) == {post.id, exact.id}


class TestOrder:
    @pytest.fixture
    def posts(self, session: Session, ada: User) -> list[int]:
        """Posts with the word in a title, in a tag, very often, often, once, not at all: ids."""
        return [
            make_post(session, ada, **each).id
            for each in (
                {"title": "The needle"},
                {"tags": ["Needle"]},
                {"body": "needle " * 4},
                {"body": "needle needle"},
                {"body": "a needle"},
                {"body": "hay"},
            )
        ]

    def test_is_best_first_then_newest(
        self, client: FlaskClient, session: Session, ada: User, posts: list[int]
    ) -> None:
        newest = make_post(session, ada, body="a needle").id
        title, tag, very_often, often, once, _ = posts

        assert found(client, "needle") == [tag, title, very_often, often, newest, once]
        assert found(client, "needle", sort="created_at") == [*posts[:5], newest]

    @pytest.mark.parametrize("limit", [1, 2, 4])
    def test_is_kept_by_cursors_and_pages(
        self, limit: int, client: FlaskClient, posts: list[int]
    ) -> None:
        whole = found(client, "needle")
        walked, cursor = [], None
        while True:
            query = {"q": "needle", "limit": limit} | ({"cursor": cursor} if cursor else {})
            page = data(client.get(POSTS, query_string=query))
            walked += [each["id"] for each in page["items"]]
            if (cursor := page["next"]) is None:
                break
        paged = [id for n in range(1, 7) for id in found(client, "needle", limit=limit, page=n)]

        assert walked == whole
        assert paged == whole

    def test_has_cursors_of_its_own(self, client: FlaskClient, posts: list[int]) -> None:
        cursor = data(client.get(f"{POSTS}?q=needle&limit=1"))["next"]

        for other in ("q=hay", "q=needle&sort=title", "limit=1", "q=needle&author=ada"):
            assert faults(client.get(f"{POSTS}?{other}&cursor={cursor}")) == {"cursor": "format"}
        assert items(client.get(f"{POSTS}?q=NEEDLE&cursor={cursor}"))

    def test_ends_after_the_thousand_best(
        self,
        client: FlaskClient,
        posts: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(search, "DEEPEST", 4)
        first = data(client.get(f"{POSTS}?q=needle&limit=3&total=true"))
        last = data(client.get(f"{POSTS}?q=needle&limit=3&cursor={first['next']}"))

        assert [len(first["items"]), len(last["items"])] == [3, 1]
        assert first["total"] == 5
        assert last["next"] is None
        assert faults(client.get(f"{POSTS}?q=needle&limit=3&page=2")) == {"page": "too_large"}
        assert len(found(client, "needle", sort="title")) == 5


class TestStream:
    def test_has_all_that_is_found_best_first(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        once = [make_post(session, ada, body="a needle").id for _ in range(25)]
        best = make_post(session, ada, title="Needle").id
        make_post(session, ada, body="hay")

        answer = client.get(
            f"{POSTS}?q=needle&fields=id,snippet", headers={"Accept": "application/x-ndjson"}
        )

        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["id"] for line in lines] == [best, *once[::-1]]
        assert lines[1]["snippet"] == "a <mark>needle</mark>"


class TestVisibility:
    def test_is_that_of_lists(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, mallory: User
    ) -> None:
        post = make_post(session, ada, body="needle").id
        draft = make_post(session, ada, body="needle", status="draft").id
        gone = make_user(session, "gone", status="suspended")
        make_post(session, gone, body="needle")

        for caller, status, seen in (
            (client, "published", [post]),
            (client, "any", []),
            (sign_in(mallory), "any", []),
            (sign_in(ada), "any", [draft, post]),
        ):
            page = data(
                caller.get(POSTS, query_string={"q": "needle", "status": status, "total": "true"})
            )
            assert [each["id"] for each in page["items"]] == seen
            assert page["total"] == len(seen)

    def test_joins_all_other_filters(
        self, client: FlaskClient, session: Session, ada: User, mallory: User
    ) -> None:
        one = make_post(session, ada, body="needle", tags=["x"])
        two = make_post(session, mallory, body="needle", tags=["x", "y"])

        assert found(client, "needle", author="ada") == [one.id]
        assert found(client, "needle", tag=["x", "y"]) == [two.id]
        assert found(client, "needle", ids=str(one.id)) == [one.id]
        assert ids(client.get(f"{USERS}/{ada.id}/posts?q=needle")) == [one.id]


class TestUsers:
    def test_are_found_by_their_names_never_by_emails(
        self, client: FlaskClient, sign_in: SignIn, session: Session, admin: User
    ) -> None:
        user = make_user(session, "ada-l", name="Zoë Byron", email="secret@hidden.example")

        for q in ("zoe", "ada", "byron L"):
            (shown,) = items(client.get(USERS, query_string={"q": q}))
            assert shown["id"] == user.id, q
        for caller in (client, sign_in(admin)):
            for q in ("secret", "hidden", "secret@hidden.example", "example"):
                page = data(caller.get(USERS, query_string={"q": q, "total": "true"}))
                assert (page["items"], page["total"]) == ([], 0), q

    def test_are_found_by_a_new_name_only(
        self, client: FlaskClient, sign_in: SignIn, ada: User
    ) -> None:
        data(sign_in(ada).patch(f"{USERS}/me", json={"username": "lovelace", "name": "Countess"}))

        assert ids(client.get(f"{USERS}?q=lovelace+countess")) == [ada.id]
        assert ids(client.get(f"{USERS}?q=ada")) == []

    def test_who_sign_up_are_found(self, client: FlaskClient) -> None:
        body = {"username": "eve_1", "email": "eve@x.example", "password": "a violin in Oslo"}
        made = data(client.post(USERS, json=body), 201)

        assert ids(client.get(f"{USERS}?q=eve")) == [made["id"]]
        assert made["snippet"] is None


class TestSnippet:
    def test_is_escaped_and_marked(self, client: FlaskClient, session: Session, ada: User) -> None:
        make_post(session, ada, body="<script>alert('Needle')</script>")
        make_post(session, ada, title="<b>Title</b>", body="hay")

        (one,) = items(client.get(f"{POSTS}?q=needle&fields=snippet"))
        (other,) = items(client.get(f"{POSTS}?q=title"))

        escaped = "&lt;script&gt;alert(&#x27;<mark>Needle</mark>&#x27;)&lt;/script&gt;"
        assert one == {"snippet": escaped}
        assert other["snippet"] == "&lt;b&gt;<mark>Title</mark>&lt;/b&gt;"

    def test_is_null_elsewhere(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada)
        made = data(sign_in(ada).post(POSTS, json=NEEDLE), 201)

        assert made["snippet"] is None
        assert data(client.get(f"{POSTS}/{post.id}"))["snippet"] is None
        assert {each["snippet"] for each in items(client.get(POSTS))} == {None}

    def test_cannot_be_written(self, sign_in: SignIn, ada: User) -> None:
        answer = sign_in(ada).post(POSTS, json={**NEEDLE, "snippet": "x"})

        assert faults(answer) == {"snippet": "read_only"}


class TestKeptInStep:
    def test_with_every_verb(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        author = sign_in(ada)
        id = data(author.post(POSTS, json=NEEDLE), 201)["id"]
        url, trash = f"{POSTS}/{id}", f"/api/v1/trash/posts/{id}"
        assert found(client, "needle hay") == [id]

        data(author.patch(url, json={"title": "About straw"}))
        assert (found(client, "needle straw"), found(client, "hay")) == ([id], [])
        data(author.patch(url, json={"body": "A pin in it.", "tags": ["metal"]}))
        assert (found(client, "pin straw metal"), found(client, "needle")) == ([id], [])
        data(author.put(url, json={"title": "Put", "body": "A needle again."}))
        assert (found(client, "put needle"), found(client, "metal")) == ([id], [])

        assert author.delete(url).status_code == 204
        assert found(client, "needle") == []
        assert found(author, "needle", status="any", total="true") == []
        data(author.post(f"{trash}/restoration"))
        assert found(client, "needle") == [id]

        author.delete(url)
        assert author.delete(trash).status_code == 204
        assert kept(session) == 0

    def test_a_refused_write_changes_nothing(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        author = sign_in(ada)
        id = data(author.post(POSTS, json={**NEEDLE, "slug": "one"}), 201)["id"]

        assert code(author.post(POSTS, json={**NEEDLE, "slug": "one"})) == "slug-taken"
        stale = author.patch(f"{POSTS}/{id}", json={"body": "x"}, headers={"If-Match": '"9"'})
        assert code(stale) == "precondition-failed"

        assert found(client, "needle", total="true") == [id]
        assert kept(session) == 1

    def test_a_write_that_is_rolled_back_changes_nothing(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        def fail() -> None:
            service = PostService(session, actor_of(ada))
            service.create(PostService.prepare(NEEDLE))
            session.flush()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            transact(session, fail)

        assert kept(session) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 0
        session.rollback()
        transact(session, lambda: None)  # and does not come with the next one
        assert kept(session) == 0

    def test_when_an_author_is_deleted_restored_and_purged(
        self, client: FlaskClient, sign_in: SignIn, session: Session, admin: User, ada: User
    ) -> None:
        post, caller = make_post(session, ada, body="needle"), sign_in(admin)

        caller.delete(f"{USERS}/{ada.id}")
        assert (found(client, "needle"), ids(client.get(f"{USERS}?q=ada"))) == ([], [])
        data(caller.post(f"/api/v1/trash/users/{ada.id}/restoration"))
        assert (found(client, "needle"), ids(client.get(f"{USERS}?q=ada"))) == ([post.id], [ada.id])
        caller.delete(f"{USERS}/{ada.id}")
        assert caller.delete(f"/api/v1/trash/users/{ada.id}").status_code == 204
        assert kept(session) == 0


class TestCost:
    @pytest.mark.parametrize("query", ["q=needle", "q=needle&total=true", "q=needle&sort=title"])
    def test_is_fixed(
        self, query: str, client: FlaskClient, session: Session, ada: User, count_queries: Any
    ) -> None:
        for _ in range(30):
            make_post(session, ada, body="needle")
        with count_queries() as queries:
            assert len(items(client.get(f"{POSTS}?{query}"))) == 20
        assert len(queries) <= 2
