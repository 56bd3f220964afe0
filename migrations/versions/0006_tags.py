"""Tags with their names and counts, of the posts that are there already, too."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import Number

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTED: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", Number, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("posts_count", Number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("key", name="uq_tags_key"),
        **_COUNTED,
    )
    op.create_index("ix_tags_posts_count_id", "tags", ["posts_count", "id"])


def downgrade() -> None:
    op.drop_table("tags")
