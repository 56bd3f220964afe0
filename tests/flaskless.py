"""A pytest plugin that makes Flask unimportable: ``pytest -p tests.flaskless tests/services``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_REFUSED = ("api", "flask", "granian", "werkzeug")


class FlaskRefused(ImportError):
    """Something below ``api/`` wants what only ``api/`` may have."""


class _Refuse(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.split(".")[0].split("_")[0] in _REFUSED:
            raise FlaskRefused(f"{name} is not to be imported by services, models or migrations")
        return None


def pytest_configure() -> None:
    """Refuse from now on; nothing of it may be there already."""
    loaded = {name for name in sys.modules if name.split(".")[0].split("_")[0] in _REFUSED}
    assert not loaded, f"already imported: {sorted(loaded)[:5]}"
    sys.meta_path.insert(0, _Refuse())
