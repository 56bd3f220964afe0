"""A line on its way into the database, and what is remembered from batch to batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.errors import Fault
from services.transfer.lines import Line, Outcome

#: Author's id, slug, created at, deleted at: what tells posts in the trash apart.
Identity = tuple[int, str, datetime, datetime]
#: Post's id, author's id, created at: what tells most comments apart.
Utterance = tuple[int, int, datetime]


class Unprepared(Exception):
    """A line has to be stored whose slow work was left out, because its item was there."""


@dataclass
class Draft:
    """A line that was read: its type, its cleaned record, or what is wrong with it."""

    line: Line
    kind: str
    data: dict[str, Any]
    faults: list[Fault]
    outcome: Outcome = "created"
    is_prepared: bool = False

    def __post_init__(self) -> None:
        if self.faults:
            self.outcome = "refused"

    def refuse(self, *faults: Fault) -> None:
        """Note why it cannot be stored."""
        self.faults = list(faults)
        self.outcome = "refused"


@dataclass(frozen=True)
class Verdict:
    """What is to become of a line."""

    outcome: Outcome
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Current:
    """The item whose revisions may follow; ``id`` is None if a dry run would have made it."""

    slug: str | None = None
    id: int | None = None
    version: int = 0
    outcome: Outcome = "refused"


@dataclass(frozen=True)
class Planned:
    """A user that a dry run would have made; it stands in for the row."""

    id: int
    username: str
    username_key: str
    email_key: str
    status: str
    version: int
    deleted_at: datetime | None
    deletion_id: int | None
    digest: bytes


@dataclass
class Memory:
    """What earlier batches leave to later ones."""

    current: Current = field(default_factory=Current)
    comment: Current = field(default_factory=Current)
    trashed: Counter[int] = field(default_factory=Counter)
    """Hash of an ``Identity`` → how many lines had it: the second is the second such post."""
    users: dict[str, Planned] = field(default_factory=dict)
    emails: dict[str, Planned] = field(default_factory=dict)
    posts: dict[str, bytes] = field(default_factory=dict)
    """Slug → digest of the line, of what a dry run would have made."""


def refused(field: str, code: str, message: str) -> Verdict:
    """Return the verdict on a line with one fault."""
    return Verdict("refused", (Fault(field, code, message),))
