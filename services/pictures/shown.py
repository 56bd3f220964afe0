"""Which pictures posts and users show: a cover, an avatar; and what everyone may see by that."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models import File, Post, User
from services.errors import Fault, Invalid
from services.pictures.measuring import TYPES
from services.rules import Rules


def living(id: InstrumentedAttribute[int | None]) -> sa.ColumnElement[int | None]:
    """Return ``id`` of a file, null while it is in the trash; asked in the row it stands in.

    Most show nothing, and then nothing is looked up: a subquery for a null costs 0.4 us.
    """
    file = aliased(File)
    found = sa.select(file.id).where(file.id == id, file.deleted_at.is_(None))
    return sa.case((id.is_not(None), found.correlate_except(file).scalar_subquery()))


def living_now(session: Session, id: int | None) -> int | None:
    """Return ``id`` of a file, None while it is in the trash."""
    if id is None:
        return None
    return session.scalar(sa.select(File.id).where(File.id == id, File.deleted_at.is_(None)))


def chosen(service: Rules[Any], item: Any, field: str, id: int | None) -> int | None:
    """Return ``id`` for a field of an item: what it has, or a picture of its owner's or caller's.

    Raises:
        Invalid: it is none (``choice``), in the trash, or somebody else's.
    """
    if id is not None and id != getattr(item, field):
        caller = {service.actor.id} if service.actor else set()
        _refuse_others(service.session, field, id, {service.owner_of(item), *caller})
    return id


def forget(session: Session, ids: Collection[int]) -> None:
    """Have nobody show files that are gone for good."""
    for model, column in ((User, User.avatar_id), (Post, Post.cover_id)):
        held = sa.select(model.id).where(column.in_(ids)).order_by(model.id)
        held = held.with_for_update(key_share=True)
        if found := session.scalars(held).all():
            changed = sa.update(model).where(model.id.in_(found), column.in_(ids))
            session.execute(changed.values({column: None}))


def _refuse_others(session: Session, field: str, id: int, owners: Collection[int]) -> None:
    """Refuse a file that isn't a picture, is in the trash or is none of the owners'.

    Whether it exists makes no difference to who asks.
    """
    picture = sa.select(File.id).where(
        File.id == id,
        File.author_id.in_(owners),
        File.deleted_at.is_(None),
        File.media_type.in_(TYPES),
        File.width.is_not(None),
    )
    kept = picture.with_for_update(read=True, key_share=True)  # from being purged meanwhile
    if session.scalar(kept) is None:
        raise Invalid(faults=[Fault(field, "choice", "Must be a picture among your own files.")])
