"""Who likes what, and who follows whom."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COUNTED: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    _relate("likes", ("post_id", "posts"), ("user_id", "users"))
    op.create_index("ix_likes_post_id_id", "likes", ["post_id", "id"])
    op.create_index("ix_likes_user_id_post_id", "likes", ["user_id", "post_id"])
    other = sa.CheckConstraint("follower_id <> followed_id", name="other")
    _relate("follows", ("follower_id", "users"), ("followed_id", "users"), other)
    op.create_index("ix_follows_follower_id_id", "follows", ["follower_id", "id"])
    op.create_index("ix_follows_followed_id_id", "follows", ["followed_id", "id"])


def downgrade() -> None:
    op.drop_table("follows")
    op.drop_table("likes")


def _relate(
    table: str, one: tuple[str, str], other: tuple[str, str], *constraints: sa.CheckConstraint
) -> None:
    columns = [one[0], other[0]]
    op.create_table(
        table,
        sa.Column("id", Number, nullable=False),
        *(sa.Column(column, Number, nullable=False) for column in columns),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}"),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
            )
            for column, target in (one, other)
        ),
        *constraints,
        **_COUNTED,
    )
