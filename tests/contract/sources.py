"""What the contract tests read: the files of this repository and their syntax trees."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def files(*patterns: str) -> tuple[str, ...]:
    """Return the files that are in the repository or could be added, as ``api/app.py``."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(name for name in sorted(set(listed.split("\n"))) if (ROOT / name).is_file())


def text(name: str) -> str:
    """Return what a file holds."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(text(name), name)


def imports(name: str) -> set[str]:
    """Return the dotted names that a file imports, wherever in it: ``services.log.record``.

    Without what it imports relatively, which is its own package's.
    """
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(name: str) -> list[tuple[str, int]]:
    """Return what a file calls, as written (``sa.text``), and the line."""
    return [
        (ast.unparse(node.func), node.lineno)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call)
    ]
