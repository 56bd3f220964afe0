"""CSV: what readers of RFC 4180 get back, and what spreadsheets must not run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from flask_restx import Model

from api import fields
from api.masks import parse_mask
from api.output import masked, plan
from api.sheets import Sheet

AUTHOR = Model("SheetAuthor", {"id": fields.Integer(), "name": fields.String()})
SHAPE = Model(
    "SheetRow",
    {
        "id": fields.Integer(),
        "title": fields.String(),
        "tags": fields.List(fields.String()),
        "liked": fields.Boolean(),
        "author": fields.Nested(AUTHOR),
        "at": fields.DateTime(),
        "more": fields.Raw(),
    },
)
ROW: dict[str, Any] = {
    "id": -7,
    "title": "Grüße, 世界 🌍",
    "tags": ["a,b", 'c"d'],
    "liked": True,
    "author": {"id": 3, "name": "Ada"},
    "at": datetime(2026, 11, 20, 6, 45, tzinfo=UTC),
    "more": {"x": 1.5},
}


def written(row: dict[str, Any], mask: str | None = None) -> bytes:
    """Return header and line of a row."""
    sheet = Sheet(SHAPE, parse_mask(SHAPE, mask) if mask else None)
    render = masked(SHAPE, mask) if mask else plan(SHAPE)
    return sheet.header + sheet.line(render(row))


def read(text: bytes) -> list[dict[str, str]]:
    """Return the rows as Python's own reader sees them, which is told to be strict."""
    return list(csv.DictReader(io.StringIO(text.decode(), newline=""), strict=True))


class TestLines:
    def test_have_a_column_for_each_member(self) -> None:
        assert read(written(ROW)) == [
            {
                "id": "-7",
                "title": "Grüße, 世界 🌍",
                "tags": '["a,b","c\\"d"]',
                "liked": "true",
                "author.id": "3",
                "author.name": "Ada",
                "at": "2026-11-20T06:45:00.000Z",
                "more": '{"x":1.5}',
            }
        ]

    def test_have_what_a_mask_leaves(self) -> None:
        assert written(ROW, "author{name},id") == b"id,author.name\r\n-7,Ada\r\n"

    def test_end_as_rfc_4180_says(self) -> None:
        text = written({**ROW, "title": 'two\nlines, a "quote"'}, "id,title")

        assert text == b'id,title\r\n-7,"two\nlines, a ""quote"""\r\n'

    def test_leave_what_is_null_empty(self) -> None:
        row = dict.fromkeys(SHAPE)

        assert written(row).splitlines()[1] == b",,,,,,,"

    def test_of_one_empty_cell_are_not_empty(self) -> None:
        assert written({**ROW, "title": ""}, "title") == b'title\r\n""\r\n'


class TestFormulas:
    @pytest.mark.parametrize(
        "text",
        [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\uff1d1",
            "=cmd|' /C calc'!A0",
            '=HYPERLINK("http://example.org","x")',
            "'=1",
        ],
    )
    def test_become_text_and_lose_nothing(self, text: str) -> None:
        cell = read(written({**ROW, "title": text}, "title"))[0]["title"]

        assert cell == f"'{text}"

    @pytest.mark.parametrize("text", ["1-1", "a=1", " =1", "user@example.org", '"=1"', "it's"])
    def test_begin_only_at_the_beginning(self, text: str) -> None:
        assert read(written({**ROW, "title": text}, "title"))[0]["title"] == text

    def test_are_looked_for_in_nested_members(self) -> None:
        row = {**ROW, "author": {"id": -3, "name": "=1"}}

        assert written(row, "author").splitlines()[1] == b"-3,'=1"

    def test_are_never_numbers(self) -> None:
        assert written(ROW, "id").splitlines()[1] == b"-7"


def test_no_row_begins_like_the_line_of_an_error() -> None:
    text = written({**ROW, "title": '{"error": {}}'}, "title")

    assert not text.splitlines()[1].startswith(b'{"error"')
