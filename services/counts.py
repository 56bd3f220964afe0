"""Counts kept in a post, exact after every write: rows of users who are living and active.

Who writes holds the lock of the post's row before the count is made, so that nobody counts at the
same time. Counts raise no version and are in no log: the variant of an ETag covers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Comment, Like, Post, User


@dataclass(frozen=True, eq=False)
class Count:
    """A number of rows, kept in the post that they belong to."""

    column: InstrumentedAttribute[int]
    """Where it is kept."""
    of: InstrumentedAttribute[int]
    """The post of each row that is counted."""
    by: InstrumentedAttribute[int]
    """Its user."""
    where: sa.ColumnElement[bool] | None = None
    """Which rows count, their users apart; None: all."""

    def value(self) -> sa.ScalarSelect[int]:
        """Return the number of a post's rows, to be used in a statement about posts."""
        rows = sa.select(sa.func.count()).select_from(self.of.class_)
        rows = rows.join(User, User.id == self.by).where(self.of == Post.id)
        rows = rows.where(User.status == "active", User.deleted_at.is_(None))
        rows = rows if self.where is None else rows.where(self.where)
        return rows.correlate(Post).scalar_subquery()


COMMENTS = Count(
    Post.comments_count, Comment.post_id, Comment.author_id, Comment.deleted_at.is_(None)
)
LIKES = Count(Post.likes_count, Like.post_id, Like.user_id)
ALL = (COMMENTS, LIKES)


def shift(session: Session, count: Count, id: int, by: int) -> None:
    """Add ``by`` to the count of post ``id``; locks the post, unless the caller has already."""
    _update(session, Post.id == id, {count.column: count.column + by})


def recount(session: Session, count: Count, ids: sa.Select[Any]) -> None:
    """Count anew for the posts whose ids are selected; locks them in order."""
    _recount(session, (count,), ids)


def recount_user(session: Session, user_id: int) -> None:
    """Count anew wherever a user counts.

    To be called after their status changed, or they went to the trash or came back; their row is
    locked by then, so that they write nothing meanwhile.
    """
    session.flush()
    _recount(session, ALL, _any(*_counting(user_id)))


def hold_user(session: Session, user_id: int) -> None:
    """Lock a user's posts, and those where they count, in order, before any of them is changed."""
    own: sa.Select[Any] = sa.select(Post.id).where(Post.author_id == user_id)
    _hold(session, _any(own, *_counting(user_id)))


def _counting(user_id: int) -> list[sa.Select[Any]]:
    """Select the ids of the posts where a user counts, or would; the trash is included."""
    return [sa.select(count.of).where(count.by == user_id) for count in ALL]


def _any(*selects: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(sa.union(*selects).subquery().c[0])


def _recount(session: Session, counts: Sequence[Count], ids: sa.Select[Any]) -> None:
    """Lock first: a subquery of the same statement would not see what was stored meanwhile."""
    _hold(session, ids)
    values = {count.column: count.value() for count in counts}
    differs = reduce(sa.or_, (column != value for column, value in values.items()))
    _update(session, sa.and_(Post.id.in_(ids), differs), values)


def _hold(session: Session, ids: sa.Select[Any]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        posts = sa.select(Post.id).where(Post.id.in_(ids)).order_by(Post.id)
        locked = posts.with_for_update(key_share=True).subquery()
        session.scalar(sa.select(sa.func.count()).select_from(locked))


def _update(session: Session, where: sa.ColumnElement[bool], values: dict[Any, Any]) -> None:
    statement = sa.update(Post).where(where).values(values)
    session.execute(statement.execution_options(synchronize_session=False))
