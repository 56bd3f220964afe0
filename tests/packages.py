"""Installed packages of a test's own: a module and a ``.dist-info`` folder, as pip leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def install(
    folder: Path, distribution: str, code: str, entry_points: Mapping[str, Mapping[str, str]]
) -> Path:
    """Install a distribution of one module into a folder of ``sys.path``; return the module.

    Args:
        code: the module's; it is called as the distribution, with ``_`` for ``-``.
        entry_points: group → key → name of what is meant in that module.
    """
    name = distribution.replace("-", "_")
    module = folder / f"{name}.py"
    module.write_text(dedent(code).lstrip())
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    lines = [
        line
        for group, keys in entry_points.items()
        for line in (f"[{group}]", *(f"{key} = {name}:{what}" for key, what in keys.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return module
