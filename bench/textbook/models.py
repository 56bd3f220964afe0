"""The textbook app's plain models, over the tables that models/ declares."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_sqlalchemy import SQLAlchemy

from models.base import UTCDateTime

db = SQLAlchemy()


def _now() -> datetime:
    return datetime.now(UTC)


class User(db.Model):  # type: ignore[name-defined, misc]
    """A user, as far as this app needs one."""

    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.Text, nullable=False)
    username_key = db.Column(db.Text, nullable=False, unique=True)
    name = db.Column(db.Text)
    password_hash = db.Column(db.Text, nullable=False)

    @property
    def avatar_url(self) -> str | None:
        """Nobody has a picture yet."""
        return None


class Post(db.Model):  # type: ignore[name-defined, misc]
    """A post with its author."""

    __tablename__ = "posts"

    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.Integer, db.ForeignKey("users.id"), nullable=False)
    title = db.Column(db.Text, nullable=False)
    body = db.Column(db.Text, nullable=False)
    html = db.Column(db.Text, nullable=False)
    slug = db.Column(db.Text, nullable=False, unique=True)
    excerpt = db.Column(db.Text, nullable=False)
    has_own_excerpt = db.Column(db.Boolean, nullable=False, default=False)
    status = db.Column(db.Text, nullable=False, default="draft")
    published_at = db.Column(UTCDateTime)
    tags = db.Column(db.JSON, nullable=False, default=list)
    comments_count = db.Column(db.Integer, nullable=False, default=0)
    likes_count = db.Column(db.Integer, nullable=False, default=0)
    version = db.Column(db.Integer, nullable=False, default=1)
    created_at = db.Column(UTCDateTime, nullable=False, default=_now)
    updated_at = db.Column(UTCDateTime, nullable=False, default=_now, onupdate=_now)
    deleted_at = db.Column(UTCDateTime)

    author = db.relationship(User)
