"""Rules about comments: whoever sees a post reads and writes them, in threads.

A comment has two parents, its author and its post: it is hidden, and goes to the trash, with
either. Replies to a comment that is gone stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased, contains_eager, load_only
from sqlalchemy.orm.attributes import set_committed_value

from models import Comment, Post, User
from services import counts
from services.authored import ActiveUsers, Authored, is_active, keep_users
from services.errors import Conflict, Fault, Invalid, NotFound
from services.listing import Sort, any_of, equals
from services.posts import PostService

#: The post's author; ``User`` is the comment's.
_OWNER = aliased(User, name="owner")
#: What an audience depends on, beside the authors.
_POST = (Post.author_id, Post.status, Post.published_at, Post.deleted_at)
_TITLE = 100


class CommentService(Authored[Comment]):
    """Seen by those who see the post; changed by their authors and by editors."""

    model = Comment
    type = "comments"
    sorts = {"created_at": Sort(Comment.created_at)}
    default_sort = "created_at"
    filters = {
        "post_id": equals(Comment.post_id),
        "parent_id": equals(Comment.parent_id),
        "author_id": equals(Comment.author_id),
        "ids": any_of(Comment.id),
    }
    defaults = {"parent_id": None}
    appears_at = Post.published_at
    history = ("body",)
    writer = "reader"

    @classmethod
    def parents(cls) -> Mapping[str, InstrumentedAttribute[int]]:
        return {"posts": Comment.post_id, **super().parents()}

    def visible(self) -> sa.Select[Any]:
        statement = (
            sa.select(Comment)
            .join(User, User.id == Comment.author_id)
            .join(Post, Post.id == Comment.post_id)
            .join(_OWNER, _OWNER.id == Post.author_id)
            .where(Comment.deleted_at.is_(None), User.deleted_at.is_(None))
            .where(self._posts().visible_rows(_OWNER))
        )
        if self.is_at_least(self.staff):
            return statement
        return statement.where(User.status == "active")

    def columns(self) -> tuple[Any, ...]:
        return (*super().columns(), Post.published_at)

    def loads(self) -> tuple[Any, ...]:
        post = contains_eager(Comment.post)
        owner = contains_eager(Post.author.of_type(_OWNER))
        return (*super().loads(), post.options(load_only(*_POST), owner))

    def build(self, data: Mapping[str, Any]) -> Comment:
        comment = super().build(data)
        self._hold_post(_id(comment.post_id))
        self._set_post(comment, self._posts().visible())
        if comment.parent_id is not None:
            self._check_parent(comment)
        return comment

    def store(self, item: Comment) -> None:
        super().store(item)
        counts.shift(self.session, counts.COMMENTS, item.post_id, 1)

    def hold(self, id: int) -> None:
        """Keep a comment's post as it is, with all that decides on who sees it."""
        post, author = sa.select(Comment.post_id), sa.select(Comment.author_id)
        self._hold_post(post.where(Comment.id == id), author.where(Comment.id == id))

    def settle(self, item: Comment, by: int) -> None:
        if item.author.status == "active":
            counts.shift(self.session, counts.COMMENTS, item.post_id, by)

    def readmit(self, item: Comment, slug: str | None) -> None:
        super().readmit(item, slug)
        statement = sa.select(Post).join(User, User.id == Post.author_id)
        self._set_post(item, statement)
        if item.post.deleted_at is not None:
            raise Conflict("Its post is in the trash.", code="parent-deleted")

    def audience(self, item: Comment) -> int:
        return min(super().audience(item), self._posts().audience(item.post))

    def public_while(self, active: ActiveUsers) -> sa.ColumnElement[bool]:
        shown = self._posts().public_while(active)
        on_public = sa.exists().where(Post.id == Comment.post_id, shown).correlate(Comment)
        return sa.and_(super().public_while(active), on_public)

    def shown_rows(self) -> sa.ColumnElement[bool]:
        return is_active(Comment.author_id)

    def rows_shown_by(
        self, user_id: int, differs: sa.ColumnElement[bool]
    ) -> sa.ColumnElement[bool]:
        """Return a user's comments, which only staff sees then, and those on the user's posts."""
        own = sa.select(Post.id).where(Post.author_id == user_id)
        return sa.or_(Comment.author_id == user_id, sa.and_(Comment.post_id.in_(own), differs))

    def insider_of(self, item: Comment) -> int:
        return item.post.author_id

    def insider_column(self) -> sa.ColumnElement[int]:
        owner = sa.select(Post.author_id).where(Post.id == Comment.post_id)
        return owner.correlate(Comment).scalar_subquery()

    def title_of(self, item: Comment) -> str:
        return " ".join(item.body[: 2 * _TITLE].split())[:_TITLE]

    def _posts(self) -> PostService:
        return PostService(self.session, self.actor, self.config)

    def _hold_post(self, id: sa.Select[Any], *authors: sa.Select[Any]) -> None:
        """Lock a post against all changes, and before it users; SQLite has one writer anyway."""
        if self.session.get_bind().dialect.name == "postgresql":
            owner: sa.Select[Any] = sa.select(Post.author_id).where(Post.id.in_(id))
            keep_users(self.session, sa.union(owner, *authors))
            post = sa.select(Post.id).where(Post.id.in_(id))
            self.session.execute(post.with_for_update(key_share=True))

    def _set_post(self, comment: Comment, posts: sa.Select[Any]) -> None:
        """Let ``comment`` know its post, if that is among ``posts``, which join ``User``.

        Raises:
            NotFound: it is not.
        """
        statement = posts.where(Post.id == comment.post_id)
        statement = statement.options(load_only(*_POST), contains_eager(Post.author))
        statement = statement.execution_options(populate_existing=True)
        post = self.session.scalars(statement, self.params).one_or_none()
        if post is None:
            raise NotFound()
        set_committed_value(comment, "post", post)

    def _check_parent(self, comment: Comment) -> None:
        """Refuse an answer to what is not a visible comment of the same post."""
        same = (Comment.id == comment.parent_id, Comment.post_id == comment.post_id)
        statement = self.visible().where(*same)
        statement = statement.with_only_columns(Comment.id, maintain_column_froms=True)
        if self.session.scalar(statement, self.params) is None:
            message = "There is no such comment on this post."
            raise Invalid(faults=[Fault("parent_id", "choice", message)])


def _id(value: int) -> sa.Select[Any]:
    return sa.select(sa.literal(value, sa.BigInteger))
