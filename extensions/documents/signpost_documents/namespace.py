"""The namespace that all of this is declared in, and what its problems say."""

from __future__ import annotations

from typing import Any

from signpost import Namespace


def told(problem: dict[str, Any]) -> dict[str, Any]:
    """Add ``error`` to a problem about what is not there."""
    missing = {"error": "file not found in server"} if problem["status"] == 404 else {}
    return problem | missing


ns = Namespace(
    "Documents",
    description="JSON documents, uploaded many at once and read by name.",
    shape=told,
)
