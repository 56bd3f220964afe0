"""Revisions that were made elsewhere: who made them, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("revisions", sa.Column("made_at", Moment))
    op.add_column("revisions", sa.Column("made_by", Number))


def downgrade() -> None:
    op.drop_column("revisions", "made_by")
    op.drop_column("revisions", "made_at")
