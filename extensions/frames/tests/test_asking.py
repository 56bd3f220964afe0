"""What a table tells over HTTP: columns, rows, statistics, plots."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CSV = (
    b"name,price,at,ok\n"
    b"Red,1.5,2026-01-02,true\n"
    b"blue,,2026-01-03T10:00:00.123456,false\n"
    b",3,,\n"
    b"red wine,2.25,2026-01-01,true\n"
)
ROWS = [
    {"name": "Red", "price": 1.5, "at": "2026-01-02T00:00:00.000Z", "ok": True},
    {"name": "blue", "price": None, "at": "2026-01-03T10:00:00.123Z", "ok": False},
    {"name": None, "price": 3.0, "at": None, "ok": None},
    {"name": "red wine", "price": 2.25, "at": "2026-01-01T00:00:00.000Z", "ok": True},
]


def items(answer: TestResponse) -> Any:
    """Return what a list has."""
    assert answer.status_code == 200, answer.text
    return answer.get_json()["items"]


def faults(answer: TestResponse, status: int = 400) -> list[tuple[str, str]]:
    """Return what a refusal finds wrong."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    return [(each["field"], each["code"]) for each in answer.get_json()["errors"]]


@pytest.fixture
def url(author: FlaskClient) -> str:
    """Where the table is."""
    return made(author)


def made(author: FlaskClient, content: bytes = CSV) -> str:
    """Upload a table; return its URL."""
    answer = author.post("/api/frames", data={"files": (BytesIO(content), "a.csv")})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


class TestColumns:
    def test_tells_names_dtypes_and_nulls(self, author: FlaskClient, url: str) -> None:
        assert items(author.get(f"{url}/columns")) == [
            {"name": "name", "dtype": "str", "nulls": 1},
            {"name": "price", "dtype": "float64", "nulls": 1},
            {"name": "at", "dtype": "datetime64", "nulls": 1},
            {"name": "ok", "dtype": "bool", "nulls": 1},
        ]


class TestRows:
    def test_shows_them_as_they_were_uploaded(self, author: FlaskClient, url: str) -> None:
        # when
        answer = author.get(f"{url}/rows")
        # then
        assert answer.get_json() == {"items": ROWS, "next": None, "total": None}
        again = author.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("where=price>=2", [2, 3]),
            ("where=name~red", [0, 3]),
            ("where=name=Red", [0]),
            ("where=name=", [2]),
            ("where=ok=true&where=price<2", [0]),
            ("where=at>2026-01-01T12:00:00Z", [0, 1]),
            ("where=price<0", []),
            ("sort=price", [0, 3, 2, 1]),
            ("sort=-price&where=price!=", [2, 3, 0]),
        ],
    )
    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_walks_see_what_is_asked_for(
        self, author: FlaskClient, url: str, query: str, found: list[int], limit: int
    ) -> None:
        # given
        rows = f"{url}/rows?{query}&limit={limit}".replace("~", "%7E")
        # when
        seen: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = author.get(rows + (f"&cursor={cursor}" if cursor else "&total=true"))
            seen += items(page)
            if not cursor:
                assert page.get_json()["total"] == len(found)
            cursor = page.get_json()["next"]
        # then
        assert seen == [ROWS[at] for at in found]

    def test_has_pages_by_number_with_links(self, author: FlaskClient, url: str) -> None:
        rows = f"{url}/rows"
        second = author.get(f"{rows}?page=2&limit=3")
        assert items(second) == ROWS[3:]
        assert 'rel="prev"' in second.headers["Link"]
        assert 'rel="next"' not in second.headers["Link"]

    def test_shows_only_the_columns_asked_for(self, author: FlaskClient, url: str) -> None:
        shown = items(author.get(f"{url}/rows?column=ok&column=name&limit=1"))
        assert [list(each) for each in shown] == [["ok", "name"]]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("column=nix", [("column", "choice")]),
            ("sort=nix", [("sort", "choice")]),
            ("where=nix=1", [("where", "format")]),
            ("where=price=x", [("where", "type")]),
            ("limit=0", [("limit", "too_small")]),
            ("limit=101", [("limit", "too_large")]),
            ("page=1&cursor=abc", [("cursor", "conflict")]),
            ("cursor=abc", [("cursor", "format")]),
            ("nix=1&limit=x", [("nix", "unknown"), ("limit", "format")]),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, author: FlaskClient, url: str, query: str, expected: list[tuple[str, str]]
    ) -> None:
        assert faults(author.get(f"{url}/rows?{query}")) == expected

    def test_refuses_the_cursor_of_another_list(self, author: FlaskClient) -> None:
        # given
        one, other = made(author), made(author)
        cursor = author.get(f"{one}/rows?limit=1").get_json()["next"]
        # then
        for rows in (f"{other}/rows?limit=1", f"{one}/rows?limit=1&sort=price"):
            assert faults(author.get(f"{rows}&cursor={cursor}")) == [("cursor", "format")]


class TestDescribe:
    def test_tells_statistics_of_each_column(self, author: FlaskClient, url: str) -> None:
        # when
        name, price, at, ok = items(author.get(f"{url}/describe"))
        # then
        assert (price["count"], price["mean"], price["max"]) == (3, 2.25, 3.0)
        assert (name["unique"], name["nulls"]) == (3, 1)
        assert at["min"] == "2026-01-01T00:00:00.000Z"
        assert (ok["top"], ok["freq"]) == (True, 2)

    def test_of_nothing_has_null_for_what_there_is_not(self, author: FlaskClient) -> None:
        (said,) = items(author.get(f"{made(author, b'a')}/describe"))
        assert (said["count"], said["nulls"]) == (0, 0)

    def test_of_chosen_columns(self, author: FlaskClient, url: str) -> None:
        assert [e["name"] for e in items(author.get(f"{url}/describe?column=at"))] == ["at"]
        assert faults(author.get(f"{url}/describe?column=x")) == [("column", "choice")]


class TestPlot:
    @pytest.mark.parametrize(("format", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml version=")])
    def test_is_a_picture_that_runs_nothing(
        self, author: FlaskClient, url: str, format: str, start: bytes
    ) -> None:
        # when
        plot = f"{url}/plot?kind=scatter&x=at&y=price&format={format}"
        answer = author.get(plot)
        # then
        assert answer.status_code == 200
        assert answer.data.startswith(start)
        assert answer.mimetype in ("image/png", "image/svg+xml")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = author.get(plot, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", [("x", "required")]),
            ("x=nix&y=price", [("x", "choice")]),
            ("x=price&y=nix", [("y", "choice")]),
            ("x=name&y=price&kind=line", [("x", "type")]),
            ("x=price&kind=line", [("y", "required")]),
            ("x=price&y=price&kind=pie", [("kind", "choice")]),
            ("x=price&y=price&width=5000", [("width", "too_large")]),
        ],
    )
    def test_refuses_what_cannot_be_drawn(
        self, author: FlaskClient, url: str, query: str, expected: list[tuple[str, str]]
    ) -> None:
        assert faults(author.get(f"{url}/plot?{query}")) == expected
