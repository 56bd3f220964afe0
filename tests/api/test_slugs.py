"""Slugs: made from titles, given, changed, found again, and free as soon as a post is deleted."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from tests.answers import code, data, faults
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"
BY_SLUG = f"{POSTS}/by-slug"
TEXT = {"title": "Hello, World", "body": "x", "status": "published"}


class TestCreate:
    def test_of_one_title_get_numbers(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)

        made = [data(author.post(POSTS, json=TEXT), 201)["slug"] for _ in range(3)]

        assert made == ["hello-world", "hello-world-2", "hello-world-3"]

    def test_of_titles_that_cannot_be_spelled(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)

        made = [data(author.post(POSTS, json={**TEXT, "title": "🙂"}), 201) for _ in range(2)]

        assert [each["slug"] for each in made] == ["post", "post-2"]

    def test_of_a_long_title_fits(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)

        made = [data(author.post(POSTS, json={**TEXT, "title": "x" * 200}), 201) for _ in range(2)]

        assert len({each["slug"] for each in made}) == 2
        assert all(len(each["slug"]) <= 200 for each in made)

    def test_with_a_taken_one(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User
    ) -> None:
        make_post(session, ada, slug="mine", status="draft")

        answer = sign_in(mallory).post(POSTS, json={**TEXT, "slug": "mine"})

        assert answer.status_code == 409
        assert code(answer) == "slug-taken"
        assert faults(answer) == {"slug": "taken"}
        assert answer.get_json()["suggestion"] == "mine-2"

    def test_with_the_longest_taken_one(self, sign_in: SignIn, session: Session, ada: User) -> None:
        make_post(session, ada, slug="x" * 200)
        author = sign_in(ada)

        suggestion = author.post(POSTS, json={**TEXT, "slug": "x" * 200}).get_json()["suggestion"]

        assert data(author.post(POSTS, json={**TEXT, "slug": suggestion}), 201)

    def test_with_one_of_a_deleted_post(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada, slug="mine")
        author = sign_in(ada)
        assert author.delete(f"{POSTS}/{post.id}").status_code == 204

        assert data(author.post(POSTS, json={**TEXT, "slug": "mine"}), 201)["slug"] == "mine"


class TestUpdate:
    def test_to_a_taken_one(self, sign_in: SignIn, session: Session, ada: User) -> None:
        make_post(session, ada, slug="taken")
        post = make_post(session, ada)

        answer = sign_in(ada).patch(f"{POSTS}/{post.id}", json={"slug": "taken", "title": "New"})

        assert code(answer) == "slug-taken"
        session.refresh(post)
        assert (post.title, post.version) == ("About something", 1)

    def test_of_the_title_keeps_it(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada)

        changed = data(sign_in(ada).patch(f"{POSTS}/{post.id}", json={"title": "Other"}))

        assert changed["slug"] == post.slug


class TestGet:
    def test_by_slug(self, client: FlaskClient, session: Session, ada: User) -> None:
        post = make_post(session, ada)

        answer = client.get(f"{BY_SLUG}/{post.slug}")

        assert data(answer) == data(client.get(f"{POSTS}/{post.id}"))
        assert answer.headers["ETag"] == client.get(f"{POSTS}/{post.id}").headers["ETag"]

    def test_by_a_former_one(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada, slug="first")
        author = sign_in(ada)
        for slug in ("second", "third"):
            data(author.patch(f"{POSTS}/{post.id}", json={"slug": slug}))

        for former in ("first", "second"):
            answer = client.get(f"{BY_SLUG}/{former}")
            assert answer.status_code == 301
            assert answer.headers["Location"] == f"{BY_SLUG}/third"
            assert answer.headers["Cache-Control"] == "no-cache"
            assert "Authorization" in answer.headers["Vary"]
        assert client.head(f"{BY_SLUG}/first").status_code == 301
        trimmed = client.get(f"{BY_SLUG}/first?fields=id")
        assert trimmed.headers["Location"] == f"{BY_SLUG}/third?fields=id"

    def test_a_former_one_refuses_a_wrong_mask_too(
        self, client: FlaskClient, sign_in: SignIn, ada: User
    ) -> None:
        author = sign_in(ada)
        made = data(author.post(POSTS, json={**TEXT, "slug": "first"}), 201)
        data(author.patch(f"{POSTS}/{made['id']}", json={"slug": "second"}))

        answer = client.get(f"{BY_SLUG}/first?fields=colour")

        assert answer.status_code == 400
        assert faults(answer) == {"fields": "unknown"}

    def test_by_a_former_one_that_was_taken_back(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada, slug="first")
        author = sign_in(ada)
        for slug in ("second", "first", "third", "first"):
            data(author.patch(f"{POSTS}/{post.id}", json={"slug": slug}))

        assert data(client.get(f"{BY_SLUG}/first"))["id"] == post.id
        assert client.get(f"{BY_SLUG}/second").headers["Location"] == f"{BY_SLUG}/first"

    def test_by_a_former_one_that_another_post_has_now(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        old, author = make_post(session, ada, slug="first"), sign_in(ada)
        data(author.patch(f"{POSTS}/{old.id}", json={"slug": "second"}))

        new = data(author.post(POSTS, json={**TEXT, "slug": "first"}), 201)

        assert data(client.get(f"{BY_SLUG}/first"))["id"] == new["id"]

    def test_by_a_former_one_of_a_hidden_post(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post = make_post(session, ada, slug="first", status="draft")
        author = sign_in(ada)
        data(author.patch(f"{POSTS}/{post.id}", json={"slug": "second"}))

        assert code(client.get(f"{BY_SLUG}/first")) == "not-found"
        assert author.get(f"{BY_SLUG}/first").status_code == 301
        assert author.delete(f"{POSTS}/{post.id}").status_code == 204
        assert code(author.get(f"{BY_SLUG}/first")) == "not-found"

    def test_by_what_is_no_slug(self, client: FlaskClient) -> None:
        for text in ("nobody", "%00", "a%00b", "%ff", "%F0%9F%98%80", "x" * 3000, "A", "'"):
            assert code(client.get(f"{BY_SLUG}/{text}")) == "not-found", text
