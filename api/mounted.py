"""Which extension a path belongs to, and what that one has of its own: error shape, token schemes.

What is asked here for each error, and for a token that is not a bearer's; no other request asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app

from api.loading import Extension

#: A problem document → what the extension answers instead, with its status if that differs.
Shape = Callable[[dict[str, Any]], "dict[str, Any] | tuple[dict[str, Any], int]"]


@dataclass(frozen=True)
class Mounted:
    """An extension in one app."""

    extension: Extension
    settings: Any = None
    shape: Shape | None = None
    schemes: frozenset[str] = frozenset()
    """Schemes of ``Authorization`` beside Bearer, in lower case."""
    handlers: Mapping[type[BaseException], Callable[[Any], Any]] = field(default_factory=dict)

    def handler_of(self, error: BaseException) -> Callable[[Any], Any] | None:
        """Return what the extension does about an error of this class, or of the nearest above."""
        found = (self.handlers.get(cls) for cls in type(error).__mro__)
        return next((handler for handler in found if handler), None)


def all_of(app: Flask) -> dict[str, Mounted]:
    """Return what is mounted, by name."""
    mounted: dict[str, Mounted] = getattr(app.extensions.get("signpost"), "mounted", {})
    return mounted


def of(path: str) -> Mounted | None:
    """Return the extension below which a path is, whether there is anything at it or not."""
    parts = path.split("/", 3)
    if len(parts) < 3 or parts[1] != "api":
        return None
    return all_of(current_app).get(parts[2])
