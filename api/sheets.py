"""CSV: rows of a shape as lines that readers of RFC 4180 take and spreadsheets do not run.

Nested members are columns of their own, ``author.name``; lists are JSON text. Null is an empty
cell. See docs/clients.md.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

from flask_restx import Model

from api import fields
from api.masks import Mask
from api.output import dumps

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"

#: What a text must not begin with lest a spreadsheet takes it for a formula, and the mark itself:
#: so a reader gets every text back by taking one ``'`` away.
#: Source: OWASP ASVS 5.0, 1.2.10; CWE-1236. Wide forms are what Japanese keyboards write.
_RUN = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20'")

#: Where a cell is in a rendered row.
_Path = tuple[str, ...]


class Sheet:
    """The columns of a shape, or of what a mask leaves of it."""

    def __init__(self, shape: Model, mask: Mask | None) -> None:
        self._paths = list(_paths(shape, mask))
        write: Callable[[list[Any]], str] = csv.writer(_Echo()).writerow
        self._write = write

    @property
    def header(self) -> bytes:
        """The line of names."""
        return self._write([".".join(path) for path in self._paths]).encode()

    def line(self, row: dict[str, Any]) -> bytes:
        """Return a rendered row as a line."""
        return self._write([_cell(row, path) for path in self._paths]).encode()


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _paths(shape: Model, mask: Mask | None) -> Iterator[_Path]:
    wanted: Mask = tuple((name, None) for name in shape) if mask is None else mask
    for name, inner in wanted:
        field = shape[name]
        if isinstance(field, fields.Nested):
            yield from ((name, *path) for path in _paths(field.model, inner))
        else:
            yield (name,)


def _cell(row: Any, path: _Path) -> Any:
    value = row
    for name in path:
        if value is None:
            return ""
        value = value[name]
    if value is None:
        return ""
    if value.__class__ is str:
        return f"'{value}" if value[:1] in _RUN else value
    return value if value.__class__ is int else dumps(value).decode()
