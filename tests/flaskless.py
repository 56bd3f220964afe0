"""Makes Flask unimportable for a while: tests of services and models run without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_REFUSED = {"api", "flask", "granian", "werkzeug"}


class FlaskRefused(ImportError):
    """Something below ``api/`` wants what only ``api/`` may have."""


class _Refuse(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if _is_refused(name):
            raise FlaskRefused(f"{name} is not to be imported by services, models or migrations")
        return None


@contextmanager
def without_flask() -> Iterator[None]:
    """Refuse Flask, what extends it and ``api``; modules that are loaded already are hidden."""
    hidden = {name: module for name, module in sys.modules.items() if _is_refused(name)}
    for name in hidden:
        del sys.modules[name]
    finder = _Refuse()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(hidden)


def _is_refused(name: str) -> bool:
    return name.split(".")[0].split("_")[0] in _REFUSED
