"""Deleting, restoring and purging: what goes to the trash together comes back together.

The rows of one deletion carry its id in ``deletion_id``; children follow their parents by one
UPDATE and one INSERT ... SELECT into the log per table, however many there are. What has two
parents, as a comment has a post and an author, comes back when both are there: the deletion of one
hands it over to that of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from models import Change, Deletion, Revision
from services import log, search, strangers

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
    taken = _take_children(service, deletion)
    deletion.children_count = taken.total()
    for child in _descendants(service):
        if not taken[child.type]:
            continue
        was_seen, now = child.audience_of_rows(), sa.literal(log.NOBODY)
        rows = child.log_rows("delete", was_seen, now, _id(deletion))
        log.record_each(service.session, rows.where(child.model.deletion_id == deletion.id))
    service.settle(item, -1)
    return deletion


def restore(service: Service[Any], item: Any, deletion: Deletion) -> None:
    """Bring back exactly what ``deletion`` took."""
    item.deleted_at = item.deletion_id = None
    item.version += 1
    service.session.flush()
    service.record("restore", item, was=log.NOBODY, group_id=deletion.id)
    for child in _descendants(service):
        _hand_over(child, deletion)
        _return(child, deletion)
    strangers.bring_back(service, deletion)
    service.session.delete(deletion)
    service.session.flush()
    service.settle(item, 1)


def purge(service: Service[Any], ids: Sequence[int], *, with_owner: bool = False) -> None:
    """Remove rows for good, with their revisions, children and deletions; the log keeps tombstones.

    Args:
        ids: of the doomed rows of ``service.model``; some may be gone, but for their deletions.
        with_owner: their owners go too, so the log must forget them. Otherwise it tells the
            owners' other devices what is gone.
    """
    owns_itself = service.owner_column() is service.model.id
    for start in range(0, len(ids), _BATCH):
        _purge(service, ids[start : start + _BATCH], with_owner or owns_itself)


def _purge(service: Service[Any], doomed: Sequence[int], with_owner: bool) -> None:
    session = service.session
    for child, key in service.children():
        children = sa.select(child.model.id).where(key.in_(doomed))
        purge(child, session.scalars(children).all(), with_owner=with_owner)
    session.execute(
        sa.update(Change)
        .where(Change.type == service.type, Change.id.in_(doomed))
        .values({"actor_id": None} | ({"owner_id": None} if with_owner else {}))
    )
    if service.searched:
        search.forget(session, service.searched, list(doomed))
    service.purging(doomed)
    strangers.purge(service, doomed, with_owner=with_owner)
    session.execute(sa.delete(service.model).where(service.model.id.in_(doomed)))
    for table, column in ((Revision, Revision.id), (Deletion, Deletion.item_id)):
        session.execute(sa.delete(table).where(table.type == service.type, column.in_(doomed)))


def _descendants(service: Service[Any]) -> list[Service[Any]]:
    """Return what may belong to it, at any depth, each table once and after its parents."""
    found: dict[str, Service[Any]] = {}
    for child, _key in service.children():
        for each in (child, *_descendants(child)):
            found.pop(each.type, None)
            found[each.type] = each
    return list(found.values())


def _take_children(service: Service[Any], deletion: Deletion) -> Counter[str]:
    """Move what belongs to what a deletion took to the trash; return how many of each type."""
    taken: Counter[str] = Counter()
    for child, key in service.children():
        parents = sa.select(service.model.id).where(service.model.deletion_id == deletion.id)
        model = child.model
        taken[child.type] += _update(
            service,
            sa.update(model)
            .where(key.in_(parents), model.deleted_at.is_(None))
            .values(deleted_at=service.now, deletion_id=deletion.id, version=model.version + 1),
        )
        taken += _take_children(child, deletion)
    return taken


def _hand_over(child: Service[Any], deletion: Deletion) -> None:
    """Leave to another deletion what would come back to a parent that is in the trash by now."""
    from services.registry import RESOURCES  # it knows all services, so none can import it first

    model, moved = child.model, 0
    for parent, key in child.parents().items():
        if parent not in RESOURCES:  # another extension's
            continue
        gone = RESOURCES[parent].model
        is_gone = sa.and_(gone.id == key, gone.deletion_id.is_not(None))
        values = {
            name: sa.select(column).where(is_gone).correlate(model).scalar_subquery()
            for name, column in (("deletion_id", gone.deletion_id), ("deleted_at", gone.deleted_at))
        }
        values["version"] = model.version + 1
        orphans = sa.and_(model.deletion_id == deletion.id, sa.exists().where(is_gone))
        moved += _update(child, sa.update(model).where(orphans).values(values))
    if moved:
        _note_heirs(child, deletion)


def _note_heirs(child: Service[Any], deletion: Deletion) -> None:
    """Log what other deletions took over, so that they bring it back; they count it."""
    model = child.model
    handed = sa.and_(model.id.in_(_taken(child, deletion)), model.deletion_id.is_not(None))
    nobody = sa.literal(log.NOBODY)
    rows = child.log_rows("delete", nobody, nobody, model.deletion_id)
    log.record_each(child.session, rows.where(handed))
    number = sa.select(sa.func.count()).where(model.deletion_id == Deletion.id, handed)
    heirs = sa.update(Deletion).where(Deletion.id.in_(sa.select(model.deletion_id).where(handed)))
    added = number.correlate(Deletion).scalar_subquery()
    _update(child, heirs.values(children_count=Deletion.children_count + added))


def _return(child: Service[Any], deletion: Deletion) -> None:
    """Bring back what a deletion took of one table."""
    child.make_room(deletion)
    model = child.model
    number = _update(
        child,
        sa.update(model)
        .where(model.deletion_id == deletion.id)
        .values(deleted_at=None, deletion_id=None, version=model.version + 1),
    )
    if not number:
        return
    was, now = sa.literal(log.NOBODY), child.audience_of_rows()
    rows = child.log_rows("restore", was, now, _id(deletion))
    back = sa.and_(model.id.in_(_taken(child, deletion)), model.deletion_id.is_(None))
    log.record_each(child.session, rows.where(back))


def _id(deletion: Deletion) -> sa.BindParameter[int]:
    return sa.literal(deletion.id, sa.BigInteger)


def _taken(child: Service[Any], deletion: Deletion) -> sa.Select[Any]:
    """Select the ids that the log says a deletion took."""
    of_it = (Change.group_id == deletion.id, Change.type == child.type)
    return sa.select(Change.id).where(*of_it, Change.op == "delete")


def _update(service: Service[Any], statement: sa.Update) -> int:
    """Run an update of many rows; return of how many."""
    result = service.session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]  # a CursorResult
