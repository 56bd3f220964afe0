"""The trash: what a deletion hides and takes along, and how it all comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from services import clock
from tests.answers import code, data, faults, ids, items
from tests.factories import make_post

SignIn = Callable[[User], FlaskClient]

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
TEXT = {"title": "New", "body": "New.", "status": "published"}


def delete(caller: FlaskClient, url: str) -> str | None:
    """Delete, and return the Link header."""
    answer = caller.delete(url)
    assert (answer.status_code, answer.data) == (204, b""), answer.text
    return answer.headers.get("Link")


class TestDelete:
    def test_hides_a_post_from_everyone_at_once(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        post, kept = make_post(session, ada, tags=["x"]), make_post(session, ada, tags=["x"])
        author = sign_in(ada)

        delete(author, f"{POSTS}/{post.id}")

        for caller in (client, author, sign_in(admin)):
            assert code(caller.get(f"{POSTS}/{post.id}")) == "not-found"
            assert code(caller.get(f"{POSTS}/{post.id}/can")) == "not-found"
            assert code(caller.get(f"{POSTS}/by-slug/{post.slug}")) == "not-found"
            for query in ("", "?status=any", "?tag=x", f"?ids={post.id},{kept.id}", "?page=1"):
                assert post.id not in ids(caller.get(POSTS + query)), query
            assert data(caller.get(f"{POSTS}?total=true"))["total"] == 1
            assert ids(caller.get(f"{USERS}/{ada.id}/posts")) == [kept.id]
            assert data(caller.get(f"{USERS}/{ada.id}"))["posts_count"] == 1
        for verb in ("PUT", "PATCH", "DELETE"):
            body = None if verb == "DELETE" else TEXT
            assert code(author.open(f"{POSTS}/{post.id}", method=verb, json=body)) == "not-found"

    def test_says_how_to_undo_it(self, sign_in: SignIn, session: Session, ada: User) -> None:
        post, author = make_post(session, ada), sign_in(ada)

        link = delete(author, f"{POSTS}/{post.id}")

        assert link == f'<{TRASH}/posts/{post.id}/restoration>; rel="undo"'
        assert data(author.post(link.split("<")[1].split(">")[0]))["id"] == post.id

    def test_of_a_user_hides_what_they_wrote(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        posts = [make_post(session, ada), make_post(session, ada, status="draft")]
        root = sign_in(admin)

        link = delete(root, f"{USERS}/{ada.id}")

        assert link == f'<{TRASH}/users/{ada.id}/restoration>; rel="undo"'
        for caller in (client, root):
            assert ids(caller.get(f"{POSTS}?status=any")) == []
            for url in (
                *(f"{POSTS}/{post.id}" for post in posts),
                f"{USERS}/{ada.id}",
                f"{USERS}/{ada.id}/posts",
                f"{USERS}/by-username/ada",
            ):
                assert code(caller.get(url)) == "not-found", url
            assert ada.id not in ids(caller.get(USERS))

    def test_of_oneself_cannot_be_undone_by_oneself(
        self, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        author = sign_in(ada)

        assert delete(author, f"{USERS}/me") is None

        session.refresh(ada)
        assert ada.deleted_at is not None


class TestList:
    def test_has_the_roots_of_deletions(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        alone, _child = make_post(session, ada, title="Alone"), make_post(session, ada)
        make_post(session, ada, status="draft")
        root = sign_in(admin)
        delete(root, f"{POSTS}/{alone.id}")
        delete(root, f"{USERS}/{ada.id}")

        listed = data(root.get(f"{TRASH}?total=true"))

        assert listed["total"] == 2
        newest, oldest = listed["items"]
        assert newest | {"deleted_at": None} == {
            "type": "users",
            "id": ada.id,
            "title": "ada",
            "deleted_at": None,
            "deleted_by": admin.id,
            "children_count": 2,
        }
        assert (oldest["type"], oldest["id"], oldest["title"]) == ("posts", alone.id, "Alone")
        assert oldest["children_count"] == 0
        assert oldest["deleted_at"].endswith("Z")
        assert data(root.get(f"{TRASH}/posts/{alone.id}")) == oldest

    def test_of_one_is_a_resource_like_others(
        self, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post, author = make_post(session, ada), sign_in(ada)
        delete(author, f"{POSTS}/{post.id}")
        url = f"{TRASH}/posts/{post.id}"

        answer = author.get(url)
        again = author.get(url, headers={"If-None-Match": answer.headers["ETag"]})

        assert answer.headers["ETag"].startswith('W/"')
        assert answer.headers["Last-Modified"].endswith(" GMT")
        assert (again.status_code, again.data) == (304, b"")
        assert data(author.get(f"{url}?fields=id,type")) == {"type": "posts", "id": post.id}
        assert faults(author.get(f"{url}?fields=body")) == {"fields": "unknown"}

    def test_by_type_order_and_page(self, sign_in: SignIn, session: Session, ada: User) -> None:
        author = sign_in(ada)
        posts = [make_post(session, ada).id for _ in range(3)]
        for id in posts:
            delete(author, f"{POSTS}/{id}")

        assert ids(author.get(TRASH)) == posts[::-1]
        assert ids(author.get(f"{TRASH}?sort=deleted_at&types=posts")) == posts
        assert ids(author.get(f"{TRASH}?types=users,posts")) == posts[::-1]
        assert ids(author.get(f"{TRASH}?types=users")) == []
        assert faults(author.get(f"{TRASH}?types=posts,cats")) == {"types": "choice"}
        cursor = data(author.get(f"{TRASH}?limit=2"))["next"]
        assert ids(author.get(f"{TRASH}?limit=2&cursor={cursor}")) == posts[:1]

    def test_by_nobody(self, client: FlaskClient) -> None:
        assert code(client.get(TRASH)) == "unauthenticated"
        assert code(client.get(f"{TRASH}/posts/1")) == "unauthenticated"


class TestRestore:
    def test_brings_a_post_back_as_it_was(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post, author = make_post(session, ada, tags=["x"]), sign_in(ada)
        before = data(author.get(f"{POSTS}/{post.id}"))
        delete(author, f"{POSTS}/{post.id}")

        answer = author.post(f"{TRASH}/posts/{post.id}/restoration")

        restored = data(answer)
        changed = {name for name in before if before[name] != restored[name]}
        assert changed == {"version"}
        assert restored["version"] == 3
        assert answer.headers["ETag"].startswith('"3-')
        assert ids(client.get(f"{POSTS}?tag=x")) == [post.id]
        assert items(author.get(TRASH)) == []
        again = author.post(f"{TRASH}/posts/{post.id}/restoration")
        assert code(again) == "not-found"

    def test_brings_back_exactly_what_the_deletion_took(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        before, taken = make_post(session, ada), make_post(session, ada)
        draft = make_post(session, ada, status="draft")
        root = sign_in(admin)
        delete(root, f"{POSTS}/{before.id}")
        delete(root, f"{USERS}/{ada.id}")

        restored = data(root.post(f"{TRASH}/users/{ada.id}/restoration"))

        assert restored["username"] == "ada"
        assert restored["posts_count"] == 1
        assert ids(client.get(POSTS)) == [taken.id]
        assert sorted(ids(root.get(f"{POSTS}?status=any"))) == sorted([taken.id, draft.id])
        assert ids(root.get(TRASH)) == [before.id]
        assert data(root.post(f"{TRASH}/posts/{before.id}/restoration"))

    def test_of_a_user_lets_them_sign_in_anew_only(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        old, root = sign_in(ada), sign_in(admin)
        delete(root, f"{USERS}/{ada.id}")
        data(root.post(f"{TRASH}/users/{ada.id}/restoration"))

        assert code(old.get(f"{USERS}/me")) == "unauthenticated"
        assert data(sign_in(ada).get(f"{USERS}/me"))["id"] == ada.id

    def test_where_the_slug_is_taken_by_now(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        post, author = make_post(session, ada, slug="mine"), sign_in(ada)
        delete(author, f"{POSTS}/{post.id}")
        other = data(author.post(POSTS, json={**TEXT, "slug": "mine"}), 201)
        url = f"{TRASH}/posts/{post.id}/restoration"

        refused = author.post(url)
        still = author.post(f"{url}?slug=mine")
        wrong = author.post(f"{url}?slug=No+Slug")
        restored = author.post(f"{url}?slug={refused.get_json()['suggestion']}")

        assert code(refused) == code(still) == "slug-taken"
        assert faults(refused) == {"slug": "taken"}
        assert faults(wrong) == {"slug": "format"}
        assert data(restored)["slug"] == refused.get_json()["suggestion"] == "mine-2"
        assert data(client.get(f"{POSTS}/by-slug/mine"))["id"] == other["id"]
        assert data(client.get(f"{POSTS}/by-slug/mine-2"))["id"] == post.id

    def test_of_a_user_whose_slugs_are_taken_by_now(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User, admin: User
    ) -> None:
        posts = [make_post(session, ada, slug=slug) for slug in ("mine", "x" * 200)]
        root = sign_in(admin)
        delete(root, f"{USERS}/{ada.id}")
        for slug in ("mine", f"mine-{posts[0].id}", "mine-2", "x" * 200):
            make_post(session, mallory, slug=slug)

        assert data(root.post(f"{TRASH}/users/{ada.id}/restoration"))["posts_count"] == 2

        slugs = [data(root.get(f"{POSTS}/{post.id}"))["slug"] for post in posts]
        assert slugs[0].startswith("mine-")
        assert all(len(slug) <= 200 for slug in slugs)

    def test_of_a_child_of_what_is_deleted(
        self, sign_in: SignIn, session: Session, ada: User, editor: User, admin: User
    ) -> None:
        alone, child = make_post(session, ada), make_post(session, ada)
        root = sign_in(admin)
        delete(sign_in(ada), f"{POSTS}/{alone.id}")
        delete(root, f"{USERS}/{ada.id}")

        for caller in (root, sign_in(editor)):
            for post in (alone, child):
                answer = caller.post(f"{TRASH}/posts/{post.id}/restoration")
                assert code(answer) == "parent-deleted"
        session.refresh(child)
        assert child.deleted_at is not None

    def test_of_what_is_not_in_the_trash(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        post, root = make_post(session, ada), sign_in(admin)

        for url in (
            *(f"{TRASH}/posts/{id}" for id in (post.id, 999_999, 2**53, "me", "01")),
            f"{TRASH}/users/{ada.id}",
            f"{TRASH}/cats/1",
        ):
            assert code(root.get(url)) == "not-found"
            assert code(root.delete(url)) == "not-found"
            assert code(root.post(f"{url}/restoration")) == "not-found"

    def test_of_a_scheduled_post_waits_for_its_time(
        self, client: FlaskClient, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        later = clock.now() + timedelta(hours=1)
        post, author = make_post(session, ada, published_at=later), sign_in(ada)
        delete(author, f"{POSTS}/{post.id}")

        data(author.post(f"{TRASH}/posts/{post.id}/restoration"))

        assert code(client.get(f"{POSTS}/{post.id}")) == "not-found"
