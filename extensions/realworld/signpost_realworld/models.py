"""What a user of RealWorld has that a user of Signpost has not: a picture that is any text."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from signpost import models


class Base(models.Extended, DeclarativeBase):
    """Base of the tables ``realworld_...``."""

    registry = models.registry_of("realworld")


class Profile(Base):
    """One user's; there is none before it is filled."""

    __tablename__ = "realworld_profiles"
    __table_args__ = {"sqlite_strict": True}

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    image: Mapped[str | None]
    """Most often a URL, but never checked: how it is shown is the clients' business."""

    def __repr__(self) -> str:
        return f"Profile(user_id={self.user_id!r})"
