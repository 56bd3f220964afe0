"""What an export says of comments, likes and follows; services/transfer/talk.py reads it again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import Comment, Deletion, Follow, Like, Post, User
from services.times import format_time

_PARENT, _ANSWERED, _DELETER = aliased(Comment), aliased(User), aliased(User)
_FOLLOWED = aliased(User)


def _nth(comment: Any) -> sa.ScalarSelect[int]:
    """Return which comment of its author and its time on its post it is."""
    other = aliased(Comment)
    same = (other.post_id == comment.post_id, other.created_at == comment.created_at)
    before = (other.author_id == comment.author_id, other.id <= comment.id)
    number = sa.select(sa.func.count()).select_from(other).where(*same, *before)
    return number.correlate_except(other).scalar_subquery()


COMMENTS = (
    sa.select(
        Comment.__table__,
        Post.slug,
        User.username.label("author"),
        _nth(Comment).label("nth"),
        _ANSWERED.username.label("answered"),
        _PARENT.created_at.label("answered_at"),
        _nth(_PARENT).label("answered_nth"),
        Deletion.type.label("deletion_type"),
        (Comment.deletion_id == Post.deletion_id).label("went_with_post"),
        _DELETER.username.label("deleted_by"),
    )
    .join(Post, Post.id == Comment.post_id)
    .join(User, User.id == Comment.author_id)
    .outerjoin(_PARENT, _PARENT.id == Comment.parent_id)
    .outerjoin(_ANSWERED, _ANSWERED.id == _PARENT.author_id)
    .outerjoin(Deletion, Deletion.id == Comment.deletion_id)
    .outerjoin(_DELETER, _DELETER.id == Deletion.deleted_by)
    .order_by(Comment.post_id, Comment.id)
)
LIKES = (
    sa.select(Like.post_id, Like.created_at, Post.slug, User.username)
    .join(Post, Post.id == Like.post_id)
    .join(User, User.id == Like.user_id)
    .order_by(Like.post_id, Like.id)
)
FOLLOWS = (
    sa.select(Follow.id, Follow.created_at, User.username, _FOLLOWED.username.label("followed"))
    .join(User, User.id == Follow.follower_id)
    .join(_FOLLOWED, _FOLLOWED.id == Follow.followed_id)
)


def comment(row: Any) -> dict[str, Any]:
    """Return what a comment says, and to what."""
    record = {"type": "comment", "post": row.slug, "author": row.author, "body": row.body}
    if row.nth > 1:
        record["nth"] = row.nth
    if row.answered is not None:
        answers = {"author": row.answered, "created_at": format_time(row.answered_at)}
        record["answers"] = answers | ({"nth": row.answered_nth} if row.answered_nth > 1 else {})
    return record


def end_of(row: Any) -> dict[str, Any]:
    """Return how a comment went to the trash, if it did."""
    if row.deletion_type is None:
        return {}
    if row.deletion_type == "comments":
        return {"deleted_at": format_time(row.deleted_at), "deleted_by": row.deleted_by}
    return {"deleted_with": "post" if row.went_with_post else "author"}


def like(row: Any) -> dict[str, Any]:
    """Return who likes a post."""
    at = format_time(row.created_at)
    return {"type": "like", "post": row.slug, "user": row.username, "at": at}


def follow(row: Any) -> dict[str, Any]:
    """Return who follows whom."""
    at = format_time(row.created_at)
    return {"type": "follow", "user": row.username, "follows": row.followed, "at": at}
