"""Posts over HTTP: made, read, replaced, changed, deleted, by whom and with what consequences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, PostTag, Revision, User
from tests.answers import code, data, faults
from tests.factories import make_post, make_user
from tests.logged import log_of

SignIn = Callable[[User], FlaskClient]

POSTS = "/api/v1/posts"
TEXT = {"title": "Hello, World", "body": "It is *so*."}
MEMBERS = {
    *("id", "title", "body", "slug", "excerpt", "status", "published_at", "tags", "html"),
    *("author", "cover_id", "cover_url", "comments_count", "likes_count", "liked", "snippet"),
    *("version", "created_at", "updated_at"),
}


class TestCreate:
    def test_by_an_author(self, sign_in: SignIn, ada: User, session: Session) -> None:
        answer = sign_in(ada).post(POSTS, json={**TEXT, "tags": ["Python", "web"]})

        made = data(answer, 201)
        assert set(made) == MEMBERS
        assert answer.headers["Location"] == f"{POSTS}/{made['id']}"
        assert made["status"] == "draft"
        assert made["published_at"] is None
        assert made["slug"] == "hello-world"
        assert made["html"] == "<p>It is <em>so</em>.</p>\n"
        assert made["excerpt"] == "It is so."
        assert made["tags"] == ["Python", "web"]
        assert made["liked"] is False
        assert made["version"] == 1
        assert made["created_at"] == made["updated_at"]
        assert made["author"] == {
            "id": ada.id,
            "username": "ada",
            "name": None,
            "avatar_url": None,
        }
        assert log_of(session, "posts", made["id"]) == [("create", 1, 0, 1)]
        assert session.scalar(sa.select(sa.func.count()).select_from(Revision)) == 1

    def test_published_at_once_gets_the_time(self, sign_in: SignIn, ada: User) -> None:
        made = data(sign_in(ada).post(POSTS, json={**TEXT, "status": "published"}), 201)

        assert made["published_at"] == made["created_at"]

    def test_the_same_tag_in_two_cases_is_one(self, sign_in: SignIn, ada: User) -> None:
        body = {**TEXT, "tags": ["Straße", "web", "STRASSE", " Web "]}

        assert data(sign_in(ada).post(POSTS, json=body), 201)["tags"] == ["Straße", "web"]

    def test_by_a_reader(self, sign_in: SignIn, bob: User, session: Session) -> None:
        answer = sign_in(bob).post(POSTS, json=TEXT)

        assert code(answer) == "forbidden"
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 0

    def test_by_nobody(self, client: FlaskClient, session: Session) -> None:
        answer = client.post(POSTS, json=TEXT)

        assert code(answer) == "unauthenticated"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 0

    def test_lists_every_fault(self, sign_in: SignIn, ada: User, session: Session) -> None:
        body = {
            "title": " ",
            "slug": "No Slug",
            "status": "gone",
            "published_at": "tomorrow",
            "tags": ["ok", "x" * 51],
            "id": 7,
            "author": {},
            "html": "",
            "colour": "red",
        }

        answer = sign_in(ada).post(POSTS, json=body)

        assert code(answer) == "validation"
        assert faults(answer) == {
            "title": "too_short",
            "body": "required",
            "slug": "format",
            "status": "choice",
            "published_at": "format",
            "tags.1": "too_long",
            "id": "read_only",
            "author": "read_only",
            "html": "read_only",
            "colour": "unknown",
        }
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 0

    def test_html_is_sanitised(self, sign_in: SignIn, ada: User) -> None:
        body = {**TEXT, "body": "<script>1</script>\n\n<b onclick=x()>b</b> [a](javascript:x)"}

        made = data(sign_in(ada).post(POSTS, json=body), 201)

        assert "script" not in made["html"]
        assert "onclick" not in made["html"]
        assert made["body"] == body["body"]


class TestReplace:
    def test_keeps_status_slug_and_time(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada, tags=["x"], excerpt="Mine.", has_own_excerpt=True)

        replaced = data(sign_in(ada).put(f"{POSTS}/{post.id}", json=TEXT))

        assert replaced["status"] == "published"
        assert replaced["slug"] == post.slug
        assert datetime.fromisoformat(replaced["published_at"]) == post.published_at
        assert replaced["tags"] == []
        assert replaced["excerpt"] == "It is so."
        assert replaced["version"] == 2
        assert session.scalar(sa.select(sa.func.count()).select_from(PostTag)) == 0

    def test_needs_every_required_field(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada)

        answer = sign_in(ada).put(f"{POSTS}/{post.id}", json={"title": "New"})

        assert faults(answer) == {"body": "required"}


class TestUpdate:
    def test_by_its_author(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada)

        changed = data(sign_in(ada).patch(f"{POSTS}/{post.id}", json={"title": "New"}))

        assert changed["title"] == "New"
        assert changed["body"] == post.body
        assert changed["version"] == 2
        assert changed["updated_at"] > changed["created_at"]
        assert log_of(session, "posts", post.id) == [("update", 2, 2, 2)]

    def test_by_an_editor(self, sign_in: SignIn, session: Session, ada: User, editor: User) -> None:
        post = make_post(session, ada, status="draft")

        changed = data(sign_in(editor).patch(f"{POSTS}/{post.id}", json={"title": "New"}))

        assert changed["author"]["id"] == ada.id

    def test_by_someone_else(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User
    ) -> None:
        post = make_post(session, ada)
        draft = make_post(session, ada, status="draft")
        caller = sign_in(mallory)

        assert code(caller.patch(f"{POSTS}/{post.id}", json={"title": "New"})) == "forbidden"
        assert code(caller.patch(f"{POSTS}/{draft.id}", json={"title": "New"})) == "not-found"
        assert code(caller.delete(f"{POSTS}/{post.id}")) == "forbidden"
        session.refresh(post)
        assert post.title == "About something"
        assert post.deleted_at is None

    def test_by_a_former_author(self, sign_in: SignIn, session: Session) -> None:
        eve = make_user(session, "eve", role="reader")
        post = make_post(session, eve)

        assert code(sign_in(eve).patch(f"{POSTS}/{post.id}", json={"title": "x"})) == "forbidden"

    def test_without_a_difference(self, sign_in: SignIn, session: Session, ada: User) -> None:
        author = sign_in(ada)
        made = data(author.post(POSTS, json={**TEXT, "tags": ["a", "B"]}), 201)
        same = {name: made[name] for name in ("title", "body", "slug", "tags", "status")}

        unchanged = [
            data(author.patch(f"{POSTS}/{made['id']}", json=body))
            for body in ({}, same, {"published_at": None}, {"excerpt": None})
        ]

        assert unchanged == [made] * 4
        assert log_of(session, "posts", made["id"]) == [("create", 1, 0, 1)]

    def test_null(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post = make_post(session, ada, body="Words.", tags=["x"], has_own_excerpt=True, excerpt="x")
        author = sign_in(ada)

        reset = data(author.patch(f"{POSTS}/{post.id}", json={"tags": None, "excerpt": None}))
        refused = author.patch(
            f"{POSTS}/{post.id}", json={"title": None, "body": None, "slug": None, "status": None}
        )

        assert reset["tags"] == []
        assert reset["excerpt"] == "Words."
        assert faults(refused) == dict.fromkeys(("title", "body", "slug", "status"), "null")

    def test_excerpt_follows_the_body_unless_given(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)
        url = f"{POSTS}/{data(author.post(POSTS, json=TEXT), 201)['id']}"

        followed = data(author.patch(url, json={"body": "Other."}))
        given = data(author.patch(url, json={"excerpt": "Mine."}))
        kept = data(author.patch(url, json={"body": "Third."}))
        reset = data(author.patch(url, json={"excerpt": ""}))

        excerpts = [each["excerpt"] for each in (followed, given, kept, reset)]
        assert excerpts == ["Other.", "Mine.", "Mine.", "Third."]

    def test_published_now_or_when_told(self, sign_in: SignIn, ada: User) -> None:
        author = sign_in(ada)
        url = f"{POSTS}/{data(author.post(POSTS, json=TEXT), 201)['id']}"
        then = datetime(2020, 2, 29, 12, 0, 0, 123_000, tzinfo=UTC)

        now = data(author.patch(url, json={"status": "published"}))
        told = data(author.patch(url, json={"published_at": "2020-02-29T13:00:00.1239+01:00"}))

        assert now["published_at"] == now["updated_at"]
        assert datetime.fromisoformat(told["published_at"]) == then
        assert told["published_at"] == "2020-02-29T12:00:00.123Z"

    def test_log_tells_who_could_see_it(self, sign_in: SignIn, ada: User, session: Session) -> None:
        author = sign_in(ada)
        id = data(author.post(POSTS, json=TEXT), 201)["id"]
        for status in ("published", "archived"):
            data(author.patch(f"{POSTS}/{id}", json={"status": status}))
        assert author.delete(f"{POSTS}/{id}").status_code == 204

        assert log_of(session, "posts", id) == [
            ("create", 1, 0, 1),
            ("update", 2, 1, 2),
            ("update", 3, 2, 1),
            ("delete", 4, 1, 0),
        ]
