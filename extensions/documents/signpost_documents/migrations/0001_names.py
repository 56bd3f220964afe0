"""Names of documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import Number

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "documents_names",
        sa.Column("file_id", Number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("file_id", name="pk_documents_names"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_documents_names_file_id", ondelete="CASCADE"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_documents_names_name_file_id", "documents_names", ["name", "file_id"])


def downgrade() -> None:
    """Drop it; the files stay."""
    op.drop_table("documents_names")
