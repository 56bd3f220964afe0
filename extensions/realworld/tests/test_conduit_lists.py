"""Lists: order, pages, filters, the feed, tags; and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from models import User
from signpost.contract.factories import make_post

if TYPE_CHECKING:
    from tests.conduit import Caller

Counting = Callable[[], AbstractContextManager[list[str]]]


class TestArticles:
    def test_without_any(self, anyone: Caller) -> None:
        assert anyone("GET", "/articles", 200) == {"articles": [], "articlesCount": 0}

    def test_are_the_newest_first(self, ada: Caller) -> None:
        made = [ada.publish(f"Number {number}")["slug"] for number in range(4)]
        assert ada.slugs() == made[::-1]

    def test_of_one_moment_are_ordered_by_id(self, ada: Caller, session: Session) -> None:
        user = session.query(User).one()
        first = make_post(session, user)
        slugs = [make_post(session, user, created_at=first.created_at).slug for _ in range(3)]
        assert ada.slugs() == [*slugs[::-1], first.slug]

    def test_have_no_body_and_all_the_rest(self, ada: Caller) -> None:
        article = ada.publish(tagList=["b", "a"])
        del article["body"]
        for path in ("/articles", "/articles?author=ada"):
            assert ada("GET", path, 200)["articles"] == [article]

    def test_are_cut_to_pages(self, ada: Caller) -> None:
        made = [ada.publish(f"Number {number}")["slug"] for number in range(5)][::-1]
        for limit, offset in ((2, 0), (2, 2), (2, 4), (1, 3), (10, 1), (5, 5), (3, 99)):
            query = f"?limit={limit}&offset={offset}"
            assert ada.slugs(query) == made[offset : offset + limit]
            assert ada("GET", f"/articles{query}", 200)["articlesCount"] == 5

    def test_are_twenty_unless_said(self, ada: Caller, session: Session) -> None:
        user = session.query(User).one()
        for _ in range(22):
            make_post(session, user)
        found = ada("GET", "/articles", 200)
        assert (len(found["articles"]), found["articlesCount"]) == (20, 22)

    def test_are_a_hundred_at_most(self, ada: Caller, session: Session) -> None:
        user = session.query(User).one()
        for _ in range(101):
            make_post(session, user)
        assert len(ada.slugs("?limit=1000")) == 100

    @pytest.mark.parametrize("name", ["tag", "author", "favorited"])
    def test_of_a_name_with_a_nul_are_refused(self, anyone: Caller, name: str) -> None:
        assert set(anyone.errors("GET", f"/articles?{name}=a%00", 422)) == {name}

    @pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "offset=-1", "offset=1.5"])
    def test_of_bad_pages_are_refused(self, anyone: Caller, query: str) -> None:
        found = anyone.errors("GET", f"/articles?{query}", 422)
        assert set(found) == {query.partition("=")[0]}

    def test_what_is_empty_or_unknown_is_ignored(self, ada: Caller) -> None:
        slug = ada.publish()["slug"]
        assert ada.slugs("?tag=&author=&favorited=&limit=&offset=&page=7&x=") == [slug]


class TestFilters:
    @pytest.fixture
    def made(self, ada: Caller, bob: Caller) -> dict[str, str]:
        """Slugs by name: of ada's two, of which bob likes the second, and of bob's one."""
        slugs = {
            "a1": ada.publish("A one", tagList=["tea", "x_1"])["slug"],
            "a2": ada.publish("A two", tagList=["teapot"])["slug"],
            "b1": bob.publish("B one", tagList=["x_1"])["slug"],
        }
        bob("POST", f"/articles/{slugs['a2']}/favorite", 200)
        return slugs

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("author=ada", ["a2", "a1"]),
            ("author=bob", ["b1"]),
            ("tag=tea", ["a1"]),
            ("tag=x_1", ["b1", "a1"]),
            ("favorited=bob", ["a2"]),
            ("favorited=ada", []),
            ("author=ada&tag=x_1", ["a1"]),
            ("author=ada&favorited=bob", ["a2"]),
            ("author=ada&favorited=bob&tag=teapot", ["a2"]),
            ("author=ada&favorited=bob&tag=tea", []),
            ("author=nobody", []),
            ("favorited=nobody", []),
            ("tag=te", []),
            ("author=ad", []),
            ("tag=%25", []),
            ("author=ada&limit=1&offset=1", ["a1"]),
        ],
    )
    def test_match_exactly_and_combine(
        self, made: dict[str, str], anyone: Caller, query: str, names: list[str]
    ) -> None:
        assert anyone.slugs(f"?{query}") == [made[name] for name in names]

    def test_count_what_matches(self, made: dict[str, str], anyone: Caller) -> None:
        assert anyone("GET", "/articles?author=ada&limit=1", 200)["articlesCount"] == 2
        assert anyone("GET", "/articles?tag=none", 200)["articlesCount"] == 0

    def test_leave_the_callers_view(self, made: dict[str, str], bob: Caller) -> None:
        found = bob("GET", "/articles?favorited=bob", 200)["articles"][0]
        assert (found["favorited"], found["favoritesCount"]) == (True, 1)


class TestFeed:
    def test_of_a_newcomer_is_empty(self, ada: Caller) -> None:
        ada.publish()
        assert ada("GET", "/articles/feed", 200) == {"articles": [], "articlesCount": 0}

    def test_has_articles_of_those_whom_one_follows(
        self, ada: Caller, bob: Caller, join: Callable[[str], Caller]
    ) -> None:
        bob.publish("Own")
        made = [ada.publish(f"Number {number}")["slug"] for number in range(3)][::-1]
        join("eve").publish("Not followed")
        bob("POST", "/profiles/ada/follow", 200)
        found = bob("GET", "/articles/feed", 200)
        assert [each["slug"] for each in found["articles"]] == made
        assert found["articlesCount"] == 3
        assert all(each["author"]["following"] is True for each in found["articles"])
        assert all("body" not in each for each in found["articles"])
        assert bob.slugs("?limit=1&offset=1", "/articles/feed") == made[1:2]
        bob("DELETE", "/profiles/ada/follow", 200)
        assert bob.slugs(path="/articles/feed") == []

    def test_is_for_who_is_signed_in(self, anyone: Caller) -> None:
        assert anyone.errors("GET", "/articles/feed", 401) == {"token": ["is missing"]}


class TestTagList:
    def test_has_each_tag_of_an_article_once_and_at_once(self, ada: Caller, anyone: Caller) -> None:
        assert anyone("GET", "/tags", 200) == {"tags": []}
        for number in range(30):
            ada.publish(tagList=["often", f"tag_{number}X"])
            assert f"tag_{number}X" in anyone("GET", "/tags", 200)["tags"]
        found = anyone("GET", "/tags", 200)["tags"]
        assert sorted(found) == sorted(["often", *(f"tag_{number}X" for number in range(30))])


def own(queries: list[str]) -> list[str]:
    """Return the queries that are the request's own: revoked tokens are looked up now and then."""
    return [each for each in queries if "FROM revocations" not in each]


class TestCost:
    @pytest.mark.parametrize(
        ("path", "most"),
        [
            ("/articles?limit=50", 2),
            ("/articles?limit=50&tag=a&author=ada&favorited=bob", 2),
            ("/articles/feed?limit=50", 2),
            ("/articles/first/comments", 2),
            ("/tags", 1),
        ],
    )
    def test_is_the_same_for_one_and_for_thirty(
        self, ada: Caller, bob: Caller, count_queries: Counting, path: str, most: int
    ) -> None:
        # given
        bob("POST", "/profiles/ada/follow", 200)
        self.add(ada, bob, "First")
        bob("GET", path, 200)  # the token is verified
        with count_queries() as for_one:
            bob("GET", path, 200)
        for number in range(29):
            self.add(ada, bob, f"Number {number}")
        # when
        with count_queries() as for_thirty:
            found = bob("GET", path, 200)
        # then
        listed = next(each for each in found.values() if isinstance(each, list))
        assert len(listed) == 30
        assert own(for_one) == own(for_thirty)
        assert len(own(for_one)) <= most

    def add(self, ada: Caller, bob: Caller, title: str) -> None:
        """Have one more of everything."""
        own = title.replace(" ", "_") if title != "First" else "a"
        slug = ada.publish(title, tagList=["a", own])["slug"]
        bob("POST", f"/articles/{slug}/favorite", 200)
        bob.comment("first")
