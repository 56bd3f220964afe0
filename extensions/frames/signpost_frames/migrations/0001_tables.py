"""Tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import Document, Moment, Number

revision = "0001"
down_revision = None

_LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "frames_tables",
        sa.Column("id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("rows_count", Number, nullable=False),
        sa.Column("columns_count", Number, nullable=False),
        sa.Column("columns", Document, nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        sa.PrimaryKeyConstraint("id", name="pk_frames_tables"),
        sa.CheckConstraint("visibility IN ('private', 'public')", name="visibility"),
        _reference("author_id", "users.id", "CASCADE"),
        _reference("sha256", "contents.sha256", "RESTRICT"),
        _reference("deletion_id", "deletions.id", "RESTRICT"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    for column in ("created_at", "name", "rows_count"):
        op.create_index(
            f"ix_frames_tables_{column}_id",
            "frames_tables",
            [column, "id"],
            sqlite_where=_LIVING,
            postgresql_where=_LIVING,
        )
    op.create_index("ix_frames_tables_author_id_size", "frames_tables", ["author_id", "size"])
    for column in ("sha256", "deletion_id"):
        op.create_index(f"ix_frames_tables_{column}", "frames_tables", [column])


def downgrade() -> None:
    op.drop_table("frames_tables")
    op.execute("DELETE FROM deletions WHERE type = 'frames'")


def _reference(column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_frames_tables_{column}"
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=ondelete)
