"""Who likes what, and who follows whom. Rules are in services/likes.py and services/follows.py."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey


class Like(Base):
    __tablename__ = "likes"
    __table_args__ = (
        sa.UniqueConstraint("post_id", "user_id"),
        sa.Index(None, "post_id", "id"),
        sa.Index(None, "user_id", "post_id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("posts.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"Like(post_id={self.post_id!r}, user_id={self.user_id!r})"


class Follow(Base):
    __tablename__ = "follows"
    __table_args__ = (
        sa.UniqueConstraint("follower_id", "followed_id"),
        sa.CheckConstraint("follower_id <> followed_id", name="other"),
        sa.Index(None, "follower_id", "id"),
        sa.Index(None, "followed_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    follower_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    followed_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"Follow(follower_id={self.follower_id!r}, followed_id={self.followed_id!r})"
