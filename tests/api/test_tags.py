"""Tags over HTTP: which there are, what they are called, how many posts have each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from models import User
from tests.answers import code, data, faults, items

SignIn = Callable[..., FlaskClient]
POSTS, TAGS = "/api/v1/posts", "/api/v1/tags"
LATER = "2199-01-01T00:00:00Z"


def write(caller: FlaskClient, *tags: str, **changes: Any) -> str:
    """Make a published post with these tags; return its URL."""
    body = {"title": "T", "body": "b", "status": "published", "tags": list(tags)} | changes
    answer = caller.post(POSTS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def counts(caller: FlaskClient, query: str = "") -> dict[str, int]:
    """Return the list as name → number."""
    return {each["name"]: each["posts_count"] for each in items(caller.get(f"{TAGS}{query}"))}


@pytest.fixture
def author(sign_in: SignIn, ada: User) -> FlaskClient:
    return sign_in(ada)


class TestList:
    def test_has_names_and_numbers_and_nothing_else(
        self, client: FlaskClient, author: FlaskClient
    ) -> None:
        write(author, "python", "Flask")
        write(author, "python")

        assert items(client.get(TAGS)) == [
            {"name": "Flask", "posts_count": 1},
            {"name": "python", "posts_count": 2},
        ]

    def test_names_are_the_same_whatever_the_case(
        self, client: FlaskClient, author: FlaskClient
    ) -> None:
        for tag in ("Straße", "STRASSE", "strasse", "ÉTÉ", "e\u0301te\u0301", "ΰ", "Ϋ́"):
            write(author, tag)

        assert counts(client) == {"Straße": 3, "ÉTÉ": 2, "ΰ": 2}
        found = items(client.get(POSTS, query_string={"tag": "Ϋ́"}))
        assert [post["tags"] for post in found] == [["Ϋ́"], ["ΰ"]]

    def test_by_number(self, client: FlaskClient, author: FlaskClient) -> None:
        for tags in (["a", "b", "c"], ["b", "c"], ["c"]):
            write(author, *tags)

        assert list(counts(client, "?sort=-posts_count")) == ["c", "b", "a"]
        assert list(counts(client, "?sort=posts_count")) == ["a", "b", "c"]
        assert list(counts(client, "?sort=-name")) == ["c", "b", "a"]

    @pytest.mark.parametrize("sort", ["name", "-name", "posts_count", "-posts_count"])
    def test_a_walk_sees_each_once(
        self, client: FlaskClient, author: FlaskClient, sort: str
    ) -> None:
        for number in range(8):
            write(author, *(f"t{n}" for n in range(number)))
            write(author, f"t{number}", published_at=LATER)
        whole = items(client.get(f"{TAGS}?sort={sort}"))
        assert len(whole) == 7

        walked: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = data(client.get(f"{TAGS}?sort={sort}&limit=2&total=true{cursor}"))
            assert page["total"] == 7
            walked += page["items"]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert walked == whole
        pages = [items(client.get(f"{TAGS}?sort={sort}&limit=3&page={n}")) for n in (1, 2, 3)]
        assert [each for page in pages for each in page] == whole

    def test_of_a_prefix(self, client: FlaskClient, author: FlaskClient) -> None:
        write(author, "Python", "pytest", "pyramid", "Öl", "100%", "100_")

        assert list(counts(client, "?prefix=PYT")) == ["pytest", "Python"]
        assert list(counts(client, "?prefix=%C3%B6&sort=-posts_count")) == ["Öl"]
        assert list(counts(client, "?prefix=100%25")) == ["100%"]
        assert list(counts(client, "?prefix=x")) == []

    def test_is_of_fixed_cost(
        self, client: FlaskClient, author: FlaskClient, count_queries: Callable[[], Any]
    ) -> None:
        write(author, *(f"t{n}" for n in range(20)))
        write(author, "t1", published_at=LATER)
        client.get(TAGS)

        with count_queries() as queries:
            client.get(f"{TAGS}?total=true&sort=-posts_count")

        assert len(queries) == 2

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("?sort=key", {"sort": "choice"}),
            ("?key=x", {"key": "unknown"}),
            ("?q=x", {"q": "unknown"}),
            ("?fields=id", {"fields": "unknown"}),
        ],
    )
    def test_what_is_hidden_is_unknown(
        self, client: FlaskClient, query: str, told: dict[str, str]
    ) -> None:
        assert faults(client.get(f"{TAGS}{query}")) == told

    def test_as_a_stream(self, client: FlaskClient, author: FlaskClient) -> None:
        write(author, "b", "a", "c")

        answer = client.get(TAGS, headers={"Accept": "text/csv"})

        assert answer.text.split() == ["name,posts_count", "a,1", "b,1", "c,1"]

    def test_is_not_sent_again_as_long_as_it_is_the_same(
        self, client: FlaskClient, author: FlaskClient
    ) -> None:
        write(author, "a")
        tag = {"If-None-Match": client.get(TAGS).headers["ETag"]}

        assert client.get(TAGS, headers=tag).status_code == 304
        write(author, "a")
        assert client.get(TAGS, headers=tag).status_code == 200

    def test_nobody_writes_it(self, author: FlaskClient) -> None:
        assert code(author.post(TAGS, json={"name": "x"})) == "method-not-allowed"


class TestCounts:
    def test_only_public_posts_count(self, client: FlaskClient, author: FlaskClient) -> None:
        write(author, "Secret", status="draft")
        write(author, "Secret", status="archived")
        write(author, "Secret", published_at=LATER)
        assert counts(client) == counts(author) == {}

        write(author, "secret")

        assert counts(client) == {"Secret": 1}  # the scheduled one was the first that counts

    def test_follow_changes_of_a_post(self, client: FlaskClient, author: FlaskClient) -> None:
        url = write(author, "a", "b")
        for changes, expected in (
            ({"tags": ["B", "c", "C"]}, {"b": 1, "c": 1}),
            ({"status": "draft"}, {}),
            ({"tags": ["d"]}, {}),
            ({"status": "published"}, {"d": 1}),
            ({"published_at": LATER}, {}),
            ({"published_at": "2001-01-01T00:00:00Z"}, {"d": 1}),
            ({"tags": None}, {}),
        ):
            assert author.patch(url, json=changes).status_code == 200
            assert counts(client) == expected, changes

    def test_follow_a_post_into_the_trash_and_back(
        self, client: FlaskClient, author: FlaskClient
    ) -> None:
        url = write(author, "a")
        write(author, "A")
        trashed = url.replace("/v1/", "/v1/trash/")

        assert author.delete(url).status_code == 204
        assert counts(client) == {"a": 1}
        assert author.post(f"{trashed}/restoration").status_code == 200
        assert counts(client) == {"a": 2}
        assert author.delete(url).status_code == 204
        assert author.delete(trashed).status_code == 204
        assert counts(client) == {"a": 1}

    def test_follow_an_author(
        self, client: FlaskClient, author: FlaskClient, sign_in: SignIn, ada: User, admin: User
    ) -> None:
        root = sign_in(admin)
        write(author, "a", "b")
        write(author, "b", published_at=LATER)
        write(root, "b")
        user, trashed = f"/api/v1/users/{ada.id}", f"/api/v1/trash/users/{ada.id}"
        everything, others = {"a": 1, "b": 2}, {"b": 1}
        assert counts(client) == everything

        assert root.patch(user, json={"status": "suspended"}).status_code == 200
        assert counts(client) == counts(root) == others
        assert root.patch(user, json={"status": "active"}).status_code == 200
        assert counts(client) == everything
        assert root.delete(user).status_code == 204
        assert counts(client) == others
        assert root.post(f"{trashed}/restoration").status_code == 200
        assert counts(client) == everything
        root.patch(user, json={"status": "suspended"})
        assert root.delete(user).status_code == 204
        assert counts(client) == others
        assert root.post(f"{trashed}/restoration").status_code == 200
        assert counts(client) == others
        assert root.delete(user).status_code == 204
        assert root.delete(trashed).status_code == 204
        assert counts(client) == others

    def test_a_refused_change_counts_nothing(
        self, client: FlaskClient, author: FlaskClient
    ) -> None:
        url = write(author, "a", slug="taken")
        stale = {"If-Match": '"7-x"'}

        taken = {"title": "T", "body": "b", "status": "published", "slug": "taken", "tags": ["a"]}
        assert code(author.post(POSTS, json=taken)) == "slug-taken"
        assert code(author.patch(url, json={"tags": []}, headers=stale)) == "precondition-failed"
        assert code(author.delete(url, headers=stale)) == "precondition-failed"

        assert counts(client) == {"a": 1}
