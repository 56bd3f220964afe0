"""Pages: walks by cursor, pages by number, totals, links, and cursors of somewhere else."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api import pagination
from models import Post, User
from services import clock
from services.listing import Page
from tests.answers import code, data, faults, ids, items
from tests.factories import make_post, make_user

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"
SORTS = ("published_at", "created_at", "updated_at", "title", "likes_count")


def walk(caller: FlaskClient, query: str, url: str = POSTS) -> Iterator[list[int]]:
    """Follow ``next`` and yield the ids of each page."""
    cursor = ""
    while True:
        page = data(caller.get(f"{url}?{query}{cursor}"))
        yield [each["id"] for each in page["items"]]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def links(caller: FlaskClient, url: str) -> dict[str, str]:
    """Return the Link header of a list: relation → URL."""
    header = caller.get(url).headers.get("Link", "")
    return {rel: target for target, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


@pytest.fixture
def posts(session: Session, ada: User) -> list[Post]:
    """Ten posts, many of them alike, four without a time of publication."""
    start = clock.now() - timedelta(days=1)
    return [
        make_post(
            session,
            ada,
            title="ab"[number % 2],
            status="draft" if number % 5 < 2 else "published",
            likes_count=number % 2,
            **(
                {}
                if number % 5 < 2
                else {"published_at": start + timedelta(milliseconds=number % 3)}
            ),
            created_at=start + timedelta(milliseconds=number % 3),
            updated_at=start,
        )
        for number in range(10)
    ]


class TestCursor:
    @pytest.mark.parametrize("sort", [sign + name for name in SORTS for sign in ("", "-")])
    def test_walk_sees_every_row_once_in_order(
        self, sort: str, sign_in: SignIn, ada: User, posts: list[Post]
    ) -> None:
        author = sign_in(ada)
        whole = ids(author.get(f"{POSTS}?status=any&sort={sort}"))
        assert sorted(whole) == sorted(post.id for post in posts)

        for limit in (1, 3):
            pages = list(walk(author, f"status=any&sort={sort}&limit={limit}"))

            assert [id for page in pages for id in page] == whole
            assert all(len(page) <= limit for page in pages)
            assert all(pages)

    @pytest.mark.parametrize("sort", ["published_at", "-published_at"])
    def test_walk_is_exact_to_the_millisecond_at_all_times(
        self, sort: str, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        seconds = ("0001-01-01T00:00:00", "1969-12-31T23:59:59", "9999-12-31T23:59:59")
        times = [
            datetime.fromisoformat(f"{second}.{ms:03}+00:00")
            for second in seconds
            for ms in (0, 1, 998, 999)
        ]
        there = {make_post(session, ada, published_at=each).id for each in times}

        pages = walk(sign_in(ada), f"status=any&sort={sort}&limit=1")
        walked = [id for page in islice(pages, 20) for id in page]  # it might never end

        assert len(walked) == len(there)
        assert set(walked) == there

    @pytest.mark.parametrize("sort", ["published_at", "-published_at", "title", "-created_at"])
    def test_walk_sees_every_row_once_while_others_come_and_go(
        self, sort: str, sign_in: SignIn, session: Session, ada: User, posts: list[Post]
    ) -> None:
        there, seen = {post.id for post in posts}, list[int]()
        session.expunge_all()

        for page in walk(sign_in(ada), f"status=any&sort={sort}&limit=2"):
            seen += page
            new = make_post(session, ada, title="a", created_at=posts[0].created_at)
            make_post(session, ada, title="b", status="draft")
            if new.id % 2:
                session.delete(new)
                session.commit()

        assert len(seen) == len(set(seen))
        assert there <= set(seen)

    def test_last_page_has_no_next(self, sign_in: SignIn, ada: User, posts: list[Post]) -> None:
        author = sign_in(ada)

        assert data(author.get(f"{POSTS}?status=any&limit=10"))["next"] is None
        assert data(author.get(f"{POSTS}?status=any&limit=9"))["next"] is not None

    def test_of_another_list_is_refused(
        self, sign_in: SignIn, ada: User, posts: list[Post]
    ) -> None:
        author = sign_in(ada)
        mine = f"/api/v1/users/{ada.id}/posts"
        cursor = data(author.get(f"{POSTS}?status=any&limit=2"))["next"]
        flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
        real = base64.urlsafe_b64encode(b"[null,3]").decode()

        assert ids(author.get(f"{POSTS}?status=any&limit=5&total=true&cursor={cursor}"))
        assert ids(author.get(f"{POSTS}/?status=any&cursor={cursor}"))
        for url in (
            f"{POSTS}?cursor={cursor}",
            f"{POSTS}?status=draft&cursor={cursor}",
            f"{POSTS}?status=any&sort=title&cursor={cursor}",
            f"{POSTS}?status=any&sort=published_at&cursor={cursor}",
            f"{POSTS}?status=any&tag=x&cursor={cursor}",
            f"{mine}?status=any&cursor={cursor}",
            *(
                f"{POSTS}?status=any&cursor={forged}"
                for forged in (flipped, cursor[:-1], real, "x", "", "%C3%A9", "A" * 1000)
            ),
        ):
            assert code(author.get(url)) == "validation", url
            assert set(faults(author.get(url))) == {"cursor"}, url

    def test_says_nothing(self, sign_in: SignIn, ada: User, posts: list[Post]) -> None:
        cursor = data(sign_in(ada).get(f"{POSTS}?status=any&limit=2&sort=title"))["next"]

        raw = base64.urlsafe_b64decode(cursor + "==")

        assert b'"' not in raw or b"null" not in raw
        assert len(raw) < 100

    def test_of_users(self, client: FlaskClient, session: Session) -> None:
        names = ["b", "C", "a", "Z", "_x", "-y"]
        there = {name: make_user(session, f"{name}00").id for name in names}

        walked = [
            id for page in walk(client, "sort=username&limit=1", "/api/v1/users") for id in page
        ]

        assert walked == [there[name] for name in ("-y", "_x", "a", "b", "C", "Z")]


class TestNumber:
    def test_pages_have_the_rows_in_order(
        self, sign_in: SignIn, ada: User, posts: list[Post]
    ) -> None:
        author = sign_in(ada)
        whole = ids(author.get(f"{POSTS}?status=any"))

        pages = [ids(author.get(f"{POSTS}?status=any&limit=4&page={n}")) for n in (1, 2, 3, 4)]

        assert pages == [whole[:4], whole[4:8], whole[8:], []]

    def test_ends_at_row_10_000(self, client: FlaskClient, posts: list[Post]) -> None:
        assert ids(client.get(f"{POSTS}?page=100&limit=100")) == []
        assert ids(client.get(f"{POSTS}?page=500")) == []
        for query in ("page=101&limit=100", "page=501", "page=10000&limit=2"):
            answer = client.get(f"{POSTS}?{query}")
            assert faults(answer) == {"page": "too_large"}
            assert "cursor" in answer.get_json()["errors"][0]["message"]

    def test_and_cursor_exclude_each_other(self, client: FlaskClient, posts: list[Post]) -> None:
        cursor = data(client.get(f"{POSTS}?limit=2"))["next"]

        assert code(client.get(f"{POSTS}?page=2&limit=2&cursor={cursor}")) == "validation"

    def test_leads_over_to_the_cursor(self, client: FlaskClient, posts: list[Post]) -> None:
        cursor = data(client.get(f"{POSTS}?limit=2&page=1"))["next"]

        third = ids(client.get(f"{POSTS}?limit=2&cursor={cursor}"))

        assert third == ids(client.get(f"{POSTS}?limit=2&page=2"))


class TestTotal:
    def test_only_on_demand(self, sign_in: SignIn, ada: User, posts: list[Post]) -> None:
        author = sign_in(ada)

        assert data(author.get(POSTS))["total"] is None
        assert data(author.get(f"{POSTS}?total=false"))["total"] is None
        assert data(author.get(f"{POSTS}?total=true"))["total"] == 6
        assert data(author.get(f"{POSTS}?total=true&status=any&limit=1"))["total"] == 10
        assert data(author.get(f"{POSTS}?total=true&page=9"))["total"] == 6

    def test_is_of_all_pages(self, client: FlaskClient, posts: list[Post]) -> None:
        cursor = data(client.get(f"{POSTS}?limit=2"))["next"]

        assert data(client.get(f"{POSTS}?limit=2&total=true&cursor={cursor}"))["total"] == 6


class TestLinks:
    def test_by_cursor(self, client: FlaskClient, posts: list[Post]) -> None:
        url = f"{POSTS}?sort=-title&limit=2"
        cursor = data(client.get(url))["next"]

        first = links(client, url)
        second = links(client, first["next"])

        assert first == {"first": url, "next": f"{url}&cursor={cursor}"}
        assert second["first"] == url
        assert set(links(client, second["next"])) == {"first"}

    def test_by_number(self, client: FlaskClient, posts: list[Post]) -> None:
        url = f"{POSTS}?limit=2"

        assert links(client, f"{url}&page=1") == {"first": f"{url}&page=1", "next": f"{url}&page=2"}
        assert links(client, f"{url}&page=2") == {
            "first": f"{url}&page=1",
            "prev": f"{url}&page=1",
            "next": f"{url}&page=3",
        }
        assert set(links(client, f"{url}&page=3")) == {"first", "prev"}

    def test_of_the_last_page_by_number_goes_on_by_cursor(self) -> None:
        page = Page([None] * 100, next=(1, 1), total=None)

        def following(number: int) -> str:
            asked = {"limit": ["100"], "page": [str(number)]}
            return pagination.links("/x", asked, page, "here").split(", ")[1]

        assert following(99) == '</x?limit=100&page=100>; rel="next"'
        assert following(100) == '</x?limit=100&cursor=here>; rel="next"'

    def test_keep_what_was_asked(self, client: FlaskClient, session: Session, ada: User) -> None:
        for _ in range(2):
            make_post(session, ada, tags=["é", "a b&c"])
        url = f"{POSTS}?tag=%C3%A9&tag=a+b%26c&fields=id&limit=1"

        following = links(client, url)["next"]

        assert len(items(client.get(following))) == 1
        assert items(client.get(following)) != items(client.get(url))
        assert set(items(client.get(following))[0]) == {"id"}
