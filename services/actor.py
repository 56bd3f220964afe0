"""The actor: who is calling, made from a token's claims, never a row. Anonymous is None."""

from __future__ import annotations

from dataclasses import dataclass

#: From least to most rights.
ROLES = ("reader", "author", "editor", "admin")


@dataclass(frozen=True)
class Actor:
    """A signed-in caller.

    Args:
        id: the user's id; 0 where no user calls.
        role: one of ``ROLES``.
        session_id: the sign-in that the token belongs to; None on the command line.
        scopes: what the token may be used for.
        via: how it came, for the log: ``session``, ``command`` or ``system``.
    """

    id: int
    role: str
    session_id: int | None = None
    scopes: frozenset[str] = frozenset()
    via: str = "session"

    @property
    def user_id(self) -> int | None:
        """The user's id as the log keeps it: None where no user calls."""
        return self.id or None

    def is_at_least(self, role: str) -> bool:
        """Whether this actor has ``role`` or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


#: Calls where nobody does: at start, and in jobs.
SYSTEM = Actor(0, "admin", via="system")
