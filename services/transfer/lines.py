"""What an import is given, line by line, and what it says of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from config import Config
from services.actor import Actor
from services.errors import Fault
from services.transfer.shapes import Shapes

#: What to do with a line whose item is there already, but with other contents.
OnConflict = Literal["refuse", "skip", "update"]
#: What became of a line.
Outcome = Literal["created", "updated", "unchanged", "skipped", "refused"]

#: Acts where nobody is signed in: whoever may run programs as the service's user.
OPERATOR = Actor(0, "admin", via="command")
#: Versions of the format that can be read; the last one is written.
VERSIONS = (1, 2)
FORMAT = "signpost"
#: In place of a hash: nobody can sign in with any password.
NO_PASSWORD = "!"  # noqa: S105 - it is none


class Unusable(Exception):
    """The input as a whole cannot be imported; the message says why."""


@dataclass(frozen=True)
class Line:
    """One record of the format, or what is wrong with the line that should have held it.

    Args:
        number: of the line in its source, counted from 1.
        source: where it is from, for people: the name of a file.
        record: a decoded object; it is validated by the import.
    """

    number: int
    source: str
    record: dict[str, Any] | Fault


@dataclass(frozen=True)
class Refusal:
    """A line that was not imported, with everything that is wrong with it."""

    number: int
    source: str
    faults: Sequence[Fault]


def _ignore(_refusal: Refusal) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Options:
    """How to import.

    Args:
        shapes: what users and posts may be, as over HTTP.
        on_conflict: ``refuse`` reports a line whose item is there with other contents, ``skip``
            leaves the item as it is, ``update`` changes it as a request would.
        dry_run: check every line, store nothing.
        config: settings, for the services.
        refused: told of every refused line, in order.
        batch: lines of one transaction.
    """

    shapes: Shapes
    on_conflict: OnConflict = "refuse"
    dry_run: bool = False
    config: Config | None = None
    refused: Callable[[Refusal], None] = _ignore
    batch: int = 200


@dataclass
class Report:
    """What became of all lines."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def is_whole(self) -> bool:
        """Whether no line was refused."""
        return not self.outcomes["refused"]
