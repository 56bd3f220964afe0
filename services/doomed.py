"""What restores and purges lock on PostgreSQL, in the order that all who write keep to.

First users, then posts, then what belongs to them, then tags and the log; of each by id. SQLite has
one writer anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, File, Post, User

#: Key of PostgreSQL's advisory lock around the trash.
_TRASH = 0x5349_4754


def alone(session: Session) -> None:
    """Let no other restore or purge happen until the commit; to be called before all locks.

    A deletion hands things over to another one, so two of them in a transaction have no order.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TRASH)))


def hold(session: Session, roots: Mapping[str, Collection[int]]) -> None:
    """Lock users and posts that change or go with what is purged.

    Args:
        roots: type → ids of what is in the trash.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    users, posts, comments, files = (
        list(roots.get(type, ())) for type in ("users", "posts", "comments", "files")
    )
    shown = sa.select(File.id).where(sa.or_(File.id.in_(files), File.author_id.in_(users)))
    said = sa.or_(Comment.id.in_(comments), Comment.author_id.in_(users))  # it may have answers
    changed = sa.or_(
        Post.id.in_(posts),
        Post.author_id.in_(users),
        Post.cover_id.in_(shown),
        Post.id.in_(sa.select(Comment.post_id).where(said)),
    )
    for model, condition, goes in (
        (User, User.id.in_(users), True),
        (User, User.avatar_id.in_(shown), False),
        (Post, changed, False),
    ):
        rows = sa.select(model.id).where(condition).order_by(model.id)
        session.execute(rows.with_for_update(key_share=not goes))
