"""What users do to others' posts and to each other, once or not at all; and lists of those users.

Rows are made and removed for good: no trash, no log. services/likes.py and services/follows.py name
the relations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from models import User
from models.upsert import insert_into
from services.authored import held_caller
from services.base import Service
from services.errors import NotFound
from services.listing import Filter, Page, Query, any_of
from services.users import UserService


@dataclass(frozen=True)
class Relation:
    """Which users are listed, and what they are related to."""

    user: InstrumentedAttribute[int]
    of: InstrumentedAttribute[int]
    target: type[Service[Any]]
    """The service of what ``of`` refers to; where that is hidden there is no list."""

    @property
    def table(self) -> Any:
        """Return the class of its rows."""
        return self.of.class_


def _is_of(service: Service[Any], id: Any) -> sa.ColumnElement[bool]:
    """Return the condition: related to what has this id, if the caller may see that."""
    assert isinstance(service, Related)  # noqa: S101 - the only service with this filter
    target = service.target()
    found = target.visible_ids().where(target.model.id == id)
    return service.relation.of == found.correlate(None).scalar_subquery()


class Related(UserService):
    """Active users in a relation, the newest first; suspended ones are absent even for admins."""

    relation: ClassVar[Relation]
    searched = None  # type: ignore[assignment]  # mypy takes the base class's for no other
    filters: ClassVar = {"of": Filter(_is_of), "ids": any_of(User.id)}

    def visible(self) -> sa.Select[Any]:
        users = sa.select(User).join(self.relation.table, self.relation.user == User.id)
        return users.where(User.deleted_at.is_(None), User.status == "active")

    def columns(self) -> tuple[Any, ...]:
        return (*super().columns(), self.relation.table.created_at.label("since"))

    def list(self, query: Query) -> Page:
        """Return one page; three queries at most.

        Raises:
            NotFound: what they would be related to isn't there, or is hidden from this caller.
        """
        page = super().list(query)
        if not page.rows:
            self.check("read", query.filters["of"])
        return page

    def target(self) -> Service[Any]:
        """Return the service of what the users are related to."""
        return self.relation.target(self.session, self.actor, self.config)

    def check(self, action: str, id: int | None) -> None:
        """Raise NotFound unless the caller may see what has this id."""
        self.target().see(id or 0)


class Relating(Related):
    """A relation that callers enter and leave."""

    changes: ClassVar[bool] = False
    """Whether what they are related to changes with it."""

    def relate(self, id: int) -> bool:
        """Have the caller related to what has this id; return whether they were not before.

        Raises:
            NotFound: it isn't there, or is hidden from this caller.
        """
        caller = held_caller(self.session, self.actor)
        self.hold(id)
        row = {self.relation.user.key: caller.id, self.relation.of.key: id, "created_at": self.now}
        new = insert_into(self.session, self.relation.table).values(row)
        made = new.on_conflict_do_nothing().returning(sa.literal(1))
        return self.session.scalar(made) is not None

    def part(self, id: int) -> bool:
        """End that relation; return whether there was one. Raises as ``relate``."""
        caller = held_caller(self.session, self.actor)
        self.hold(id)
        own = (self.relation.user == caller.id, self.relation.of == id)
        result = self.session.execute(sa.delete(self.relation.table).where(*own))
        return bool(result.rowcount)  # type: ignore[attr-defined]  # a CursorResult

    def hold(self, id: int) -> None:
        """Keep what has this id visible until the commit.

        Raises:
            NotFound: it isn't there, or is hidden from this caller.
        """
        target = self.target()
        found = target.visible_ids().where(target.model.id == id)
        locked = found.with_for_update(of=target.model, read=not self.changes, key_share=True)
        if self.session.scalar(locked, self.params) is None:
            raise NotFound()
