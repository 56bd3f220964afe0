"""What users write: theirs to change, and the editors'; hidden while they are suspended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import (
    InstrumentedAttribute,
    Session,
    aliased,
    contains_eager,
    make_transient_to_detached,
)
from sqlalchemy.orm.attributes import set_committed_value

from models import User
from models.prepared import Question
from services import log
from services.actor import Actor
from services.base import ACTOR, NOW, ROLE, SIGNED_OUT, YES, Service, Verdict
from services.errors import Conflict, Unauthenticated
from services.pictures import shown

M = TypeVar("M", bound=Any)
#: The id of a user → the condition that they are active.
ActiveUsers = Callable[[Any], sa.ColumnElement[bool]]
_HIDDEN = frozenset({"deleted_at", "deletion_id"})
NOT_AUTHOR = Verdict(False, "not-author")


class Authored(Service[M]):
    """Rules over a table with ``author_id`` and ``author``; see services/posts.py for one."""

    writer: ClassVar[str] = "author"
    """The role from which on one may write."""

    def public_rows(self, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
        """Return which rows are everybody's at ``moment``, their authors apart."""
        return sa.true()

    def is_public(self, item: M, moment: datetime) -> bool:
        """Whether ``item`` is everybody's at ``moment``, its author apart."""
        return True

    @classmethod
    def parents(cls) -> Mapping[str, InstrumentedAttribute[int]]:
        return {"users": cls.model.author_id}

    def visible(self) -> sa.Select[Any]:
        statement = sa.select(self.model).join(User, User.id == self.model.author_id)
        return statement.where(self.visible_rows(User))

    def visible_rows(self, author: Any) -> sa.ColumnElement[bool]:
        """Return which rows this actor may see; ``author`` is ``User``, or an alias of it."""
        model = self.model
        living = sa.and_(model.deleted_at.is_(None), author.deleted_at.is_(None))
        if self.is_at_least(self.staff):
            return living
        public = sa.and_(self.public_rows(NOW), author.status == "active")
        if self.actor is None:
            return sa.and_(living, public)
        return sa.and_(living, sa.or_(public, model.author_id == ACTOR))

    def columns(self) -> tuple[Any, ...]:
        own = (column for column in self.model.__table__.columns if column.name not in _HIDDEN)
        return (
            *own,
            User.username.label("author_username"),
            User.name.label("author_name"),
            shown.living(User.avatar_id).label("avatar_url"),
        )

    def loads(self) -> tuple[Any, ...]:
        return (contains_eager(self.model.author),)

    def allows(self, action: str, item: Any) -> Verdict:
        if action == "read":
            return YES
        if self.actor is None:
            return SIGNED_OUT
        if not self.is_at_least(self.writer):
            return ROLE
        if item is None or item.author_id == self.actor.id or self.is_at_least(self.staff):
            return YES
        return NOT_AUTHOR

    def build(self, data: Mapping[str, Any]) -> M:
        author = self._caller()
        item: M = self.model(author_id=author.id, version=1)
        set_committed_value(item, "author", author)
        item.created_at = item.updated_at = self.now
        self.apply(item, {**self.defaults, **data})
        return item

    def store(self, item: M) -> None:
        """Insert a new item as it is, in a third of the time of a unit of work."""
        insert, defaults = _insert(self.model.__table__)
        values = {key: make(None) for key, make in defaults.items()} | vars(item)
        item.id = insert.ask(self.session, values)[0].id
        self._stored = values | {
            "id": item.id,
            "author_username": item.author.username,
            "author_name": item.author.name,
            "avatar_url": shown.living_now(self.session, item.author.avatar_id),
            "snippet": None,
        }

    def created(self, id: int) -> Any:
        """Return the row as it was stored: others wait while it would be read."""
        return SimpleNamespace(**self._stored)

    def load(self, id: int, action: str, expected: frozenset[int] | None = None) -> M:
        """Return one visible item, locked, whose author stays as they are until the commit.

        What the log says of who could see it depends on both: an author who comes back meanwhile
        would show everybody an item whose withdrawal nobody is told. Authors are locked before
        items, as by whoever deletes them. SQLite has one writer anyway.
        """
        self.hold(id)
        return super().load(id, action, expected)

    def hold(self, id: int) -> None:
        """Keep an item's author as they are."""
        keep_users(self.session, sa.select(self.model.author_id).where(self.model.id == id))

    def audience(self, item: M) -> int:
        shown = item.author.status == "active" and self.is_public(item, self.now + log.FORESIGHT)
        return log.EVERYONE if shown else log.OWNER_AND_STAFF

    def audience_of_rows(self) -> sa.ColumnElement[int]:
        return self.audience_while(is_active)

    def audience_while(self, active: ActiveUsers) -> sa.ColumnElement[int]:
        """Return ``audience_of_rows`` for when ``active`` says which users are."""
        return sa.case((self.public_while(active), log.EVERYONE), else_=log.OWNER_AND_STAFF)

    def public_while(self, active: ActiveUsers) -> sa.ColumnElement[bool]:
        """Return which rows everyone sees if ``active`` says which users are; trash apart."""
        soon = sa.literal(self.now + log.FORESIGHT, User.created_at.type)
        return sa.and_(self.public_rows(soon), active(self.model.author_id))

    def shown_rows(self) -> sa.ColumnElement[bool]:
        return self.public_while(is_active)

    def rows_shown_by(
        self, user_id: int, differs: sa.ColumnElement[bool]
    ) -> sa.ColumnElement[bool]:
        """Return which rows are seen by fewer while a user is suspended.

        Args:
            differs: which rows of the table have another audience then.
        """
        return sa.and_(self.model.author_id == user_id, differs)

    def readmit(self, item: M, slug: str | None) -> None:
        """Refuse to bring an item back whose author is in the trash.

        Raises:
            Conflict: the author has to come back first.
        """
        author = self.session.scalars(
            sa.select(User)
            .where(User.id == item.author_id)
            .with_for_update(read=True, key_share=True)
        ).one()
        set_committed_value(item, "author", author)
        if author.deleted_at is not None:
            raise Conflict("Its author is in the trash.", code="parent-deleted")

    def _caller(self) -> User:
        """Return the caller's row, kept from a deletion at the same time."""
        return held_caller(self.session, self.actor)


def held_caller(session: Session, actor: Actor | None) -> User:
    """Return the caller's row, kept from being deleted or suspended until the commit.

    Raises:
        Unauthenticated: nobody is signed in, or that has happened.
    """
    found = _CALLER.ask(session, {"id": actor.id}) if actor else None
    if not found:
        raise Unauthenticated()
    caller = User(**found[0]._asdict())
    make_transient_to_detached(caller)
    return caller


def is_active(user_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a user is not suspended."""
    user = aliased(User)
    status = sa.select(user.status).where(user.id == user_id).correlate_except(user)
    return status.scalar_subquery() == "active"


def keep_users(session: Session, ids: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
    """Keep users as they are until the commit: neither suspended nor deleted meanwhile."""
    if session.get_bind().dialect.name == "postgresql":
        kept = sa.select(User.id).where(User.id.in_(ids)).order_by(User.id)
        session.execute(kept.with_for_update(read=True, key_share=True))


#: Asks for no more of the caller than ``audience`` wants to know.
_CALLER = Question(
    sa.select(User.id, User.status, User.username, User.name, User.avatar_id)
    .where(User.id == sa.bindparam("id"), User.deleted_at.is_(None), User.status == "active")
    .with_for_update(read=True, key_share=True)
)


def _default(column: sa.Column[Any]) -> Callable[[None], Any]:
    """Return what makes the value of a column that an item leaves out.

    Raises:
        TypeError: only the database would know it.
    """
    default: Any = column.default
    if default is not None and default.is_callable:
        return default.arg  # type: ignore[no-any-return]
    if column.server_default is not None or (default is not None and not default.is_scalar):
        raise TypeError(f"{column}: what it is by default has to be known in Python")
    value = None if default is None else default.arg
    return lambda _: value


@cache
def _insert(table: sa.Table) -> tuple[Question, dict[str, Callable[[None], Any]]]:
    """Return the INSERT of a row, and how to make what an item may leave out."""
    given = [column for column in table.columns if not column.primary_key]
    defaults = {column.key: _default(column) for column in given}
    return Question(sa.insert(table).returning(table.c.id), list(defaults)), defaults
