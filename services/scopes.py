"""Scopes: what a token may be used for, ``<resource>:read``, ``<resource>:write`` or ``admin``.

They only ever narrow: what its owner may not do, no token may.
"""

from __future__ import annotations

from services.registry import RESOURCES

ADMIN = "admin"


def scopes_of(role: str) -> tuple[str, ...]:
    """Return the scopes of a sign-in by somebody with ``role``: all that the role has."""
    names = sorted({*RESOURCES, "trash"})
    each = tuple(f"{name}:{verb}" for name in names for verb in ("read", "write"))
    return (ADMIN, *each) if role == "admin" else each
