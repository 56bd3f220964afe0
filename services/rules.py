"""Where a resource differs: what its service declares, and the hooks that it may override."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import Config
from models import Deletion
from models.prepared import Question
from services import clock, log
from services.actor import Actor
from services.errors import Forbidden, Unauthenticated
from services.listing import Filter, Sort, Tally
from services.search import Searched, by_words

M = TypeVar("M", bound=Any)

#: Stand for the caller's id and the time in statements, so that these can be built once.
ACTOR = sa.bindparam("actor_id", type_=sa.BigInteger)
NOW: sa.BindParameter[datetime] = sa.bindparam("now")


@dataclass(frozen=True)
class Verdict:
    """Whether an action is allowed, and if not, why not."""

    allowed: bool
    reason: str | None = None


YES = Verdict(True)
SIGNED_OUT = Verdict(False, "signed-out")
ROLE = Verdict(False, "role")


class Rules(Generic[M]):
    """What a resource declares and what it may override; the verbs are in services/base.py."""

    model: ClassVar[Any]
    type: ClassVar[str]
    """Plural noun: URL segment, name in the log and in the trash."""
    sorts: ClassVar[Mapping[str, Sort]] = {}
    default_sort: ClassVar[str]
    filters: ClassVar[Mapping[str, Filter]] = {}
    searched: ClassVar[Searched | None] = None
    """What ``q`` looks through; the table of its words is declared in models/search.py."""
    tallies: ClassVar[Mapping[str, Tally]] = {}
    """Counts that an item shows beside its columns; in lists they are asked for a page at once."""
    defaults: ClassVar[Mapping[str, Any]] = {}
    """What PUT makes of an optional field that is absent; fields not named here stay."""
    history: ClassVar[tuple[str, ...]] = ()
    """Fields of a revision."""
    appears_at: ClassVar[InstrumentedAttribute[Any] | None] = None
    """From when on everyone sees what is public, where ``visible`` asks for ``NOW``."""
    is_told: ClassVar[bool] = True
    """Whether the change feed tells of it; the log has to say of each change who sees it then."""
    staff: ClassVar[str] = "editor"
    """The role from which on one may change, see and restore everybody's items."""
    _statements: ClassVar[dict[Any, Question]]

    def __init_subclass__(cls) -> None:
        cls._statements = {}
        if cls.searched:
            cls.filters = {**cls.filters, "q": by_words(cls.searched)}

    def __init__(
        self, session: Session, actor: Actor | None = None, config: Config | None = None
    ) -> None:
        self.session = session
        self.actor = actor
        self.config = config

    # -- where a resource differs ------------------------------------------------

    def visible(self) -> sa.Select[Any]:
        """Return the rows that this actor may see; every read starts here.

        Built once per role: the caller's id is ``ACTOR``, the time is ``NOW``.
        """
        return sa.select(self.model)

    def columns(self) -> tuple[Any, ...]:
        """Return what a read selects, labelled as the output names it."""
        return tuple(sa.inspect(self.model).columns)

    def allows(self, action: str, item: Any) -> Verdict:
        """Decide ``create``, ``update``, ``delete`` ... on ``item`` (None for create)."""
        return YES if self.is_at_least("admin") else ROLE if self.actor else SIGNED_OUT

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do the slow work on validated input before the transaction opens."""
        return {**data, **(cls.searched.counted(data) if cls.searched else {})}

    def build(self, data: Mapping[str, Any]) -> M:
        """Make a new, unsaved item of prepared input."""
        item: M = self.model(created_at=self.now, updated_at=self.now)
        self.apply(item, {**self.defaults, **data})
        return item

    def apply(self, item: M, changes: Mapping[str, Any]) -> None:
        """Change an item in place."""
        for name, value in changes.items():
            setattr(item, name, value)

    def audience(self, item: M) -> int:
        """Return who may see ``item`` now: one of the constants of services/log.py."""
        return log.EVERYONE

    def audience_of_rows(self) -> sa.ColumnElement[int]:
        """Return ``audience`` as an expression over this table's rows, trash or not."""
        return sa.literal(log.EVERYONE)

    def shown_rows(self) -> sa.ColumnElement[bool]:
        """Return which rows everyone sees as long as everyone sees what they belong to."""
        return sa.true()

    def settle(self, item: M, by: int) -> None:
        """Bring counts up to date: ``item``, with all that belongs to it, went (-1) or came (1)."""

    def hold(self, id: int) -> None:
        """Before an item is locked: lock what comes before it, as services/doomed.py has it."""

    def readmit(self, item: M, slug: str | None) -> None:
        """Before ``item`` comes back by itself: refuse, or make it fit under ``slug``."""

    def purging(self, doomed: Sequence[int]) -> None:
        """Before rows go for good: see to what they have outside of the database."""

    def make_room(self, deletion: Deletion) -> None:
        """Before children come back: give way where their unique values are taken by now."""

    def loads(self) -> tuple[Any, ...]:
        """Return the loader options of an item that is about to change."""
        return ()

    @classmethod
    def parents(cls) -> Mapping[str, InstrumentedAttribute[int]]:
        """Return what takes these items along when it is deleted: type → foreign key."""
        return {}

    def confirm(self, id: int | None, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Before ``prepare``, outside of the transaction: refuse what need not get any further.

        Args:
            id: the item to change; None for a new one.

        Returns: what goes to ``apply`` beside the changes.
        """
        return {}

    def owner_of(self, item: M) -> int:
        """Return the id of the user whose item this is."""
        return int(item.author_id)

    def owner_column(self) -> sa.ColumnElement[int]:
        """Return the column behind ``owner_of``."""
        return self.model.author_id  # type: ignore[no-any-return]  # a column of the subclass

    def insider_of(self, item: M) -> int:
        """Return the id of the user who sees ``item``, beside staff, while not everyone does."""
        return self.owner_of(item)

    def insider_column(self) -> sa.ColumnElement[int]:
        """Return the expression behind ``insider_of``."""
        return self.owner_column()

    def title_of(self, item: M) -> str:
        """Return what the trash calls it."""
        return str(item.title)

    # -- the caller and the moment -------------------------------------------------

    @property
    def now(self) -> datetime:
        """The transaction's one clock reading; outside of one, the clock."""
        return self.session.info.get("now") or clock.now()

    @property
    def rank(self) -> str | None:
        """The caller's role; None when anonymous."""
        return self.actor.role if self.actor else None

    @property
    def via(self) -> str:
        """How the caller came, as the log keeps it."""
        return self.actor.via if self.actor else "anonymous"

    @property
    def params(self) -> dict[str, Any]:
        """Values of ``ACTOR`` and ``NOW``."""
        return {"actor_id": self.actor.id if self.actor else None, "now": self.now}

    def is_at_least(self, role: str) -> bool:
        """Whether the caller is signed in with ``role`` or a higher one."""
        return self.actor is not None and self.actor.is_at_least(role)

    def require(self, action: str, item: Any) -> None:
        """Raise Unauthenticated or Forbidden unless the actor may do ``action``."""
        if not self.allows(action, item).allowed:
            raise Forbidden() if self.actor else Unauthenticated()

    def touch(self, item: M) -> None:
        """Make the next version of ``item``."""
        item.version += 1
        item.updated_at = self.now
