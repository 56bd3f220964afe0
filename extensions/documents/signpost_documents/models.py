"""The name under which a file is a document, whatever the file is called later."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from signpost.models import Extended, registry_of


class Base(Extended, DeclarativeBase):
    """Base of the tables ``documents_...``."""

    registry = registry_of("documents")


class Name(Base):
    __tablename__ = "documents_names"
    __table_args__ = (sa.Index(None, "name", "file_id"), Base.__table_args__)

    file_id: Mapped[int] = mapped_column(
        sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str]

    def __repr__(self) -> str:
        return f"Name(file_id={self.file_id!r})"
