"""Comments: write, read, delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from models import Post

if TYPE_CHECKING:
    from tests.conduit import Caller

MEMBERS = {"id", "createdAt", "updatedAt", "body", "author"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NO_ARTICLE, NO_COMMENT = {"article": ["not found"]}, {"comment": ["not found"]}
SIGNED_OUT = {"token": ["is missing"]}


class TestWrite:
    def test_answers_the_comment(self, ada: Caller, bob: Caller) -> None:
        url = f"/articles/{ada.publish()['slug']}/comments"
        said = bob("POST", url, 201, {"comment": {"body": "Thank you *so* much!"}})
        assert set(said) == {"comment"}
        comment = said["comment"]
        assert set(comment) == MEMBERS
        assert type(comment["id"]) is int
        assert comment["body"] == "Thank you *so* much!"
        assert TIME.fullmatch(comment["createdAt"])
        assert TIME.fullmatch(comment["updatedAt"])
        author = {"username": "bob", "bio": None, "image": None, "following": False}
        assert comment["author"] == author
        assert bob("GET", url, 200) == {"comments": [comment]}

    @pytest.mark.parametrize("sent", [{"body": ""}, {"body": None}, {}])
    def test_without_a_text(self, ada: Caller, sent: Any) -> None:
        url = f"/articles/{ada.publish()['slug']}/comments"
        found = ada.errors("POST", url, 422, {"comment": sent})
        assert found == {"body": ["can't be blank"]}
        assert ada("GET", url, 200) == {"comments": []}

    def test_of_an_unknown_article(self, ada: Caller, anyone: Caller) -> None:
        given = {"comment": {"body": "Well said."}}
        url = "/articles/unknown/comments"
        assert anyone.errors("POST", url, 401, given) == SIGNED_OUT
        assert ada.errors("POST", url, 404, given) == NO_ARTICLE
        assert ada.errors("POST", url, 404, {}) == NO_ARTICLE

    def test_is_counted_by_the_post(self, ada: Caller, session: Session) -> None:
        ada.comment(ada.publish()["slug"])
        assert session.query(Post).one().comments_count == 1


class TestList:
    def test_without_any(self, ada: Caller, anyone: Caller) -> None:
        url = f"/articles/{ada.publish()['slug']}/comments"
        assert anyone("GET", url, 200) == {"comments": []}

    def test_is_of_one_article_the_newest_first(self, ada: Caller, bob: Caller) -> None:
        slug, other = ada.publish()["slug"], ada.publish()["slug"]
        ids = [ada.comment(slug, f"Number {number}")["id"] for number in range(3)]
        ada.comment(other)
        found = bob("GET", f"/articles/{slug}/comments", 200)["comments"]
        assert [each["id"] for each in found] == ids[::-1]

    def test_says_whom_the_caller_follows(self, ada: Caller, bob: Caller, anyone: Caller) -> None:
        slug = ada.publish()["slug"]
        ada.comment(slug)
        bob("POST", "/profiles/ada/follow", 200)
        for caller, follows in ((bob, True), (ada, False), (anyone, False)):
            found = caller("GET", f"/articles/{slug}/comments", 200)["comments"]
            assert found[0]["author"]["following"] is follows

    def test_of_an_unknown_article(self, anyone: Caller) -> None:
        assert anyone.errors("GET", "/articles/unknown/comments", 404) == NO_ARTICLE


class TestDelete:
    def test_is_empty_and_it_is_gone(self, ada: Caller) -> None:
        slug = ada.publish()["slug"]
        first, second = ada.comment(slug), ada.comment(slug)
        answer = ada.ask("DELETE", f"/articles/{slug}/comments/{first['id']}")
        assert (answer.status_code, answer.data) == (204, b"")
        found = ada("GET", f"/articles/{slug}/comments", 200)["comments"]
        assert [each["id"] for each in found] == [second["id"]]

    def test_by_another_even_the_articles_author(self, ada: Caller, bob: Caller) -> None:
        slug = ada.publish()["slug"]
        url = f"/articles/{slug}/comments/{bob.comment(slug)['id']}"
        assert ada.errors("DELETE", url, 403) == {"comment": ["forbidden"]}
        assert len(ada("GET", f"/articles/{slug}/comments", 200)["comments"]) == 1

    def test_of_what_is_unknown(self, ada: Caller, anyone: Caller) -> None:
        slug, other = ada.publish()["slug"], ada.publish()["slug"]
        id = ada.comment(slug)["id"]
        assert anyone.errors("DELETE", "/articles/unknown/comments/1", 401) == SIGNED_OUT
        assert ada.errors("DELETE", f"/articles/unknown/comments/{id}", 404) == NO_ARTICLE
        assert ada.errors("DELETE", f"/articles/{slug}/comments/99999", 404) == NO_COMMENT
        assert ada.errors("DELETE", f"/articles/{other}/comments/{id}", 404) == NO_COMMENT
        assert len(ada("GET", f"/articles/{slug}/comments", 200)["comments"]) == 1
