"""/api/documents: JSON documents, uploaded many at once and read by name. See README.md."""

from __future__ import annotations

from signpost import Namespace
from signpost_documents import commands, resources
from signpost_documents.namespace import ns

__all__ = ["commands", "create", "resources"]


def create() -> Namespace:
    """Return what is mounted at /api/documents."""
    return ns
