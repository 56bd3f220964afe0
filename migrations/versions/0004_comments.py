"""Comments on posts, in threads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTED: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("id", Number, nullable=False),
        sa.Column("post_id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("parent_id", Number),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        _reference("deletion_id", "deletions", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        _reference("post_id", "posts", "CASCADE"),
        _reference("author_id", "users", "CASCADE"),
        _reference("parent_id", "comments", "SET NULL"),
        **_COUNTED,
    )
    # Of those in the trash too: what cascades looks for them here.
    for columns in (("post_id", "created_at", "id"), ("author_id", "created_at", "id")):
        op.create_index(f"ix_comments_{'_'.join(columns)}", "comments", list(columns))
    for column in ("parent_id", "deletion_id"):
        op.create_index(f"ix_comments_{column}", "comments", [column])


def downgrade() -> None:
    # What was deleted with them, or as one, has nothing left to come back.
    op.drop_table("comments")
    op.execute("DELETE FROM deletions WHERE type = 'comments'")


def _reference(column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_comments_{column}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)
