"""An extension's tables, rules and history for tests: notes of users, with titles."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from models import User, registry_of
from models.base import PrimaryKey, SoftDeletable, Versioned
from models.extended import Extended
from services import schema
from services.authored import Authored
from services.listing import Sort

_STEP = '''"""Notes."""

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table(
        "people_notes",
        sa.Column("id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        sa.PrimaryKeyConstraint("id", name="pk_people_notes"),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], "fk_people_notes_author_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deletion_id"], ["deletions.id"], "fk_people_notes_deletion_id", ondelete="RESTRICT"
        ),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    for column in ("author_id", "deletion_id"):
        op.create_index(f"ix_people_notes_{column}", "people_notes", [column])


def downgrade() -> None:
    op.drop_table("people_notes")
'''
_NEXT = '''"""{name}."""

from alembic import op

revision, down_revision = "{revision}", "{before}"


def upgrade() -> None:
    {what}


def downgrade() -> None:
    """Leave it."""
'''


class PeopleBase(Extended, DeclarativeBase):
    """Base of the tables ``people_...``, so written that types are checked."""

    registry = registry_of("people")


class Note(Versioned, SoftDeletable, PeopleBase):
    """A note of a user's."""

    __tablename__ = "people_notes"

    id: Mapped[PrimaryKey]
    author_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    title: Mapped[str]

    author: Mapped[User] = relationship(lazy="raise")


class NoteService(Authored[Note]):
    """Everybody's to see, their authors' to change."""

    model = Note
    type = "people_notes"
    sorts = {"created_at": Sort(Note.created_at)}
    default_sort = "created_at"
    history = ("title",)


def history(folder: Path, name: str = "people") -> schema.History:
    """Return the history of the notes, its one step written to ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / "0001_notes.py").write_text(_STEP.replace("people_", f"{name}_"))
    return schema.history_of(name, folder)


def add_step(history: schema.History, what: str) -> None:
    """Write one more step, which does ``what``."""
    before = schema.head(history)
    revision = f"{int(before) + 1:04}"
    step = _NEXT.format(name="Next", revision=revision, before=before, what=what)
    (history.folder / f"{revision}_next.py").write_text(step)
