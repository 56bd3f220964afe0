"""What a post counts: living rows of users who are living and active, whatever happens to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Post, User
from services import counts
from services.comments import CommentService
from services.likes import LikeService
from services.posts import PostService
from services.transaction import transact
from services.trash import TrashService
from services.users import UserService
from tests.factories import actor_of, make_comment, make_post

#: Does something, as the admin, in a transaction of its own.
Do = Callable[[Callable[[Session], object]], None]


@pytest.fixture
def post(session: Session, ada: User, bob: User, mallory: User) -> Post:
    """A post by ada: bob and mallory like it and have said something, bob twice."""
    post = make_post(session, ada)
    for author in (bob, mallory, bob):
        make_comment(session, post, author)
    for user in (bob, mallory):
        transact(session, partial(LikeService(session, actor_of(user)).relate, post.id))
    return post


@pytest.fixture
def do(session: Session) -> Do:
    def do(work: Callable[[Session], object]) -> None:
        transact(session, lambda: work(session))
        session.expunge_all()

    return do


def kept(session: Session, post: Post) -> tuple[int, int]:
    """Return how many comments and likes a post counts."""
    columns = sa.select(Post.comments_count, Post.likes_count).where(Post.id == post.id)
    found = session.execute(columns).one()
    session.rollback()
    return found[0], found[1]


def test_are_what_there_is(session: Session, post: Post) -> None:
    assert kept(session, post) == (3, 2)


def test_follow_a_suspension(session: Session, post: Post, bob: User, admin: User, do: Do) -> None:
    actor = actor_of(admin)
    for status, counted in (("suspended", (1, 1)), ("active", (3, 2))):
        changes = {"status": status}
        do(partial(lambda to, s: UserService(s, actor).patch(bob.id, to, None), changes))
        assert kept(session, post) == counted


def test_follow_a_user_to_the_trash_and_back(
    session: Session, post: Post, bob: User, admin: User, do: Do
) -> None:
    actor = actor_of(admin)
    do(lambda s: UserService(s, actor).delete(bob.id))
    assert kept(session, post) == (1, 1)
    do(lambda s: TrashService(s, actor).restore("users", bob.id))
    assert kept(session, post) == (3, 2)
    do(lambda s: UserService(s, actor).delete(bob.id))
    do(lambda s: TrashService(s, actor).purge("users", bob.id))
    assert kept(session, post) == (1, 1)


@pytest.mark.parametrize("change", ["suspended", "deleted"])
def test_know_what_happened_while_the_post_was_in_the_trash(
    session: Session, post: Post, bob: User, admin: User, do: Do, change: str
) -> None:
    actor = actor_of(admin)
    do(lambda s: PostService(s, actor).delete(post.id))
    if change == "suspended":
        do(lambda s: UserService(s, actor).patch(bob.id, {"status": "suspended"}, None))
    else:
        do(lambda s: UserService(s, actor).delete(bob.id))
    do(lambda s: TrashService(s, actor).restore("posts", post.id))
    assert kept(session, post) == (1, 1)


def test_of_others_posts_come_back_with_their_author(
    session: Session, post: Post, ada: User, bob: User, admin: User, do: Do
) -> None:
    actor = actor_of(admin)
    do(lambda s: UserService(s, actor).delete(ada.id))
    do(lambda s: UserService(s, actor).delete(bob.id))
    do(lambda s: TrashService(s, actor).restore("users", ada.id))
    assert kept(session, post) == (1, 1)
    do(lambda s: TrashService(s, actor).restore("users", bob.id))
    assert kept(session, post) == (3, 2)


def test_leave_out_what_a_suspended_user_said_when_an_editor_deletes_it(
    session: Session, post: Post, bob: User, editor: User, admin: User, do: Do
) -> None:
    first = make_comment(session, post, bob)
    do(lambda s: UserService(s, actor_of(admin)).patch(bob.id, {"status": "suspended"}, None))
    do(lambda s: CommentService(s, actor_of(editor)).delete(first.id))
    assert kept(session, post) == (1, 1)
    do(lambda s: TrashService(s, actor_of(editor)).restore("comments", first.id))
    assert kept(session, post) == (1, 1)
    do(lambda s: UserService(s, actor_of(admin)).patch(bob.id, {"status": "active"}, None))
    assert kept(session, post) == (4, 2)


def test_are_no_change_of_the_post(session: Session, post: Post, bob: User, do: Do) -> None:
    do(lambda s: CommentService(s, actor_of(bob)).create({"post_id": post.id, "body": "x"}))
    assert kept(session, post)[0] == 4
    version = session.scalar(sa.select(Post.version).where(Post.id == post.id))
    assert version == 1


class TestRecount:
    def test_mends_what_is_wrong(self, session: Session, post: Post, bob: User, do: Do) -> None:
        other = make_post(session, bob)
        values = {Post.comments_count: 99, Post.likes_count: 99}
        do(lambda s: s.execute(sa.update(Post).values(values)))

        do(lambda s: counts.recount(s, counts.LIKES, sa.select(Post.id)))

        assert kept(session, post) == (99, 2)
        assert kept(session, other) == (99, 0)
        do(lambda s: counts.recount_user(s, bob.id))
        assert kept(session, post) == (3, 2)
        assert kept(session, other) == (99, 0)


class TestShift:
    def test_adds_to_one_post_alone(self, session: Session, post: Post, ada: User, do: Do) -> None:
        other = make_post(session, ada)

        do(lambda s: counts.shift(s, counts.COMMENTS, post.id, -2))

        assert (kept(session, post), kept(session, other)) == ((1, 2), (0, 0))
