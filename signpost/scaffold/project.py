"""The ``pyproject.toml`` of a package: what it brings, and new entry points beside that."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

EXTENSIONS, COMMANDS, HOOKS = "signpost.extensions", "signpost.commands", "signpost.hooks"


class NoPackage(ValueError):
    """A folder holds no package that something can be added to."""


class Project:
    """One package; all that is in its file stays as it is written."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            NoPackage: there is no ``pyproject.toml`` with a project.
        """
        self.path = folder / "pyproject.toml"
        try:
            self._document = tomlkit.parse(self.path.read_text(encoding="utf-8"))
            self._project: Any = self._document["project"]
        except (OSError, TOMLKitError) as exc:
            raise NoPackage(f"{folder} has no pyproject.toml of a package: {exc}") from exc

    @property
    def extensions(self) -> list[str]:
        """Names of the extensions that it brings."""
        return list(self._keys(EXTENSIONS))

    @property
    def module(self) -> str:
        """The package of modules that its entry points name.

        Raises:
            NoPackage: it has none.
        """
        for group in (EXTENSIONS, COMMANDS, HOOKS):
            for value in self._keys(group).values():
                return str(value).partition(":")[0].partition(".")[0]
        raise NoPackage(f"{self.path} brings nothing to Signpost; see `flask extension new`.")

    def has(self, group: str, key: str) -> bool:
        """Whether there is such an entry point."""
        return key in self._keys(group)

    def add(self, group: str, key: str, value: str) -> None:
        """Add an entry point, and write the file."""
        points = self._project.get("entry-points")
        if points is None:
            points = self._project["entry-points"] = tomlkit.table(is_super_table=True)
        if group in points:
            points[group][key] = value
        else:
            table = tomlkit.table()
            table.append(key, value)
            table.add(tomlkit.nl())
            points[group] = table
        self.path.write_text(tomlkit.dumps(self._document), encoding="utf-8")

    def _keys(self, group: str) -> dict[str, Any]:
        found: Table | dict[str, Any] = self._project.get("entry-points", {}).get(group, {})
        return dict(found)


def joined(names: Iterable[str]) -> str:
    """Return names as a sentence has them; ``none`` if there are none."""
    return ", ".join(sorted(names)) or "none"
