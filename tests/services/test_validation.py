"""Rules for decoded data: what comes out clean, and every fault of what does not."""

from __future__ import annotations

import sys
import time
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from services.errors import Invalid
from services.text import Anything, Text
from services.times import format_time, parse_time
from services.validation import (
    CODES,
    MAX_INTEGER,
    Flag,
    Many,
    Member,
    Moment,
    Real,
    Record,
    Rule,
    Whole,
    validate,
)


def clean(rule: Rule, value: Any) -> Any:
    return validate(Record({"x": Member(rule)}), {"x": value})["x"]


def code(rule: Rule, value: Any) -> str:
    with pytest.raises(Invalid) as caught:
        clean(rule, value)
    (fault,) = caught.value.faults
    assert fault.code in CODES
    return fault.code


class TestRecord:
    POST = Record(
        {
            "title": Member(Text(max_length=5), required=True),
            "tags": Member(Many(Text(max_length=3), max_items=2)),
            "at": Member(Moment(), nullable=True),
            "bio": Member(Text(), nullable=True, reset=""),
            "id": Member(Whole(), read_only=True),
            "inner": Member(Record({"n": Member(Whole(), required=True)})),
        }
    )

    def test_absent_members_stay_absent(self) -> None:
        assert validate(self.POST, {"title": "Hi"}) == {"title": "Hi"}

    def test_null_becomes_the_default_where_it_resets(self) -> None:
        cleaned = validate(self.POST, {"title": "Hi", "at": None, "bio": None})

        assert cleaned == {"title": "Hi", "at": None, "bio": ""}

    def test_lists_every_fault_of_the_body_at_once(self) -> None:
        body = {"tags": ["a", "long", 3], "at": 1, "id": 9, "inner": {}, "z": 1, "bio": True}

        with pytest.raises(Invalid) as caught:
            validate(self.POST, body)

        found = {(fault.field, fault.code) for fault in caught.value.faults}
        assert found == {
            ("title", "required"),
            ("tags", "too_many"),
            ("tags.1", "too_long"),
            ("at", "type"),
            ("bio", "type"),
            ("id", "read_only"),
            ("inner.n", "required"),
            ("z", "unknown"),
        }
        assert caught.value.public_message == "8 fields are not valid."

    @pytest.mark.parametrize("body", [None, [], "x", 5, True])
    def test_a_body_that_is_no_object(self, body: Any) -> None:
        with pytest.raises(Invalid) as caught:
            validate(self.POST, body)

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [("", "type")]

    def test_null_where_it_is_not_allowed(self) -> None:
        with pytest.raises(Invalid) as caught:
            validate(self.POST, {"title": None, "tags": [None], "inner": None})

        assert [fault.code for fault in caught.value.faults] == ["null"] * 3

    def test_counts_the_faults_that_it_does_not_list(self) -> None:
        body = {f"f{n}": n for n in range(100_000)} | {"title": "Hi"}

        with pytest.raises(Invalid) as caught:
            validate(self.POST, body)

        assert len(caught.value.faults) == 1000
        assert "100,000 fields" in caught.value.public_message

    def test_names_that_a_client_chose_are_cut_and_encodable(self) -> None:
        with pytest.raises(Invalid) as caught:
            validate(self.POST, {"title": "Hi", "\ud800" + "x" * 5000: 1})

        assert len(caught.value.faults[0].field.encode()) == 100

    def test_never_tells_the_offending_value(self) -> None:
        with pytest.raises(Invalid) as caught:
            validate(self.POST, {"title": "secret text", "at": "secret", "tags": ["secret"]})

        assert "secret" not in repr(caught.value.faults)


class TestReal:
    def test_takes_whole_numbers_too(self) -> None:
        assert [clean(Real(0, 1), n) for n in (0, 0.5, 1)] == [0, 0.5, 1]

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("1", "type"),
            (True, "type"),
            (-0.1, "too_small"),
            (1.1, "too_large"),
        ],
    )
    def test_refuses(self, value: Any, expected: str) -> None:
        assert code(Real(0, 1), value) == expected

    def test_takes_what_a_double_holds(self) -> None:
        assert clean(Real(), -1e308) == -1e308
        assert code(Real(), 10**400) == "too_large"


class TestWhole:
    def test_bounds_are_allowed(self) -> None:
        assert [clean(Whole(1, 3), n) for n in (1, 3)] == [1, 3]

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (0, "too_small"),
            (4, "too_large"),
            (10**30, "too_large"),
            (True, "type"),
            (1.0, "type"),
            ("1", "type"),
            ([1], "type"),
        ],
    )
    def test_what_is_not_in_range_or_no_integer(self, value: Any, expected: str) -> None:
        assert code(Whole(1, 3), value) == expected

    def test_is_within_what_javascript_can_hold(self) -> None:
        assert clean(Whole(), MAX_INTEGER) == MAX_INTEGER
        assert code(Whole(), MAX_INTEGER + 1) == "too_large"


class TestFlag:
    def test_is_true_or_false(self) -> None:
        assert clean(Flag(), False) is False

    @pytest.mark.parametrize("value", [0, 1, "true"])
    def test_nothing_else(self, value: Any) -> None:
        assert code(Flag(), value) == "type"


class TestMany:
    def test_too_few_and_no_list(self) -> None:
        rule = Many(Whole(), min_items=1)

        assert code(rule, []) == "too_few"
        assert code(rule, "abc") == "type"

    def test_a_million_numbers_are_refused_quickly(self) -> None:
        numbers: list[int] = [1] * 1_000_000
        start = time.process_time()

        assert code(Many(Whole(), max_items=20), numbers) == "too_many"
        assert time.process_time() - start < 1.0  # quadratic ways took seconds


class TestText:
    def test_is_normalised_and_trimmed_before_it_is_counted(self) -> None:
        assert clean(Text(max_length=2), "  e\u0301a  ") == "\xe9a"
        assert code(Text(min_length=1), "   ") == "too_short"
        assert code(Text(max_length=2), "abc") == "too_long"

    def test_of_many_lines_keeps_its_blanks(self) -> None:
        assert clean(Text("text"), " a\n\tb\n") == " a\n\tb\n"

    def test_a_password_is_not_trimmed(self) -> None:
        assert clean(Text("password", 8), " dinosaur 77 ") == " dinosaur 77 "

    @pytest.mark.parametrize("kind", ["line", "text", "password", "slug"])
    @pytest.mark.parametrize("character", ["\0", chr(0xD800), chr(0xDFFF)])
    def test_nowhere_a_nul_or_lone_surrogate(self, kind: Any, character: str) -> None:
        assert code(Text(kind), f"abc{character}defgh") == "control_character"

    @pytest.mark.parametrize("character", list("\n\r\t\x07\x1b\x7f\x85\u2028\u202e\u2066\u2069"))
    @pytest.mark.parametrize("text", ["a{}b", "{}a", "a{}"])
    def test_no_control_or_bidi_character_in_one_line(self, text: str, character: str) -> None:
        assert code(Text(), text.format(character)) == "control_character"

    @pytest.mark.parametrize("kind", ["username", "slug", "tag", "email"])
    @pytest.mark.parametrize("character", list("\u200b\u200c\u200d\u2060\ufeff\u00ad"))
    def test_nothing_invisible_where_names_are_unique(self, kind: Any, character: str) -> None:
        assert code(Text(kind), f"abc{character}def") == "control_character"

    def test_a_name_may_hold_joiners(self) -> None:
        family = "\U0001f469\u200d\U0001f467 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

        assert clean(Text(), family) == family

    def test_choices(self) -> None:
        rule = Text(choices=("draft", "published"))

        assert clean(rule, "draft") == "draft"
        assert code(rule, "Draft") == "choice"
        assert code(rule, 1) == "type"

    @pytest.mark.parametrize("value", ["ada", "A_b-9", "x" * 40])
    def test_usernames(self, value: str) -> None:
        assert clean(Text("username"), value) == value

    @pytest.mark.parametrize(
        "value", ["ada lovelace", "ad\u0430", "\xe4da", "a@b", "\u0661\u0662\u0663"]
    )
    def test_what_no_username_is(self, value: str) -> None:
        assert code(Text("username"), value) == "format"

    @pytest.mark.parametrize("value", ["a", "a-b-2", "0"])
    def test_slugs(self, value: str) -> None:
        assert clean(Text("slug"), value) == value

    @pytest.mark.parametrize("value", ["A", "a--b", "-a", "a-", "a_b", "", "a b", "\xe9"])
    def test_what_no_slug_is(self, value: str) -> None:
        assert code(Text("slug"), value) == "format"

    def test_patterns_take_linear_time(self) -> None:
        start = time.process_time()

        assert code(Text("slug", max_length=200_000), "a-" * 100_000) == "format"
        assert time.process_time() - start < 1.0  # quadratic ways took seconds

    def test_an_email_has_the_form_that_its_library_gives_it(self) -> None:
        assert clean(Text("email"), " Ada@EXAMPLE.org ") == "Ada@example.org"

    @pytest.mark.parametrize(
        "value",
        [
            "ada",
            "ada@",
            "@x.org",
            "a@b",
            "a b@x.org",
            "a@x..org",
            "Ada <a@x.org>",
            "a@x.org,b@x.org",
            "a" * 65 + "@x.org",
        ],
    )
    def test_what_no_email_is(self, value: str) -> None:
        assert code(Text("email"), value) == "format"

    def test_an_overlong_email_is_refused(self) -> None:
        assert code(Text("email", max_length=254), "a" * 250 + "@x.org") == "too_long"

    def test_overlong_text_is_refused_before_work_is_done_on_it(self) -> None:
        start = time.process_time()

        assert code(Text(max_length=200), "a\u0301\u0323" * 300_000) == "too_long"
        assert time.process_time() - start < 1.0  # quadratic ways took seconds

    def test_runs_of_combining_marks_are_bounded(self) -> None:
        zalgo = "a" + "\u0301" * 15 + "\u0323" * 15
        start = time.process_time()

        assert clean(Text("text"), zalgo) == unicodedata.normalize("NFC", zalgo)
        assert code(Text("text"), "a" + "\u0301" * 50_000 + "\u0323" * 50_000) == "format"
        assert code(Text("text"), "\u0f73" * 50_000) == "format"
        assert clean(Text("text"), "\u2550" * 100_000)
        assert time.process_time() - start < 1.0  # quadratic ways took seconds

    def test_every_mark_that_normalising_would_sort_is_seen(self) -> None:
        """A mark that begins none of the runs that are looked at would bring the cost back."""
        for number in range(0x80, sys.maxunicode + 1):
            character = chr(number)
            first = (
                unicodedata.normalize("NFD", character)[:1] if number & ~0x7FF != 0xD800 else "a"
            )
            if unicodedata.combining(first):
                assert unicodedata.category(character)[0] == "M"
                assert not character.isalnum()
                assert not character.isspace()


class TestAnything:
    def test_text_within_is_checked_and_normalised(self) -> None:
        assert clean(Anything(), {"e\u0301": ["e\u0301", 1.5, None]}) == {
            "\xe9": ["\xe9", 1.5, None]
        }
        assert code(Anything(), [{"a": "\0"}]) == "control_character"
        assert code(Anything(), {"\0": 1}) == "control_character"
        assert code(Anything(), [10**30]) == "too_large"


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-11-20T06:45:00Z", "2026-11-20T06:45:00.000Z"),
            ("2026-11-20t06:45:00.123999z", "2026-11-20T06:45:00.123Z"),
            ("2026-11-20T06:45:00.1+02:30", "2026-11-20T04:15:00.100Z"),
            ("2026-11-20T06:45:00-23:59", "2026-11-21T06:44:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999Z"),
            ("2024-02-29T00:00:00.0001Z", "2024-02-29T00:00:00.000Z"),
        ],
    )
    def test_any_offset_comes_out_in_utc(self, text: str, expected: str) -> None:
        moment = clean(Moment(), text)

        assert moment.tzinfo is UTC
        assert format_time(moment) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-20T06:45:00",
            "2026-11-20",
            "2026-11-20 06:45:00Z",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-11-20T06:45:00+24:00",
            "2026-11-20T06:45:00-24:00",
            "2026-11-20T06:45:00+00:60",
            "2026-12-31T23:59:60Z",
            "2026-11-20T24:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20T06:45:00+0000",
            "2026-W47-5T06:45:00Z",
            "20261120T064500Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-00:01",
            "\u0662\u0660\u0662\u0666-11-20T06:45:00Z",
            "2026-11-20T06:45:00Z\n",
            "2026-11-20T06:45:00.Z",
            "2026-11-20T06:45:00." + "1" * 10_000 + "Z",
            "",
            "now",
        ],
    )
    def test_what_no_time_is(self, text: str) -> None:
        assert code(Moment(), text) == "format"
        assert parse_time(text) is None

    def test_a_naive_time_is_not_written(self) -> None:
        with pytest.raises(ValueError, match="naive"):
            format_time(datetime(2026, 1, 1))  # noqa: DTZ001 - the very thing
