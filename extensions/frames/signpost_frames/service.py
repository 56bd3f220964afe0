"""Rules about tables: theirs who uploaded them, everybody's where they are public."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from signpost.models import User
from signpost.services import Authored, ServiceError, Sort, Unauthenticated, equals
from signpost.uploads import let_go
from signpost_frames.models import Frame


class FrameService(Authored[Frame]):
    """What a table holds never changes: a new upload is a new table."""

    model = Frame
    type = "frames"
    sorts = {
        "created_at": Sort(Frame.created_at),
        "name": Sort(Frame.name),
        "rows_count": Sort(Frame.rows_count),
    }
    default_sort = "-created_at"
    filters = {"name": equals(Frame.name), "visibility": equals(Frame.visibility)}
    defaults = {"visibility": "private"}
    history = ("name", "visibility")
    staff = "admin"

    def public_rows(self, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
        return Frame.visibility == "public"

    def is_public(self, item: Frame, moment: datetime) -> bool:
        return item.visibility == "public"

    def title_of(self, item: Frame) -> str:
        return item.name

    def purging(self, doomed: Sequence[int]) -> None:
        """Drop the contents that nothing else has, after the commit."""
        theirs = sa.select(Frame.sha256).where(Frame.id.in_(doomed)).distinct()
        let_go(self.config, self.session, list(self.session.scalars(theirs)))

    def admit(self, size: int, quota: int) -> None:
        """Refuse a table of ``size`` bytes if its owner's have more than ``quota`` with it.

        What is in the trash counts. No other upload of theirs goes on until the commit.

        Raises:
            ServiceError: ``too-large``.
            Unauthenticated: the caller has been deleted or suspended meanwhile.
        """
        id = self.actor.id if self.actor else None
        own = sa.select(User.id).where(
            User.id == id, User.deleted_at.is_(None), User.status == "active"
        )
        if self.session.scalar(own.with_for_update(key_share=True)) is None:
            raise Unauthenticated()
        sizes = sa.select(sa.func.coalesce(sa.func.sum(Frame.size), 0)).where(Frame.author_id == id)
        left = max(0, quota - int(self.session.scalar(sizes) or 0))
        if size > left:
            said = f"Your tables may have {quota:,} bytes together, those in the trash included."
            raise ServiceError(said, code="too-large", extra={"quota": quota, "left": left})
