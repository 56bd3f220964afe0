"""Profiles: a picture of each user that has chosen one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make the table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "realworld_profiles",
        sa.Column("user_id", number, autoincrement=False, nullable=False),
        sa.Column("image", sa.Text()),
        sa.PrimaryKeyConstraint("user_id", name="pk_realworld_profiles"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], "fk_realworld_profiles_user_id", ondelete="CASCADE"
        ),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("realworld_profiles")
