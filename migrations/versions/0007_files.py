"""Files, their contents, and where they are pictures: covers of posts, avatars of users."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STRICT: dict[str, Any] = {"sqlite_strict": True}
_LIVING: dict[str, Any] = {
    "sqlite_where": sa.text("deleted_at IS NULL"),
    "postgresql_where": sa.text("deleted_at IS NULL"),
}
_LISTED = (
    ("author_id", "created_at", "id"),
    ("author_id", "name", "id"),
    ("author_id", "size", "id"),
)
_PICTURES = (("users", "avatar_id"), ("posts", "cover_id"))


def upgrade() -> None:
    _make_contents()
    _make_files()
    for table, column in _PICTURES:
        op.add_column(table, sa.Column(column, Number))
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_{table}_{column}", table, [column], sqlite_where=there, postgresql_where=there
        )


def _make_contents() -> None:
    op.create_table(
        "contents",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("stored_at", Moment),
        sa.PrimaryKeyConstraint("sha256", name="pk_contents"),
        **_STRICT,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "content_holds",
        sa.Column("id", Number, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_content_holds"),
        _reference("content_holds", "sha256", "contents.sha256", "CASCADE"),
        **_STRICT,
        sqlite_autoincrement=True,
    )
    for column in ("sha256", "until"):
        op.create_index(f"ix_content_holds_{column}", "content_holds", [column])


def _make_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("width", Number),
        sa.Column("height", Number),
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        _reference("files", "deletion_id", "deletions.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.CheckConstraint("visibility IN ('private', 'public')", name="visibility"),
        _reference("files", "author_id", "users.id", "CASCADE"),
        _reference("files", "sha256", "contents.sha256", "RESTRICT"),
        **_STRICT,
        sqlite_autoincrement=True,
    )
    for columns in _LISTED:
        op.create_index(f"ix_files_{'_'.join(columns)}", "files", list(columns), **_LIVING)
    op.create_index("ix_files_author_id_size", "files", ["author_id", "size"])
    for column in ("sha256", "deletion_id"):
        op.create_index(f"ix_files_{column}", "files", [column])


def downgrade() -> None:
    for table, column in _PICTURES:
        op.drop_index(f"ix_{table}_{column}", table)
        op.drop_column(table, column)
    for table in ("files", "content_holds", "contents"):
        op.drop_table(table)
    op.execute("DELETE FROM deletions WHERE type = 'files'")


def _reference(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=ondelete)
