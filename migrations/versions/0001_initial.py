"""Users, posts, sign-in, trash and log: the first tables.

An id is counted up and never given twice; SQLite's tables check types as PostgreSQL's do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import Document, Flag, Moment, Number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STRICT: dict[str, Any] = {"sqlite_strict": True}
_COUNTED: dict[str, Any] = {**_STRICT, "sqlite_autoincrement": True}
_BY_KEY: dict[str, Any] = {**_STRICT, "sqlite_with_rowid": False}
_LIVING: dict[str, Any] = {
    "sqlite_where": sa.text("deleted_at IS NULL"),
    "postgresql_where": sa.text("deleted_at IS NULL"),
}


def upgrade() -> None:
    _log()
    _audit()
    _deletions()
    _users()
    _posts()
    _slugs_and_tags()
    _sessions()
    _revocation()


def downgrade() -> None:
    for table in (
        *("login_attempts", "revocations", "refresh_tokens", "sessions", "post_tags", "post_slugs"),
        *("posts", "users", "deletions", "audit_events", "revisions", "changes"),
    ):
        op.drop_table(table)


def _log() -> None:
    op.create_table(
        "changes",
        sa.Column("seq", Number, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor_id", Number),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("id", Number, nullable=False),
        sa.Column("owner_id", Number),
        sa.Column("op", sa.Text, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("was", Number, nullable=False),
        sa.Column("now", Number, nullable=False),
        sa.Column("group_id", Number),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
        **_COUNTED,
    )
    op.create_index("ix_changes_type_id_version", "changes", ["type", "id", "version"])
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_index("ix_changes_group_id", "changes", ["group_id"])
    op.create_table(
        "revisions",
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("id", Number, autoincrement=False, nullable=False),
        sa.Column("version", Number, autoincrement=False, nullable=False),
        sa.Column("snapshot", Document, nullable=False),
        sa.PrimaryKeyConstraint("type", "id", "version", name="pk_revisions"),
        **_BY_KEY,
    )


def _audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", Number, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor_id", Number),
        sa.Column("subject_id", Number),
        sa.Column("address", sa.Text),
        sa.Column("details", Document),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        **_COUNTED,
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])


def _deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", Number, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("item_id", Number, nullable=False),
        sa.Column("owner_id", Number, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("deleted_at", Moment, nullable=False),
        sa.Column("deleted_by", Number),
        sa.Column("children_count", Number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletions"),
        sa.UniqueConstraint("type", "item_id", name="uq_deletions_type_item_id"),
        **_COUNTED,
    )
    op.create_index("ix_deletions_deleted_at_id", "deletions", ["deleted_at", "id"])
    op.create_index("ix_deletions_deleted_by", "deletions", ["deleted_by"])


def _life(table: str) -> tuple[sa.Column[Any] | sa.ForeignKeyConstraint, ...]:
    """Return the columns of what clients see and what goes to the trash first."""
    return (
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        _reference(table, "deletion_id", "deletions", "RESTRICT"),
    )


def _reference(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", Number, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("username_key", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("email_verified", Flag, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("bio", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("token_version", Number, nullable=False),
        *_life("users"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
        sa.CheckConstraint("role IN ('reader', 'author', 'editor', 'admin')", name="role"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
        **_COUNTED,
    )
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.create_index("ix_users_deletion_id", "users", ["deletion_id"])


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
        sa.Column("has_own_excerpt", Flag, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("published_at", Moment),
        sa.Column("tags", Document, nullable=False),
        sa.Column("comments_count", Number, nullable=False),
        sa.Column("likes_count", Number, nullable=False),
        *_life("posts"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        _reference("posts", "author_id", "users", "CASCADE"),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name="status"),
        **_COUNTED,
    )
    op.create_index("uq_posts_slug", "posts", ["slug"], unique=True, **_LIVING)
    for columns in (
        ("status", "published_at", "id"),
        *(("published_at", "id"), ("created_at", "id"), ("updated_at", "id")),
        *(("title", "id"), ("likes_count", "id")),
        ("author_id", "status", "published_at", "id"),
    ):
        op.create_index(f"ix_posts_{'_'.join(columns)}", "posts", list(columns), **_LIVING)
    op.create_index("ix_posts_deletion_id", "posts", ["deletion_id"])


def _slugs_and_tags() -> None:
    op.create_table(
        "post_slugs",
        sa.Column("id", Number, nullable=False),
        sa.Column("post_id", Number, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post_slugs"),
        sa.UniqueConstraint("slug", name="uq_post_slugs_slug"),
        _reference("post_slugs", "post_id", "posts", "CASCADE"),
        **_COUNTED,
    )
    op.create_index("ix_post_slugs_post_id", "post_slugs", ["post_id"])
    op.create_table(
        "post_tags",
        sa.Column("post_id", Number, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("post_id", "key", name="pk_post_tags"),
        _reference("post_tags", "post_id", "posts", "CASCADE"),
        **_STRICT,
    )
    op.create_index("ix_post_tags_key_post_id", "post_tags", ["key", "post_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", Number, nullable=False),
        sa.Column("user_id", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("refreshed_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("device", sa.Text),
        sa.Column("address", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        _reference("sessions", "user_id", "users", "CASCADE"),
        **_COUNTED,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("id", Number, nullable=False),
        sa.Column("session_id", Number, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("spent_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_tokens"),
        sa.UniqueConstraint("hash", name="uq_refresh_tokens_hash"),
        _reference("refresh_tokens", "session_id", "sessions", "CASCADE"),
        **_COUNTED,
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _revocation() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", Number, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("ver", Number, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revocations"),
        **_COUNTED,
    )
    op.create_index("ix_revocations_expires_at", "revocations", ["expires_at"])
    op.create_table(
        "login_attempts",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("window_ends_at", Moment, nullable=False),
        sa.Column("count", Number, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_attempts"),
        **_BY_KEY,
    )
    op.create_index("ix_login_attempts_window_ends_at", "login_attempts", ["window_ends_at"])
