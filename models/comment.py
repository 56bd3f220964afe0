"""A comment on a post, or on another comment. Rules are in services/comments.py."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, PrimaryKey, SoftDeletable, Versioned
from models.post import Post
from models.user import User


class Comment(Versioned, SoftDeletable, Base):
    __tablename__ = "comments"
    __table_args__ = (
        sa.Index(None, "post_id", "created_at", "id"),
        sa.Index(None, "author_id", "created_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("posts.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("comments.id", ondelete="SET NULL"), index=True
    )
    """The comment that it answers, on the same post; None: the post itself."""
    body: Mapped[str]

    author: Mapped[User] = relationship(lazy="raise")
    post: Mapped[Post] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"Comment(id={self.id!r}, post_id={self.post_id!r}, author_id={self.author_id!r})"
