"""What extensions run after a commit: each hook is called once with all that it changed.

Called in the thread that wrote, before the answer. What a hook raises is logged, and changes
neither the answer nor what the others are told. If the process ends between commit and call, nobody
is told: who must not miss a change reads the change feed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one item, as the log has it; see ``models.change.Change``.

    What goes with an item is not told one by one: a deleted post is told, its comments are not.
    """

    type: str
    """Of the resource, in the plural: ``posts``."""
    id: int
    op: str
    """``create``, ``update``, ``delete`` or ``restore``."""
    version: int
    """The item's version since then."""
    actor_id: int | None
    via: str
    """What it was done by: ``session``, ``command`` ..."""


#: Gets the changes of one transaction, at least one, in their order.
Hook = Callable[[Sequence[Changed]], object]

_log = logging.getLogger(__name__)
#: Those that are running: what a hook changes is told to the others, not to itself.
_running: ContextVar[tuple[Hook, ...]] = ContextVar("running hooks", default=())


class Hooks:
    """All hooks, in the order in which they are called; none until ``configure`` is."""

    calls: tuple[Hook, ...] = ()

    def configure(self, calls: Iterable[Hook]) -> None:
        """Replace them all, before the first request."""
        self.calls = tuple(calls)

    def run(self, changes: Sequence[Changed]) -> None:
        """Call each hook that isn't running; whatever one raises is logged."""
        running = _running.get()
        for hook in self.calls:
            if any(each is hook for each in running):
                continue
            mark = _running.set((*running, hook))
            try:
                hook(changes)
            except (Exception, SystemExit):  # noqa: BLE001 - whatever a stranger's code raises
                _log.exception("The hook %s failed.", name_of(hook))
            finally:
                _running.reset(mark)


def name_of(hook: Hook) -> str:
    """Return a hook's name for the log: where it is defined, if that can be told."""
    kind = hook if hasattr(hook, "__qualname__") else type(hook)
    return f"{kind.__module__}.{kind.__qualname__}"


hooks = Hooks()
