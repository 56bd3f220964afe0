"""Deleting, restoring and purging: what goes to the trash together comes back together.

The rows of one deletion carry its id in ``deletion_id``; children follow their parents by one
UPDATE and one INSERT ... SELECT into the log per table, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from models import Change, Deletion, Revision
from services import log, search

if TYPE_CHECKING:
    from services.base import Service

#: Ids of one statement; drivers take 32,766 (SQLite) and 65,535 (PostgreSQL) at most.
_BATCH = 10_000


def discard(service: Service[Any], item: Any) -> Deletion:
    """Move ``item`` and all that belongs to it to the trash; return the deletion."""
    deletion = Deletion(
        type=service.type,
        item_id=item.id,
        owner_id=service.owner_of(item),
        title=service.title_of(item),
        deleted_at=service.now,
        deleted_by=service.actor.user_id if service.actor else None,
        children_count=0,
    )
    service.session.add(deletion)
    service.session.flush()
    was = service.audience(item)
    item.deleted_at, item.deletion_id = service.now, deletion.id
    item.version += 1
    service.session.flush()
    service.record("delete", item, was=was, group_id=deletion.id)
    deletion.children_count = _take_children(service, deletion)
    return deletion


def restore(service: Service[Any], item: Any, deletion: Deletion) -> None:
    """Bring back exactly what ``deletion`` took."""
    item.deleted_at = item.deletion_id = None
    item.version += 1
    service.session.flush()
    service.record("restore", item, was=log.NOBODY, group_id=deletion.id)
    _return_children(service, deletion)
    service.session.delete(deletion)
    service.session.flush()


def purge(service: Service[Any], ids: sa.Select[Any], *, with_owner: bool = False) -> None:
    """Remove rows for good, with their revisions, children and deletions; the log keeps tombstones.

    Args:
        ids: selects the ids of the doomed rows of ``service.model``.
        with_owner: their owners go too, so the log must forget them. Otherwise it tells the
            owners' other devices what is gone.
    """
    doomed = list(service.session.scalars(ids))
    owns_itself = service.owner_column() is service.model.id
    for start in range(0, len(doomed), _BATCH):
        _purge(service, doomed[start : start + _BATCH], with_owner or owns_itself)


def _purge(service: Service[Any], doomed: list[int], with_owner: bool) -> None:
    session = service.session
    for child, key in service.children():
        children = sa.select(child.model.id).where(key.in_(doomed))
        purge(child, children, with_owner=with_owner)
    session.execute(
        sa.update(Change)
        .where(Change.type == service.type, Change.id.in_(doomed))
        .values({"actor_id": None} | ({"owner_id": None} if with_owner else {}))
    )
    if service.searched:
        search.forget(session, service.searched, doomed)
    session.execute(sa.delete(service.model).where(service.model.id.in_(doomed)))
    for table, column in ((Revision, Revision.id), (Deletion, Deletion.item_id)):
        session.execute(sa.delete(table).where(table.type == service.type, column.in_(doomed)))


def _take_children(service: Service[Any], deletion: Deletion) -> int:
    taken = 0
    for child, key in service.children():
        parents = sa.select(service.model.id).where(service.model.deletion_id == deletion.id)
        model = child.model
        result = service.session.execute(
            sa.update(model)
            .where(key.in_(parents), model.deleted_at.is_(None))
            .values(deleted_at=service.now, deletion_id=deletion.id, version=model.version + 1)
            .execution_options(synchronize_session=False)
        )
        taken += result.rowcount  # type: ignore[attr-defined]  # a CursorResult
        was, now = child.audience_of_rows(), sa.literal(log.NOBODY)
        rows = child.log_rows("delete", was, now, deletion.id)
        log.record_each(service.session, rows.where(model.deletion_id == deletion.id))
        taken += _take_children(child, deletion)
    return taken


def _return_children(service: Service[Any], deletion: Deletion) -> None:
    for child, _key in service.children():
        child.make_room(deletion)
        model = child.model
        service.session.execute(
            sa.update(model)
            .where(model.deletion_id == deletion.id)
            .values(deleted_at=None, deletion_id=None, version=model.version + 1)
            .execution_options(synchronize_session=False)
        )
        taken = sa.select(Change.id).where(
            Change.group_id == deletion.id, Change.type == child.type, Change.op == "delete"
        )
        was, now = sa.literal(log.NOBODY), child.audience_of_rows()
        rows = child.log_rows("restore", was, now, deletion.id)
        log.record_each(service.session, rows.where(model.id.in_(taken)))
        _return_children(child, deletion)
