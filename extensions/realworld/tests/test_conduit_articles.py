"""Articles: publish, read, change, delete, favorite."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from models import Comment, Post, User
from signpost.contract.factories import make_post

if TYPE_CHECKING:
    from tests.conduit import Caller

GIVEN = {"title": "How to train", "description": "What", "body": "It is *so*."}
BLANK = ["can't be blank"]
MISSING = {"article": ["not found"]}
FORBIDDEN = {"article": ["forbidden"]}
MEMBERS = {
    *("slug", "title", "description", "body", "tagList", "createdAt", "updatedAt"),
    *("favorited", "favoritesCount", "author"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class TestPublish:
    def test_answers_the_article(self, ada: Caller) -> None:
        # when
        said = ada("POST", "/articles", 201, {"article": GIVEN | {"tagList": ["b_1", "A2"]}})
        # then
        assert set(said) == {"article"}
        article = said["article"]
        assert set(article) == MEMBERS
        assert {name: article[name] for name in GIVEN} == GIVEN
        assert article["favorited"] is False
        assert article["favoritesCount"] == 0
        author = {"username": "ada", "bio": None, "image": None, "following": False}
        assert article["author"] == author
        assert ada("GET", f"/articles/{article['slug']}", 200) == said

    def test_says_where_it_is(self, ada: Caller) -> None:
        made = ada.ask("POST", "/articles", json={"article": GIVEN})
        assert made.headers["Location"] == "/api/realworld/articles/how-to-train"
        ada("GET", "/articles/how-to-train", 200)

    def test_times_have_milliseconds_and_z(self, ada: Caller) -> None:
        article = ada.publish()
        assert TIME.fullmatch(article["createdAt"])
        assert TIME.fullmatch(article["updatedAt"])

    def test_a_time_without_a_fraction_has_one_too(self, ada: Caller, session: Session) -> None:
        slug = ada.publish()["slug"]
        post = session.query(Post).one()
        post.created_at = post.created_at.replace(microsecond=0)
        session.commit()
        found = ada("GET", f"/articles/{slug}", 200)["article"]
        assert found["createdAt"].endswith(".000Z")

    def test_without_a_token(self, anyone: Caller) -> None:
        assert anyone.errors("POST", "/articles", 401, {"article": GIVEN}) == {
            "token": ["is missing"]
        }

    @pytest.mark.parametrize("field", ["title", "description", "body"])
    @pytest.mark.parametrize("blank", ["", None])
    def test_with_a_blank_field(
        self, ada: Caller, field: str, blank: Any, session: Session
    ) -> None:
        found = ada.errors("POST", "/articles", 422, {"article": GIVEN | {field: blank}})
        assert found == {field: BLANK}
        assert session.query(Post).count() == 0

    @pytest.mark.parametrize("body", [{}, {"article": {}}, {"article": []}])
    def test_without_anything_names_all_that_is_missing(self, ada: Caller, body: Any) -> None:
        found = ada.errors("POST", "/articles", 422, body)
        assert found == {"title": BLANK, "description": BLANK, "body": BLANK}

    def test_of_one_title_have_different_slugs(self, ada: Caller) -> None:
        slugs = {ada.publish("Same title")["slug"] for _ in range(3)}
        assert len(slugs) == 3
        assert all(re.fullmatch("[a-z0-9-]+", slug) for slug in slugs)

    @pytest.mark.parametrize("title", ["feed", "Feed", " FEED! "])
    def test_none_is_called_feed(self, ada: Caller, title: str) -> None:
        slug = ada.publish(title)["slug"]
        assert slug != "feed"
        ada("GET", f"/articles/{slug}", 200)

    def test_ignores_what_it_does_not_know(self, ada: Caller) -> None:
        article = ada.publish(slug="mine", favoritesCount=7, status="draft", author="bob")
        assert article["slug"] == "how-to-train"
        assert article["favoritesCount"] == 0

    def test_by_a_reader_of_the_core_is_forbidden(self, ada: Caller, session: Session) -> None:
        session.query(User).one().role = "reader"
        session.commit()
        login = {"user": {"email": "ada@test.com", "password": "password"}}
        token = ada("POST", "/users/login", 200, login)["user"]["token"]
        reader = replace(ada, token=token)
        for body in ({"article": GIVEN}, {}):
            assert reader.errors("POST", "/articles", 403, body) == FORBIDDEN


class TestTags:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (["training", "dragons"], ["dragons", "training"]),
            (["b", "a", "c"], ["a", "b", "c"]),
            (["d_1795158249xyz"], ["d_1795158249xyz"]),
            (["CamelCase_1", "Ünïcode"], ["CamelCase_1", "Ünïcode"]),
            ([], []),
        ],
    )
    def test_are_sorted_and_verbatim(self, ada: Caller, given: list[str], kept: list[str]) -> None:
        article = ada.publish(tagList=given)
        assert article["tagList"] == kept
        assert ada("GET", f"/articles/{article['slug']}", 200)["article"]["tagList"] == kept
        assert ada("GET", "/articles", 200)["articles"][0]["tagList"] == kept

    def test_unless_given_there_are_none(self, ada: Caller) -> None:
        assert ada.publish()["tagList"] == []

    @pytest.mark.parametrize("given", [None, "x", [1], [""], [None], {"a": 1}])
    def test_of_another_kind_are_refused(self, ada: Caller, given: Any) -> None:
        found = ada.errors("POST", "/articles", 422, {"article": GIVEN | {"tagList": given}})
        assert set(found) == {"tagList"}

    def test_are_kept_unless_given(self, ada: Caller) -> None:
        slug = ada.publish(tagList=["b", "a"])["slug"]
        assert ada.revise(slug, body="New.")["tagList"] == ["a", "b"]

    def test_are_replaced(self, ada: Caller) -> None:
        slug = ada.publish(tagList=["b", "a"])["slug"]
        assert ada.revise(slug, tagList=["z", "y"])["tagList"] == ["y", "z"]

    def test_are_removed_by_none(self, ada: Caller) -> None:
        slug = ada.publish(tagList=["b", "a"])["slug"]
        assert ada.revise(slug, tagList=[])["tagList"] == []
        assert ada("GET", f"/articles/{slug}", 200)["article"]["tagList"] == []
        assert ada("GET", "/tags", 200) == {"tags": []}

    def test_are_not_removed_by_null(self, ada: Caller) -> None:
        slug = ada.publish(tagList=["a"])["slug"]
        assert set(ada.revise(slug, 422, tagList=None)) == {"tagList"}
        assert ada("GET", f"/articles/{slug}", 200)["article"]["tagList"] == ["a"]


class TestGet:
    def test_by_anyone(self, ada: Caller, anyone: Caller) -> None:
        article = ada.publish()
        assert anyone("GET", f"/articles/{article['slug']}", 200)["article"] == article

    @pytest.mark.parametrize("slug", ["unknown", "a b", "%00", "x" * 300])
    def test_of_an_unknown_slug(self, anyone: Caller, slug: str) -> None:
        assert anyone("GET", f"/articles/{slug}", 404)["errors"]

    def test_unknown_is_said_of_an_article(self, anyone: Caller) -> None:
        assert anyone.errors("GET", "/articles/unknown", 404) == MISSING

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_only_what_is_published_is_an_article(
        self, ada: Caller, session: Session, status: str
    ) -> None:
        make_post(session, session.query(User).one(), slug="hidden", status=status)
        assert ada.errors("GET", "/articles/hidden", 404) == MISSING
        assert ada.slugs() == []
        assert ada.slugs("?author=ada") == []

    def test_a_post_of_the_core_is_an_article(self, ada: Caller, session: Session) -> None:
        make_post(session, session.query(User).one(), slug="older", excerpt="In short.")
        found = ada("GET", "/articles/older", 200)["article"]
        assert found["description"] == "In short."

    def test_an_article_is_a_post_of_the_core(self, ada: Caller) -> None:
        ada.publish(tagList=["b", "a"])
        post = ada.client.get("/api/v1/posts").get_json()["items"][0]
        assert post["status"] == "published"
        assert (post["title"], post["excerpt"]) == ("How to train", "What it is about")
        assert post["html"] == "<p>It is <em>so</em>.</p>\n"
        assert post["tags"] == ["b", "a"]

    def test_is_answered_with_304_to_who_has_it(self, ada: Caller) -> None:
        slug = ada.publish()["slug"]
        tag = ada.ask("GET", f"/articles/{slug}").headers["ETag"]
        again = ada.ask("GET", f"/articles/{slug}", headers={"If-None-Match": tag})
        assert again.status_code == 304


class TestRevise:
    @pytest.mark.parametrize("field", ["description", "body"])
    def test_changes_what_is_given_only(self, ada: Caller, field: str) -> None:
        before = ada.publish(tagList=["a"])
        after = ada.revise(before["slug"], 200, **{field: "New."})
        assert after.pop("updatedAt") != before["updatedAt"]
        assert after == {**{k: v for k, v in before.items() if k != "updatedAt"}, field: "New."}
        assert after["createdAt"] == before["createdAt"]

    def test_a_new_title_makes_a_new_slug(self, ada: Caller) -> None:
        before = ada.publish("Old title")
        after = ada.revise(before["slug"], title="New title")
        assert after["title"] == "New title"
        assert after["slug"] == "new-title"
        ada("GET", "/articles/new-title", 200)

    def test_a_former_slug_is_not_there_and_leads_nowhere(self, ada: Caller) -> None:
        slug = ada.publish("Old title")["slug"]
        ada.revise(slug, title="New title")
        assert ada.errors("GET", f"/articles/{slug}", 404) == MISSING

    def test_the_same_title_keeps_the_slug(self, ada: Caller) -> None:
        first, second = ada.publish("Same"), ada.publish("Same")
        ada("DELETE", f"/articles/{first['slug']}", 204)
        assert ada.revise(second["slug"], title="Same", body="New.")["slug"] == second["slug"]

    def test_a_title_that_another_has_is_fine(self, ada: Caller) -> None:
        first, second = ada.publish("First"), ada.publish("Second")
        assert ada.revise(second["slug"], title="First")["slug"] not in {first["slug"], "second"}

    @pytest.mark.parametrize("field", ["title", "description", "body"])
    def test_with_a_blank_field(self, ada: Caller, field: str) -> None:
        before = ada.publish()
        assert ada.revise(before["slug"], 422, **{field: ""}) == {field: BLANK}
        assert ada("GET", f"/articles/{before['slug']}", 200)["article"] == before

    def test_by_another(self, ada: Caller, bob: Caller) -> None:
        before = ada.publish()
        assert bob.revise(before["slug"], 403, body="Mine.") == FORBIDDEN
        assert ada("GET", f"/articles/{before['slug']}", 200)["article"] == before

    def test_of_an_unknown_slug(self, ada: Caller) -> None:
        assert ada.revise("unknown", 404, body="Mine.") == MISSING

    def test_is_asked_in_order_who_where_whose_what(
        self, ada: Caller, bob: Caller, anyone: Caller
    ) -> None:
        slug, wrong = ada.publish()["slug"], {"article": {"title": ""}}
        anyone.errors("PUT", "/articles/unknown", 401, wrong)
        bob.errors("PUT", "/articles/unknown", 404, wrong)
        bob.errors("PUT", f"/articles/{slug}", 403, wrong)
        ada.errors("PUT", f"/articles/{slug}", 422, wrong)

    def test_is_in_the_history_of_the_post(self, ada: Caller, session: Session) -> None:
        slug = ada.publish()["slug"]
        ada.revise(slug, body="New.")
        post = session.query(Post).one()
        assert (post.version, post.html) == (2, "<p>New.</p>\n")


class TestDelete:
    def test_is_empty_and_it_is_gone(self, ada: Caller) -> None:
        slug = ada.publish()["slug"]
        answer = ada.ask("DELETE", f"/articles/{slug}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert ada.errors("GET", f"/articles/{slug}", 404) == MISSING
        assert ada.errors("DELETE", f"/articles/{slug}", 404) == MISSING
        assert ada.slugs() == []

    def test_takes_comments_and_favorites_along(self, ada: Caller, bob: Caller) -> None:
        slug = ada.publish(tagList=["a"])["slug"]
        bob.comment(slug)
        bob("POST", f"/articles/{slug}/favorite", 200)
        ada("DELETE", f"/articles/{slug}", 204)
        assert ada.errors("GET", f"/articles/{slug}/comments", 404) == MISSING
        assert bob.slugs("?favorited=bob") == []
        assert bob("GET", "/tags", 200) == {"tags": []}

    def test_puts_it_into_the_trash_of_its_author(self, ada: Caller, session: Session) -> None:
        slug = ada.publish("To be missed")["slug"]
        ada.comment(slug)
        ada("DELETE", f"/articles/{slug}", 204)
        headers = {"Authorization": f"Bearer {ada.token}"}
        trash = ada.client.get("/api/v1/trash", headers=headers).get_json()["items"]
        assert [(each["type"], each["title"]) for each in trash] == [("posts", "To be missed")]
        assert session.query(Comment).one().deleted_at is not None
        url = f"/api/v1/trash/posts/{trash[0]['id']}/restoration"
        assert ada.client.post(url, headers=headers).status_code == 200
        assert len(ada("GET", f"/articles/{slug}/comments", 200)["comments"]) == 1

    def test_by_another(self, ada: Caller, bob: Caller) -> None:
        slug = ada.publish()["slug"]
        assert bob.errors("DELETE", f"/articles/{slug}", 403) == FORBIDDEN
        ada("GET", f"/articles/{slug}", 200)

    def test_without_a_token_comes_before_all_else(self, anyone: Caller) -> None:
        found = anyone.errors("DELETE", "/articles/unknown", 401)
        assert found == {"token": ["is missing"]}

    def test_of_an_unknown_slug(self, ada: Caller) -> None:
        assert ada.errors("DELETE", "/articles/unknown", 404) == MISSING


class TestFavorite:
    def test_counts_users_once(self, ada: Caller, bob: Caller, anyone: Caller) -> None:
        url = f"/articles/{ada.publish()['slug']}"
        for caller, count in ((bob, 1), (bob, 1), (ada, 2)):
            said = caller("POST", f"{url}/favorite", 200)
            assert set(said["article"]) == MEMBERS
            assert said["article"]["favorited"] is True
            assert said["article"]["favoritesCount"] == count
        seen = anyone("GET", url, 200)["article"]
        assert (seen["favorited"], seen["favoritesCount"]) == (False, 2)

    def test_can_be_taken_back_more_than_once(self, ada: Caller, bob: Caller) -> None:
        url = f"/articles/{ada.publish()['slug']}/favorite"
        bob("POST", url, 200)
        for _ in range(2):
            article = bob("DELETE", url, 200)["article"]
            assert (article["favorited"], article["favoritesCount"]) == (False, 0)
            assert "body" in article

    def test_is_a_like_of_the_post(self, ada: Caller, bob: Caller) -> None:
        slug = ada.publish()["slug"]
        bob("POST", f"/articles/{slug}/favorite", 200)
        post = ada.client.get("/api/v1/posts").get_json()["items"][0]
        assert post["likes_count"] == 1
        headers = {"Authorization": f"Bearer {bob.token}"}
        own = ada.client.get(f"/api/v1/posts/{post['id']}", headers=headers).get_json()
        assert own["liked"] is True
        likes = ada.client.get(f"/api/v1/posts/{post['id']}/likes", headers=headers)
        users = likes.get_json().get("items", likes.text)
        assert [each["username"] for each in users] == ["bob"]

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_is_for_who_is_signed_in(self, anyone: Caller, method: str) -> None:
        found = anyone.errors(method, "/articles/unknown/favorite", 401)
        assert found == {"token": ["is missing"]}

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_of_an_unknown_slug(self, ada: Caller, method: str) -> None:
        assert ada.errors(method, "/articles/unknown/favorite", 404) == MISSING
