"""Section G: texts and times that a database, a log or a reader would stumble over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import code, data, faults, ids
from tests.security.sender import Sender
from tests.security.surface import FORM, JSON, Operation, kinds, texts

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from models import User
    from tests.security.conftest import Stored

#: Members that may have several lines, or are secrets and never shown: they hold what was typed.
FREE = {"body", "excerpt", "bio", "password", "current_password", "new_password"}
#: Members that must be told apart at sight.
NAMES = {"username", "email", "slug", "tags"}
#: C0, C1, DEL, line and paragraph separators, bidi marks that embed, override and isolate.
CONTROLS = "\x01\x07\x08\t\n\v\f\r\x1b\x1f\x7f\x80\x85\x9b\u2028\u2029\u202a\u202e\u2066\u2069"
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u034f\u180e\u3164\U000e0041\ufe0f"
#: What no time is: years, offsets and seconds out of range, and what other formats allow.
NO_TIMES = (
    "0000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "+12026-01-01T00:00:00Z",
    "99999999999-01-01T00:00:00Z",
    "2026-11-20T06:45:00+24:00",
    "2026-11-20T06:45:00-24:00",
    "2026-11-20T06:45:00+23:60",
    "2026-11-20T06:45:00+99:99",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-12-31T23:59:60Z",
    "2026-12-31T24:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-11-20T06:45:00",
    "2026-11-20T06:45Z",
    "2026-11-20",
    "20261120T064500Z",
    "2026-W47-5T00:00:00Z",
    "2026-324T00:00:00Z",
    "2026-11-20T06:45:00,5Z",
    "2026-11-20T06:45:00.1234567890123Z",
    "٢٠٢٦-11-20T06:45:00Z",
    "1795157100",
    "now",
    "infinity",
    "epoch",
    "",
)


def members(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Give each text of a body, and what makes a value of that member of a text."""
    for name, schema in (operation.body or {}).items():
        if texts(schema) or schema.get("format") in {"email", "password"}:
            yield name, lambda text: text
        elif "array" in kinds(schema) and texts(schema["items"]):
            yield name, lambda text: ["fine", text]


def spoilt(name: str, mark: str, at: int = 2) -> str:
    """Return a text for a member that would be fine without ``mark``."""
    text = {"email": "zq@example.org", "slug": "zq-slug"}.get(name, "zq-valid-text")
    return text[:at] + mark + text[at:]


class TestCase105:
    """No NUL gets anywhere."""

    def test_case_105_in_bodies(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation in sender.surface:
            for name, make in members(operation):
                for at in (0, 2, 99):
                    answer = sender.body(operation, {name: make(spoilt(name, "\0", at))})
                    found = {each.split(".")[0]: how for each, how in faults(answer).items()}
                    assert found == {name: "control_character"}, operation
                answer = sender.body(operation, {f"{name}\0": "x"})
                assert set(faults(answer).values()) == {"unknown"}
        assert stored() == before

    def test_case_105_in_forms(self, sender: Sender, stored: Stored) -> None:
        before = stored()["sessions"]
        for operation in sender.surface:
            for name, _ in members(operation) if FORM in operation.types else ():
                form = {**operation.valid(), name: "a\0b"}
                answer = sender.client.post(operation.path, data=form)
                assert faults(answer) == {name: "control_character"}
        assert stored()["sessions"] == before

    def test_case_105_in_queries_and_paths(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation in sender.surface:
            for name in operation.query:
                for text in ("%00", "a%00", "%00a"):
                    answer = sender.query(operation, f"{name}={text}")
                    assert faults(answer).keys() == {name}, (operation, name)
            for name in operation.variables:
                for text in ("%00", "a%00b", "1%00"):
                    url = operation.url(**{name: text})
                    answer = sender.client.open(url, method=operation.method)
                    assert code(answer) == "not-found", (operation, text)
        assert stored() == before


class TestCase106:
    """Half of a character is none."""

    def test_case_106_lone_surrogates(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation in sender.surface:
            for name, _ in members(operation):
                for half in (b"\\ud800", b"\\udfff", b"\\ude00\\ud83d", b"\xed\xa0\x80", b"\xff"):
                    for text in (b'{"%s": "a%s"}', b'{"%s%s": 1}', b'{"x": {"%s": ["%s"]}}'):
                        answer = sender.raw(operation, text % (name.encode(), half))
                        assert code(answer) == "malformed-json", (operation, half)
            for name in operation.query:
                for octets in ("%ED%A0%80", "%FF", "%C0%80", "%F4%90%80%80"):
                    assert code(sender.query(operation, f"{name}={octets}")) == "validation"
        assert stored() == before

    def test_case_106_both_halves_are_a_character(self, sender: Sender) -> None:
        body = b'{"title": "\\ud83d\\ude00", "body": "\\ud83d\\ude00"}'
        answer = sender.client.post("/api/v1/posts", data=body, content_type=JSON)
        assert data(answer, 201)["title"] == "\U0001f600"


class TestCase107:
    """One line is one line, and names that look alike are alike."""

    @pytest.mark.parametrize(
        ("marks", "only_names"),
        [(CONTROLS, False), (INVISIBLE, True)],
        ids=["control", "invisible"],
    )
    def test_case_107_controls_and_what_is_not_seen(
        self, sender: Sender, stored: Stored, marks: str, only_names: bool
    ) -> None:
        before = stored()
        for operation in sender.surface:
            for name, make in members(operation):
                is_name = name in NAMES and FORM not in operation.types
                if name in FREE or (only_names and not is_name):
                    continue
                for mark in marks:
                    for at in (0, 2, 99):
                        answer = sender.body(operation, {name: make(spoilt(name, mark, at))})
                        found = {each.split(".")[0] for each in faults(answer)}
                        assert found == {name}, (operation, name, mark)
        assert stored() == before

    def test_case_107_a_name_may_be_joined(self, callers: dict[str, FlaskClient]) -> None:
        for name in (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\U0001f469\u200d\U0001f4bb",
        ):
            answer = callers["author"].patch("/api/v1/users/me", json={"name": name})
            assert data(answer)["name"] == name


class TestCase108:
    """Every text has an end, and the database never has to say so."""

    def test_case_108_one_more_than_fits(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation in sender.surface:
            for name, make in members(operation):
                schema = (operation.body or {})[name]
                most = schema.get("items", schema).get("maxLength", 100_000)
                for letter in ("a", "\U0001d49c"):
                    answer = sender.body(operation, {name: make(letter * (most + 1))})
                    assert set(faults(answer).values()) <= {"too_long", "format"}, operation
                    assert letter * 20 not in answer.text
            for name, schema in operation.query.items():
                text = "a" * (schema.get("items", schema).get("maxLength", 3_000) + 1)
                assert faults(sender.query(operation, f"{name}={text}")).keys() == {name}
        assert stored() == before

    def test_case_108_what_just_fits_is_kept(self, callers: dict[str, FlaskClient]) -> None:
        wide = "\U0001d49c"
        post = {
            "title": wide * 200,
            "body": wide * 100_000,
            "excerpt": wide * 500,
            "slug": "a" * 200,
            "tags": [f"{wide * 48}{number:02}" for number in range(20)],
        }
        made = data(callers["author"].post("/api/v1/posts", json=post), 201)
        assert {name: made[name] for name in post} == post
        profile = {"name": wide * 100, "bio": wide * 500, "username": "a" * 40}
        changed = data(callers["author"].patch("/api/v1/users/me", json=profile))
        assert {name: changed[name] for name in profile} == profile

    def test_case_108_too_many_of_them(self, callers: dict[str, FlaskClient]) -> None:
        post = {"title": "t", "body": "b", "tags": [f"t{number}" for number in range(21)]}
        assert faults(callers["author"].post("/api/v1/posts", json=post)) == {"tags": "too_many"}


class TestCase109:
    """A time is a time that every part of the service can hold."""

    def test_case_109_what_no_time_is(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        asked = 0
        for operation in sender.surface:
            for name, schema in (operation.body or {}).items():
                for text in NO_TIMES if schema.get("format") == "date-time" else ():
                    answer = sender.body(operation, {name: text})
                    assert faults(answer) == {name: "format"}, (operation, text)
            for name, schema in operation.query.items():
                for text in NO_TIMES if schema.get("format") == "date-time" else ():
                    answer = sender.query(operation, f"{name}={text.replace('+', '%2B')}")
                    assert faults(answer) == {name: "format"}, (operation, text)
                    asked += 1
        assert asked > 0
        assert stored() == before

    def test_case_109_the_first_and_the_last_are_times(
        self, callers: dict[str, FlaskClient], ada: User
    ) -> None:
        author, made = callers["author"], []
        times = ("0001-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z")
        for time in times:
            post = {"title": "t", "body": "b", "status": "published", "published_at": time}
            made.append(data(author.post("/api/v1/posts", json=post), 201))
        assert [each["published_at"] for each in made] == list(times)
        for sort, order in (("published_at", [0, 1, 2]), ("-published_at", [2, 1, 0])):
            url, walked = f"/api/v1/posts?status=any&limit=1&sort={sort}", list[int]()
            cursor: str | None = ""
            while cursor is not None:
                page = data(author.get(f"{url}&cursor={cursor}" if cursor else url))
                walked += [each["id"] for each in page["items"]]
                cursor = page["next"]
            assert walked == [made[at]["id"] for at in order]
        found = author.get(f"/api/v1/posts?status=any&published_after={times[0]}")
        assert set(ids(found)) == {made[1]["id"], made[2]["id"]}


def test_every_member_is_asked_for(surface: list[Operation]) -> None:
    asked = {name for operation in surface for name, _ in members(operation)}
    assert {"title", "body", "slug", "tags", "username", "email", "password"} <= asked
