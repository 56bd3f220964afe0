"""An uploaded file, and the content that several may share.

Rules are in services/files.py; when contents come and go, in services/contents.py.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import LIVING, Base, PrimaryKey, SoftDeletable, Versioned, partial
from models.user import User


class File(Versioned, SoftDeletable, Base):
    __tablename__ = "files"
    __table_args__ = (
        sa.CheckConstraint("visibility IN ('private', 'public')", name="visibility"),
        *(
            partial(LIVING, *columns)
            for columns in (
                ("author_id", "created_at", "id"),
                ("author_id", "name", "id"),
                ("author_id", "size", "id"),
            )
        ),
        sa.Index(None, "author_id", "size"),  # what counts for a quota is in the trash, too
        Base.__table_args__,
    )

    id: Mapped[PrimaryKey]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    visibility: Mapped[str] = mapped_column(default="private")
    media_type: Mapped[str]
    """What its content is, whatever the client said."""
    size: Mapped[int]
    """Bytes."""
    sha256: Mapped[str] = mapped_column(
        sa.ForeignKey("contents.sha256", ondelete="RESTRICT"), index=True
    )
    width: Mapped[int | None]
    height: Mapped[int | None]

    author: Mapped[User] = relationship(lazy="raise")

    def __repr__(self) -> str:
        return f"File(id={self.id!r}, author_id={self.author_id!r}, size={self.size!r})"


class Content(Base):
    """Bytes in the storage, once however many files have them; gone with the last of these."""

    __tablename__ = "contents"
    __table_args__ = {"sqlite_strict": True, "sqlite_with_rowid": False}

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    created_at: Mapped[datetime]
    stored_at: Mapped[datetime | None]
    """When the storage was known to have it; None: whoever needs it has to put it there."""

    def __repr__(self) -> str:
        return f"Content(size={self.size!r})"


class ContentHold(Base):
    """Somebody is just storing or dropping a content; who finds it later than ``until`` ends that.

    As long as one is there before its time, the content is left alone. Every content that no file
    refers to has one.
    """

    __tablename__ = "content_holds"

    id: Mapped[PrimaryKey]
    sha256: Mapped[str] = mapped_column(
        sa.ForeignKey("contents.sha256", ondelete="CASCADE"), index=True
    )
    until: Mapped[datetime] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"ContentHold(id={self.id!r}, until={self.until!r})"
