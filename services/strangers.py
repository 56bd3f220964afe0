"""Rows of types that nobody knows: of extensions that are disabled, failed or uninstalled.

They stay as they are, unseen, and are there again when their extension is. Only what a deletion
took comes back with it, or goes for good with it, as if the extension were there: the log says what
that was, the database's own foreign keys where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Base, Change, Deletion, Revision
from services import log

if TYPE_CHECKING:
    from services.base import Service

_TYPES = "stranger_types"
#: What the rows of a deletion have.
_DELETABLE = frozenset({"deletion_id", "deleted_at", "version"})


def bring_back(service: Service[Any], deletion: Deletion) -> None:
    """Bring back what ``deletion`` took of them, before it is gone itself."""
    session = service.session
    if not (types := _types(session)):
        return
    for table in _tables(session):
        back = sa.update(table).where(table.c.deletion_id == deletion.id)
        session.execute(back.values(deletion_id=None, deleted_at=None, version=table.c.version + 1))
    actor = sa.literal(service.actor.user_id if service.actor else None, sa.BigInteger)
    values: tuple[Any, ...] = (
        actor,
        sa.literal(service.via),
        Change.type,
        Change.id,
        Change.owner_id,
        sa.literal("restore"),
        Change.version + 1,
        sa.literal(log.NOBODY),
        Change.was,
        Change.group_id,
    )
    log.record_each(session, sa.select(*values).where(*_taken([deletion.id], types)))


def purge(service: Service[Any], doomed: Collection[int], *, with_owner: bool) -> None:
    """Remove what went to the trash with doomed items, before these are gone.

    Args:
        with_owner: the items are users, or theirs: nothing is kept of what was theirs.
    """
    session = service.session
    if not (types := _types(session)):
        return
    of_them = sa.select(Deletion.id).where(Deletion.type == service.type)
    deletions = session.scalars(of_them.where(Deletion.item_id.in_(doomed))).all()
    gone = _taken(deletions, types)
    tables = list(_tables(session))
    for table in tables:
        session.execute(sa.delete(table).where(table.c.deletion_id.in_(deletions)))
    _forget(session, gone, with_owner=with_owner)
    if service.owner_column() is service.model.id:
        _forget(session, (Change.type.in_(types), Change.owner_id.in_(doomed)), with_owner=True)
        _drop_roots(session, types, doomed, tables)


def _forget(session: Session, gone: Collection[Any], *, with_owner: bool) -> None:
    """Drop revisions, and names from the log, of what some of its rows speak of."""
    found = sa.select(Change.type, Change.id).where(*gone).distinct()
    items: dict[str, list[int]] = {}
    for type, id in session.execute(found):
        items.setdefault(type, []).append(id)
    values = {"actor_id": None} | ({"owner_id": None} if with_owner else {})
    for type, ids in items.items():
        session.execute(
            sa.update(Change).where(Change.type == type, Change.id.in_(ids)).values(values)
        )
        session.execute(sa.delete(Revision).where(Revision.type == type, Revision.id.in_(ids)))


def _drop_roots(
    session: Session, types: list[str], owners: Collection[int], tables: list[sa.TableClause]
) -> None:
    """Remove the deletions of users' own items, and these: their titles may say who it was."""
    roots = sa.select(Deletion.id).where(Deletion.type.in_(types), Deletion.owner_id.in_(owners))
    found = session.scalars(roots).all()
    for table in tables:
        session.execute(sa.delete(table).where(table.c.deletion_id.in_(found)))
    session.execute(sa.delete(Deletion).where(Deletion.id.in_(found)))


def _taken(deletions: Collection[int], types: list[str]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the condition of the log's rows of what deletions took."""
    of_them = Change.group_id.in_(deletions)
    return of_them, Change.type.in_(types), Change.op == "delete"


def _types(session: Session) -> list[str]:
    """Return the types in the log that nobody knows; by one step along an index for each."""
    from services.registry import RESOURCES  # it knows all services, so none can import it first

    known: list[str] | None = session.info.get(_TYPES)
    if known is None:
        found = sa.select(sa.func.min(Change.type).label("type")).cte("types", recursive=True)
        next_one = sa.select(sa.func.min(Change.type)).where(Change.type > found.c.type)
        found = found.union_all(
            sa.select(next_one.scalar_subquery()).where(found.c.type.is_not(None))
        )
        known = [type for type in session.scalars(sa.select(found.c.type)) if type is not None]
        known = session.info[_TYPES] = [type for type in known if type not in RESOURCES]
    return known


def _tables(session: Session) -> Iterator[sa.TableClause]:
    """Yield the tables with rows that may be in the trash, but of nobody's resource."""
    from services.registry import RESOURCES  # it knows all services, so none can import it first

    known = Base.metadata.tables.keys() | {
        service.model.__tablename__ for service in RESOURCES.values()
    }
    inspector = sa.inspect(session.connection())
    for name in inspector.get_table_names():
        if name in known:
            continue
        keys = inspector.get_foreign_keys(name)
        if any(key["referred_table"] == Deletion.__tablename__ for key in keys):
            columns = {column["name"] for column in inspector.get_columns(name)}
            if columns >= _DELETABLE:
                yield sa.table(name, *(sa.column(each) for each in _DELETABLE))
