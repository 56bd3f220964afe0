"""The settings as text, made from ``config.Config``: ``.env.example`` and the table in the docs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from config import Config
from config_env import names_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Sections = Mapping[str, type[DataclassInstance]]

_HEAD = """\
# Settings of Signpost. Copy to .env and change what you need; the environment wins over this file.
# Durations are in seconds, sizes in bytes. Made by `flask settings example`.
"""


def example(extensions: Sections | None = None) -> str:
    """Return ``.env.example``: every setting, commented out, with its default.

    Args:
        extensions: what they declare, by name; each gets a section after the core's.
    """
    parts = [_HEAD, *_samples(Config)]
    for name, cls in (extensions or {}).items():
        parts += [f"\n# Settings of the extension {name}.\n", *_samples(cls, name)]
    return "\n".join(parts)


def table(extensions: Sections | None = None) -> str:
    """Return the table of docs/operations.md, and one for each of ``extensions``."""
    parts = [_table(Config)]
    for name, cls in (extensions or {}).items():
        parts.append(f"### {name}\n\n{_table(cls, name)}")
    return "\n".join(parts)


def _samples(cls: type[DataclassInstance], extension: str = "") -> Iterator[str]:
    for name, default, meaning in _described(cls, extension):
        comment = textwrap.fill(
            meaning, 99, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
        yield f"{comment}\n#{name}={default}\n"


def _table(cls: type[DataclassInstance], extension: str = "") -> str:
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, default, meaning in _described(cls, extension):
        shown = f"`{default}`" if default else ""
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def _described(cls: type[DataclassInstance], extension: str) -> Iterator[tuple[str, str, str]]:
    for name, each in names_of(cls, extension).items():
        yield name, _text(each.default), each.metadata["meaning"]


def _text(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ",".join(default)
    return "" if default is None else str(default)
