"""An index by which a file is found by its name, whosever it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

_LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Make it."""
    op.create_index(
        "documents_names",
        "files",
        ["name", "id"],
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("documents_names", "files")
