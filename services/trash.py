"""The trash: roots of deletions, restored or purged by those who may."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from models import Deletion
from services import deletion, doomed
from services.base import ACTOR, SIGNED_OUT, YES, Service, Verdict
from services.errors import Conflict, NotFound
from services.listing import Sort, any_of
from services.registry import RESOURCES

NOT_YOURS = Verdict(False, "not-deleter")

#: All types, and those that editors may bring back; others are of extensions that aren't there.
_KNOWN = sa.bindparam("known_types", type_=sa.Text, expanding=True)
_OF_EDITORS = sa.bindparam("editors_types", type_=sa.Text, expanding=True)


class TrashService(Service[Deletion]):
    """Each deletion is for those who made it, for editors if it is content, and for admins."""

    model = Deletion
    type = "trash"
    sorts: ClassVar = {"deleted_at": Sort(Deletion.deleted_at)}
    default_sort = "-deleted_at"
    filters: ClassVar = {"types": any_of(Deletion.type)}

    def visible(self) -> sa.Select[Any]:
        statement = sa.select(Deletion).where(Deletion.type.in_(_KNOWN))
        if self.is_at_least("admin"):
            return statement
        own = Deletion.deleted_by == ACTOR
        if self.is_at_least("editor"):
            return statement.where(sa.or_(own, Deletion.type.in_(_OF_EDITORS)))
        return statement.where(own)

    @property
    def params(self) -> dict[str, Any]:
        """Values of what stands for the caller, the time and the types."""
        of_editors = [type for type, each in RESOURCES.items() if each.staff == "editor"]
        return super().params | {"known_types": list(RESOURCES), "editors_types": of_editors}

    def allows(self, action: str, item: Any) -> Verdict:
        if self.actor is None:
            return SIGNED_OUT
        if action != "purge" or self.is_at_least("admin"):
            return YES
        own = item is None or item.deleted_by == item.owner_id == self.actor.id
        return YES if own else NOT_YOURS

    def find(self, type: str, item_id: int, *, lock: bool = False) -> Deletion:
        """Return the visible root of one item's deletion.

        Args:
            lock: keep others from restoring or purging it at the same time.

        Raises:
            NotFound: it isn't in the trash, or not the caller's to restore.
            Conflict: it is in the trash as part of its parent's deletion.
        """
        statement = self.visible().where(Deletion.type == type, Deletion.item_id == item_id)
        if lock:
            doomed.alone(self.session)
        found: Deletion | None = self.session.scalars(statement, self.params).one_or_none()
        if found is None:
            self._point_to_parent(type, item_id)
            raise NotFound()
        return found

    def restore(self, type: str, item_id: int, slug: str | None = None) -> None:
        """Bring back what one deletion took; ``slug`` for a post whose own is taken by now.

        Raises:
            Conflict: its parent is in the trash, or its slug is taken.
        """
        root = self.find(type, item_id, lock=True)
        service = self._service(type)
        service.hold(item_id)
        item = self.session.get(service.model, item_id, with_for_update=True)
        if item is None:  # its parent was purged while its extension wasn't there
            raise NotFound()
        service.require("delete", item)
        service.readmit(item, slug)
        deletion.restore(service, item, root)

    def purge(self, type: str, item_id: int) -> None:
        """Remove what one deletion took for good; the log keeps its tombstones."""
        root = self.find(type, item_id, lock=True)
        self.require("purge", root)
        doomed.hold(self.session, {type: [item_id]})
        deletion.purge(self._service(type), [item_id])

    def purge_older(self, than: datetime, limit: int) -> int:
        """Purge up to ``limit`` roots deleted before ``than``; return how many."""
        statement = sa.select(Deletion.type, Deletion.item_id).where(Deletion.deleted_at < than)
        statement = statement.where(Deletion.type.in_(RESOURCES))
        statement = statement.order_by(Deletion.id).limit(limit)
        doomed.alone(self.session)
        found = self.session.execute(statement).all()
        roots = {type: [root.item_id for root in found if root.type == type] for type in RESOURCES}
        doomed.hold(self.session, roots)
        for type, ids in roots.items():
            deletion.purge(self._service(type), ids)
        return len(found)

    def _service(self, type: str) -> Service[Any]:
        return RESOURCES[type](self.session, self.actor, self.config)

    def _point_to_parent(self, type: str, item_id: int) -> None:
        """Tell those who may restore it or its parent that it went with that."""
        if type not in RESOURCES:
            return
        model, staff = RESOURCES[type].model, RESOURCES[type].staff
        roots = sa.select(Deletion) if self.is_at_least(staff) else self.visible()
        taken = roots.join(model, model.deletion_id == Deletion.id)
        if self.session.scalars(taken.where(model.id == item_id), self.params).first():
            raise Conflict("It went to the trash with its parent.", code="parent-deleted")
