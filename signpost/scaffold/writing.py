"""Files made of templates: all of them or none, and never over one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

#: Characters of a line.
WIDTH = 100

_TEMPLATES = Path(__file__).with_name("templates")


class FileExists(ValueError):
    """A file that is to be written is there already."""


def render(template: str, **values: Any) -> str:
    """Return the text that a template makes of values."""
    # What is made is Python, TOML and Markdown, which nobody reads as HTML.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["laid_out"] = laid_out
    return environment.get_template(f"{template}.jinja").render(values)


def laid_out(call: str, indent: int, end: str = ",") -> str:
    """Return ``head(one, other)`` as formatters break it: not, around its arguments, or at each.

    Args:
        call: no argument has a comma.
        indent: blanks before it.
    """
    head, _, rest = call.partition("(")
    arguments = rest.removesuffix(")")
    if indent + len(call) + len(end) <= WIDTH:
        return f"{call}{end}"
    blanks, inner = " " * indent, " " * (indent + 4)
    if len(inner) + len(arguments) > WIDTH:
        arguments = arguments.replace(", ", f",\n{inner}") + ","
    return f"{head}(\n{inner}{arguments}\n{blanks}){end}"


def write(files: Mapping[Path, str]) -> None:
    """Write new files, with their folders.

    Raises:
        FileExists: one is there; then none is written.
    """
    if there := [str(path) for path in files if path.exists()]:
        raise FileExists(f"{', '.join(there)} is there already; nothing was written.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)


def append(path: Path, line: str) -> None:
    """Add a paragraph to a file; one that isn't there is made."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
