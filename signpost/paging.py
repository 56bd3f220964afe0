"""Pages of what is no list of rows of a database: declared, asked for and told as all lists are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app, request

from api import arguments, pagination
from api.parsers import RequestParser
from services.listing import Page, Query

__all__ = ["Query", "paged", "paging", "query_of"]


def paging(most: int = 100) -> RequestParser:
    """Return a parser of ``limit``, ``cursor``, ``page``, ``total`` and ``sort``."""
    parser = RequestParser()
    parser.add_argument("limit", arguments.Whole(1, most), default=20, help="Items a page.")
    parser.add_argument("cursor", arguments.Cursor(), help="`next` of the page before.")
    parser.add_argument(
        "page",
        arguments.Whole(1, pagination.DEEPEST, "Follow the cursor in `next` to go deeper."),
        help="Page by number, from 1; down to row 10,000.",
    )
    parser.add_argument("total", arguments.flag, default=False, help="Count all matches.")
    parser.add_argument("sort", arguments.Text(300, 1), help="Order; `-` for descending.")
    return parser


def query_of(values: Mapping[str, Any]) -> Query:
    """Return what the values of a parser made by ``paging`` ask for; ``after`` is a position.

    Raises:
        Invalid: page and cursor together, a page too deep, or a cursor of another list.
    """
    return pagination.query_of(values, _cursors(), _scope(values))


def paged(
    items: Sequence[Any], values: Mapping[str, Any], next: int | None, total: int | None
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return what a verb answers: a page with its cursor, and the header ``Link``.

    Args:
        items: anything with a length that has a JSON form.
        values: those that ``query_of`` was given.
        next: a position, for ``after`` of the query of the next page; None: there is none.
    """
    position = None if next is None else (None, next)
    cursor = None if position is None else _cursors().write(position, _scope(values))
    url = f"{request.root_path}{request.path}"
    page = Page(items, position, total)
    links = pagination.links(url, request.args.to_dict(False), page, cursor)
    return {"items": items, "next": cursor, "total": total}, 200, {"Link": links} if links else {}


def _scope(values: Mapping[str, Any]) -> bytes:
    return pagination.scope_of(request.path, values)


def _cursors() -> pagination.Cursors:
    cursors: pagination.Cursors = current_app.extensions["signpost"].cursors
    return cursors
