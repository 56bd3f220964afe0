"""Comments that are deleted: what stays, what goes with what, what comes back with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Comment, Deletion, Post, Revision, User
from tests.answers import code, data, ids, items
from tests.factories import make_comment

API = "/api/v1"


class Scene:
    """ada's post, on which bob and mallory comment; what is asked is asked over HTTP."""

    def __init__(self, session: Session, sign_in: Callable[[User], FlaskClient]) -> None:
        self.session, self._sign_in = session, sign_in
        self._callers: dict[int, FlaskClient] = {}

    def by(self, user: User) -> FlaskClient:
        """Return a user as a caller."""
        if user.id not in self._callers:
            self._callers[user.id] = self._sign_in(user)
        return self._callers[user.id]

    def delete(self, user: User, path: str) -> None:
        """Delete something."""
        answer = self.by(user).delete(f"{API}/{path}")
        assert answer.status_code == 204, answer.text

    def restore(self, user: User, path: str) -> Any:
        """Bring something back."""
        return self.by(user).post(f"{API}/trash/{path}/restoration")

    def comments(self, post: Post, user: User) -> list[int]:
        """Return the comments that a user sees on a post, and that its count agrees."""
        caller = self.by(user)
        page = data(caller.get(f"{API}/posts/{post.id}/comments?total=true"))
        count = data(caller.get(f"{API}/posts/{post.id}"))["comments_count"]
        assert count == page["total"]
        return [each["id"] for each in page["items"]]


@pytest.fixture
def scene(session: Session, sign_in: Callable[[User], FlaskClient]) -> Scene:
    return Scene(session, sign_in)


@pytest.fixture
def first(session: Session, post: Post, bob: User) -> Comment:
    """A comment by bob."""
    return make_comment(session, post, bob)


@pytest.fixture
def reply(session: Session, post: Post, mallory: User, first: Comment) -> Comment:
    """An answer to it, by mallory."""
    return make_comment(session, post, mallory, parent_id=first.id)


class TestDelete:
    def test_leaves_the_answers(
        self, scene: Scene, post: Post, bob: User, first: Comment, reply: Comment
    ) -> None:
        answer = scene.by(bob).delete(f"{API}/comments/{first.id}")

        assert answer.status_code == 204
        undo = f"{API}/trash/comments/{first.id}/restoration"
        assert answer.headers["Link"] == f'<{undo}>; rel="undo"'
        assert scene.comments(post, bob) == [reply.id]
        shown = data(scene.by(bob).get(f"{API}/comments/{reply.id}"))
        assert shown["parent_id"] == first.id
        children = scene.by(bob).get(f"{API}/posts/{post.id}/comments?parent_id={first.id}")
        assert ids(children) == [reply.id]
        assert code(scene.by(bob).get(f"{API}/comments/{first.id}")) == "not-found"

    def test_is_listed_in_the_trash_of_those_who_may_restore_it(
        self, scene: Scene, ada: User, bob: User, editor: User, first: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")

        for user in (bob, editor):
            [root] = items(scene.by(user).get(f"{API}/trash?types=comments"))
            assert (root["type"], root["id"], root["title"]) == ("comments", first.id, "Well said.")
            assert (root["deleted_by"], root["children_count"]) == (bob.id, 0)
        assert items(scene.by(ada).get(f"{API}/trash")) == []
        assert code(scene.restore(ada, f"comments/{first.id}")) == "not-found"

    def test_of_the_post_takes_all_comments_along(
        self, scene: Scene, post: Post, ada: User, bob: User, first: Comment, reply: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")
        scene.delete(ada, f"posts/{post.id}")

        assert code(scene.by(bob).get(f"{API}/comments/{reply.id}")) == "not-found"
        assert code(scene.by(bob).get(f"{API}/posts/{post.id}/comments")) == "not-found"
        assert code(scene.restore(bob, f"comments/{first.id}")) == "parent-deleted"
        [root] = items(scene.by(ada).get(f"{API}/trash"))
        assert (root["type"], root["children_count"]) == ("posts", 1)


class TestRestore:
    def test_brings_it_back_to_its_place(
        self, scene: Scene, post: Post, bob: User, first: Comment, reply: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")

        back = data(scene.restore(bob, f"comments/{first.id}"))

        assert (back["id"], back["version"], back["body"]) == (first.id, 3, "Well said.")
        assert scene.comments(post, bob) == [first.id, reply.id]
        assert scene.session.scalars(sa.select(Deletion)).all() == []

    def test_of_the_post_brings_back_what_went_with_it_alone(
        self, scene: Scene, post: Post, ada: User, bob: User, first: Comment, reply: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")
        scene.delete(ada, f"posts/{post.id}")

        data(scene.restore(ada, f"posts/{post.id}"))

        assert scene.comments(post, ada) == [reply.id]
        data(scene.restore(bob, f"comments/{first.id}"))
        assert scene.comments(post, ada) == [first.id, reply.id]

    def test_while_its_author_is_in_the_trash(
        self, scene: Scene, post: Post, bob: User, admin: User, first: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")
        scene.delete(admin, f"users/{bob.id}")

        assert code(scene.restore(admin, f"comments/{first.id}")) == "parent-deleted"
        assert scene.comments(post, admin) == []

    def test_of_a_post_whose_commenter_has_gone_meanwhile(
        self, scene: Scene, post: Post, ada: User, bob: User, admin: User, first: Comment
    ) -> None:
        scene.delete(ada, f"posts/{post.id}")
        scene.delete(admin, f"users/{bob.id}")

        data(scene.restore(ada, f"posts/{post.id}"))

        assert scene.comments(post, ada) == []
        data(scene.restore(admin, f"users/{bob.id}"))
        assert scene.comments(post, ada) == [first.id]

    def test_of_a_user_whose_comments_post_has_gone_meanwhile(
        self, scene: Scene, post: Post, ada: User, bob: User, admin: User, first: Comment
    ) -> None:
        scene.delete(admin, f"users/{bob.id}")
        scene.delete(ada, f"posts/{post.id}")

        data(scene.restore(admin, f"users/{bob.id}"))

        assert code(scene.by(admin).get(f"{API}/comments/{first.id}")) == "not-found"
        [root] = items(scene.by(admin).get(f"{API}/trash"))
        assert (root["type"], root["children_count"]) == ("posts", 1)
        data(scene.restore(ada, f"posts/{post.id}"))
        assert scene.comments(post, ada) == [first.id]

    def test_of_a_user_brings_back_own_posts_and_what_others_said(
        self, scene: Scene, post: Post, ada: User, bob: User, admin: User, first: Comment
    ) -> None:
        own = make_comment(scene.session, post, ada)
        scene.delete(admin, f"users/{ada.id}")
        taken = sa.select(Change.type, Change.id, Change.op).where(Change.group_id.is_not(None))
        assert sorted(map(tuple, scene.session.execute(taken))) == [
            ("comments", first.id, "delete"),
            ("comments", own.id, "delete"),
            ("posts", post.id, "delete"),
            ("users", ada.id, "delete"),
        ]

        data(scene.restore(admin, f"users/{ada.id}"))

        assert scene.comments(post, bob) == [first.id, own.id]


class TestPurge:
    def test_leaves_the_answers_to_the_post(
        self, scene: Scene, post: Post, bob: User, first: Comment, reply: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")
        scene.delete(bob, f"trash/comments/{first.id}")

        assert scene.comments(post, bob) == [reply.id]
        assert data(scene.by(bob).get(f"{API}/comments/{reply.id}"))["parent_id"] is None
        assert code(scene.restore(bob, f"comments/{first.id}")) == "not-found"
        of_it = (Revision.type == "comments", Revision.id == first.id)
        assert scene.session.scalars(sa.select(Revision).where(*of_it)).all() == []

    def test_of_another_ones_is_for_admins(
        self, scene: Scene, editor: User, admin: User, first: Comment
    ) -> None:
        scene.delete(editor, f"comments/{first.id}")

        refused = scene.by(editor).delete(f"{API}/trash/comments/{first.id}")

        assert code(refused) == "forbidden"
        scene.delete(admin, f"trash/comments/{first.id}")

    def test_of_a_post_takes_its_comments_for_good(
        self, scene: Scene, post: Post, ada: User, bob: User, first: Comment, reply: Comment
    ) -> None:
        scene.delete(bob, f"comments/{first.id}")
        scene.delete(ada, f"posts/{post.id}")
        scene.delete(ada, f"trash/posts/{post.id}")

        assert scene.session.scalars(sa.select(Comment)).all() == []
        assert scene.session.scalars(sa.select(Deletion)).all() == []

    def test_of_a_user_takes_their_comments_and_leaves_the_answers(
        self,
        scene: Scene,
        post: Post,
        ada: User,
        bob: User,
        admin: User,
        first: Comment,
        reply: Comment,
    ) -> None:
        scene.delete(admin, f"users/{bob.id}")
        scene.delete(admin, f"trash/users/{bob.id}")

        assert scene.comments(post, ada) == [reply.id]
        assert data(scene.by(ada).get(f"{API}/comments/{reply.id}"))["parent_id"] is None


class TestSuspension:
    @pytest.mark.parametrize("staff_sees", [True, False])
    def test_hides_and_does_not_count_what_was_said(
        self,
        scene: Scene,
        post: Post,
        ada: User,
        bob: User,
        admin: User,
        editor: User,
        first: Comment,
        reply: Comment,
        staff_sees: bool,
    ) -> None:
        def set_status(status: str) -> None:
            data(scene.by(admin).patch(f"{API}/users/{bob.id}", json={"status": status}))

        set_status("suspended")
        shown = ids(scene.by(editor if staff_sees else ada).get(f"{API}/posts/{post.id}/comments"))
        assert shown == ([first.id, reply.id] if staff_sees else [reply.id])
        assert data(scene.by(ada).get(f"{API}/posts/{post.id}"))["comments_count"] == 1

        set_status("active")
        assert scene.comments(post, ada) == [first.id, reply.id]
