"""Query strings: declared, compiled and strict. A bare Flask app is enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from api import query
from api.arguments import (
    Identifiers,
    Text,
    Whole,
    choice,
    flag,
    identifier,
    parser,
    sort,
    timestamp,
)
from services.errors import Invalid
from services.validation import CODES

posts = (
    parser()
    .add_argument("limit", type=Whole(1, 100), default=20, help="Items of a page.")
    .add_argument("author_id", type=identifier)
    .add_argument("total", type=flag, default=False)
    .add_argument("status", type=choice("published", "draft"), default="published")
    .add_argument("sort", type=sort("title", "created_at"))
    .add_argument("after", type=timestamp)
    .add_argument("q", type=Text(10))
    .add_argument("ids", type=Identifiers(3))
    .add_argument("tag", type=Text(5), action="append")
)
DEFAULTS: dict[str, Any] = {
    "limit": 20,
    "author_id": None,
    "total": False,
    "status": "published",
    "sort": None,
    "after": None,
    "q": None,
    "ids": None,
    "tag": [],
}
Read = Callable[[str], dict[str, Any]]


@pytest.fixture
def read() -> Read:
    app, compiled = Flask(__name__), query.compile(posts)

    def read(text: str) -> dict[str, Any]:
        with app.test_request_context("/?" + text):
            return compiled()

    return read


def faults(read: Read, text: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert {fault.code for fault in caught.value.faults} <= CODES.keys()
    return [(fault.field, fault.code) for fault in caught.value.faults]


class TestRead:
    def test_defaults(self, read: Read) -> None:
        assert read("") == DEFAULTS

    def test_defaults_are_not_shared(self, read: Read) -> None:
        read("")["tag"].append("x")

        assert read("") == DEFAULTS

    def test_values(self, read: Read) -> None:
        values = read(
            "limit=100&author_id=7&total=true&status=draft&sort=-title&q=caf%C3%A9+e%CC%81"
            "&ids=3,1,3&tag=a&tag=b&after=2026-01-01T00:00:00.5%2B01:00"
        )

        assert values == {
            "limit": 100,
            "author_id": 7,
            "total": True,
            "status": "draft",
            "sort": "-title",
            "after": datetime(2025, 12, 31, 23, 0, 0, 500_000, tzinfo=UTC),
            "q": "caf\xe9 \xe9",
            "ids": [3, 1],
            "tag": ["a", "b"],
        }

    def test_a_plus_sign_in_an_offset_may_stand_unescaped(self, read: Read) -> None:
        expected = datetime(2025, 12, 31, 23, tzinfo=UTC)

        assert read("after=2026-01-01T00:00:00+01:00")["after"] == expected

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            *(
                (f"limit={text}", "format")
                for text in ("", "x", "1_0", "%D9%A1", "%2B1", "01", "1.0")
            ),
            *((f"limit={text}", "format") for text in ("0x1", "1e1", "%201", "-0", "1%0A")),
            *((f"limit={text}", "too_small") for text in ("0", "-1", "-" + "9" * 5000)),
            *((f"limit={text}", "too_large") for text in ("101", "1" + "0" * 30, "9" * 5000)),
            ("author_id=0", "too_small"),
            ("author_id=9007199254740992", "too_large"),
            ("author_id=2147483648%20", "format"),
            ("total=True", "choice"),
            ("total=1", "choice"),
            ("total", "choice"),
            ("status=", "choice"),
            ("status=archived", "choice"),
            ("sort=password_hash", "choice"),
            ("sort=--title", "choice"),
            ("sort=title,created_at", "choice"),
            ("after=2026-01-01T00:00:00", "format"),
            ("after=2026-01-01%2000:00", "format"),
            ("q=12345678901", "too_long"),
            ("q=a%00", "control_character"),
            ("ids=", "format"),
            ("ids=1,,2", "format"),
            ("ids=1,x", "format"),
            ("ids=1,2,3,4", "too_many"),
            ("tag=a&tag=123456", "too_long"),
            ("&".join(["tag=a"] * 51), "too_many"),
            ("limit=1&limit=1000", "repeated"),
            ("limit=1&limit=1", "repeated"),
            ("password_hash=x", "unknown"),
            ("author__password=x", "unknown"),
            ("filter[password_hash][startswith]=a", "unknown"),
            ("Limit=1", "unknown"),
        ],
    )
    def test_a_fault(self, read: Read, text: str, code: str) -> None:
        ((_, found),) = faults(read, text)

        assert found == code

    def test_every_fault_at_once(self, read: Read) -> None:
        found = faults(read, "limit=x&status=y&q=a%00&z=1&z=2")

        assert found == [
            ("limit", "format"),
            ("status", "choice"),
            ("q", "control_character"),
            ("z", "unknown"),
        ]

    def test_never_tells_the_value(self, read: Read) -> None:
        with pytest.raises(Invalid) as caught:
            read("status=secret&after=secret&sort=secret&ids=secret&total=secret")

        assert "secret" not in repr(caught.value.faults)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("q=%ff", "format"),
            ("%ff=1", "format"),
            ("&".join(f"x{n}" for n in range(300)), "too_many"),
        ],
    )
    def test_what_is_no_query_string(self, read: Read, text: str, code: str) -> None:
        assert faults(read, text) == [("", code)]

    def test_bytes_that_nobody_escaped(self) -> None:
        app, compiled = Flask(__name__), query.compile(posts)
        environ = {"QUERY_STRING": "q=\xff"}

        with app.test_request_context("/", environ_overrides=environ), pytest.raises(Invalid):
            compiled()

    def test_a_required_argument(self) -> None:
        declared = parser().add_argument("at", type=timestamp, required=True)
        app, compiled = Flask(__name__), query.compile(declared)

        with app.test_request_context("/"), pytest.raises(Invalid) as caught:
            compiled()

        assert [fault.code for fault in caught.value.faults] == ["required"]


class TestSchema:
    def test_is_valid_for_repeatable_arguments_and_lists_too(self) -> None:
        schemas = {schema["name"]: schema for schema in posts.__schema__}

        assert schemas["limit"] == {
            "name": "limit",
            "in": "query",
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 20,
            "description": "Items of a page.",
        }
        assert schemas["tag"]["items"] == {
            "type": "string",
            "minLength": 0,
            "maxLength": 5,
            "pattern": "^[^\\u0000]*$",
        }
        assert schemas["tag"]["collectionFormat"] == "multi"
        assert schemas["ids"]["collectionFormat"] == "csv"
        assert schemas["sort"]["enum"] == ["title", "-title", "created_at", "-created_at"]
        assert schemas["after"]["format"] == "date-time"
