"""The settings as text, made from ``config.Config``: ``.env.example`` and the table in the docs."""

from __future__ import annotations

import textwrap
from dataclasses import fields

from config import Config

_HEAD = """\
# Settings of Signpost. Copy to .env and change what you need; the environment wins over this file.
# Durations are in seconds, sizes in bytes. Made by `flask settings example`.
"""


def example() -> str:
    """Return ``.env.example``: every setting, commented out, with its default."""
    parts = [_HEAD]
    for name, default, meaning in _described():
        comment = textwrap.fill(
            meaning, 99, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
        parts.append(f"{comment}\n#{name}={default}\n")
    return "\n".join(parts)


def table() -> str:
    """Return the table of docs/operations.md."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, default, meaning in _described():
        shown = f"`{default}`" if default else ""
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def _described() -> list[tuple[str, str, str]]:
    return [(each.name, _text(each.default), each.metadata["meaning"]) for each in fields(Config)]


def _text(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "" if default in (None, ()) else str(default)
