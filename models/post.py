"""A post, its former slugs and the index of its tags. Rules are in services/posts.py."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import LIVING, Base, PrimaryKey, SoftDeletable, Versioned, partial
from models.user import User


class Post(Versioned, SoftDeletable, Base):
    __tablename__ = "posts"
    __table_args__ = (
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name="status"),
        # A slug is free again as soon as its post is in the trash.
        partial(LIVING, "slug", name="uq_posts_slug", unique=True),
        *(
            partial(LIVING, *columns)
            for columns in (
                ("status", "published_at", "id"),
                ("published_at", "id"),
                ("created_at", "id"),
                ("updated_at", "id"),
                ("title", "id"),
                ("likes_count", "id"),
                ("author_id", "status", "published_at", "id"),
            )
        ),
        partial("cover_id IS NOT NULL", "cover_id"),
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    body: Mapped[str]
    """Markdown, as written."""
    html: Mapped[str]
    """``body`` rendered and sanitised; never in revisions."""
    slug: Mapped[str]
    excerpt: Mapped[str]
    has_own_excerpt: Mapped[bool] = mapped_column(default=False)
    """False: ``excerpt`` follows ``body``."""
    status: Mapped[str] = mapped_column(default="draft")
    published_at: Mapped[datetime | None]
    """In the future: scheduled."""
    tags: Mapped[list[str]] = mapped_column(default=list)
    """As written, in order; ``post_tags`` is their index."""
    cover_id: Mapped[int | None]
    """A picture among the files; no foreign key, so that a post may keep one in the trash."""
    comments_count: Mapped[int] = mapped_column(default=0)
    likes_count: Mapped[int] = mapped_column(default=0)

    author: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"Post(id={self.id!r}, author_id={self.author_id!r}, status={self.status!r})"


class PostSlug(Base):
    """A slug that a post used to have: it answers with a redirect."""

    __tablename__ = "post_slugs"

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    """The latest post that gave it up owns it."""

    def __repr__(self) -> str:
        return f"PostSlug(post_id={self.post_id!r})"


class PostTag(Base):
    """One tag of one post, by its casefolded key: the index behind ``?tag=``."""

    __tablename__ = "post_tags"
    __table_args__ = (sa.Index(None, "key", "post_id"), {"sqlite_strict": True})

    post_id: Mapped[int] = mapped_column(
        sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    key: Mapped[str] = mapped_column(primary_key=True)

    def __repr__(self) -> str:
        return f"PostTag(post_id={self.post_id!r})"
