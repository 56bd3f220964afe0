"""/api/documents: JSON documents, uploaded many at once and read by name. See README.md."""

from __future__ import annotations

from signpost import Namespace

ns = Namespace("Documents", description="JSON documents, uploaded many at once and read by name.")


def create() -> Namespace:
    """Return what is mounted at /api/documents."""
    return ns
