"""What the specifications say of text is what its rules say."""

from __future__ import annotations

import re

import pytest
from flask_restx import Namespace
from hypothesis import given
from hypothesis import strategies as st

from api import fields, masks
from api.patterns import pattern_of
from services.text import Kind, Text
from services.validation import Faults

ns = Namespace("patterned")
INNER = fields.shape(ns, "PatternedInner", a=fields.Integer(), b=fields.String())
OUTER = fields.shape(
    ns,
    "PatternedOuter",
    id=fields.Integer(),
    inner=fields.Nested(INNER),
    inners=fields.List(fields.Nested(INNER)),
)
KINDS: list[tuple[Kind, int]] = [
    ("line", 0),
    ("line", 1),
    ("text", 0),
    ("secret", 0),
    ("username", 1),
    ("slug", 1),
    ("tag", 1),
]
#: What patterns are about; runs of combining marks and other planes are beyond them.
CHARACTERS = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "M"])
TEXTS = st.text(CHARACTERS) | st.text("\0\n\u200b\u2028 a-", max_size=4)


def is_accepted(text: str, kind: Kind, least: int) -> bool:
    faults = Faults()
    Text(kind=kind, min_length=least).check(text, "", faults)
    return not faults.count


@pytest.mark.parametrize(("kind", "least"), KINDS)
class TestText:
    @given(text=TEXTS)
    def test_that_matches_is_accepted(self, kind: Kind, least: int, text: str) -> None:
        # given
        pattern = pattern_of(kind, is_filled=bool(least)) or ""
        # then
        assert not re.fullmatch(pattern, text) or is_accepted(text, kind, least)

    @given(text=TEXTS)
    def test_that_is_accepted_matches_but_for_what_is_trimmed(
        self, kind: Kind, least: int, text: str
    ) -> None:
        # given
        pattern = pattern_of(kind, is_filled=bool(least)) or ""
        # then
        assert not is_accepted(text, kind, least) or re.fullmatch(pattern, text.strip() or text)

    def test_has_its_pattern_in_words_of_every_language(self, kind: Kind, least: int) -> None:
        # given
        pattern = pattern_of(kind, is_filled=bool(least)) or ""
        # then
        assert pattern.isascii()
        assert not re.search(r"\\[xUpPAzZ]|\(\?[^:]", pattern)


class TestMask:
    @given(mask=st.from_regex(masks.pattern_of(OUTER), fullmatch=True))
    def test_that_matches_is_one(self, mask: str) -> None:
        # then
        assert masks.parse_mask(OUTER, mask)

    @pytest.mark.parametrize("mask", ["*", "id", "inner{a},id", "inners{*,b},*"])
    def test_that_is_one_matches(self, mask: str) -> None:
        # then
        assert re.fullmatch(masks.pattern_of(OUTER), mask)

    @pytest.mark.parametrize("mask", ["", "idd", "id,", "inner{}", "inner{c}", "id{a}", "a", "{"])
    def test_that_is_none_does_not_match(self, mask: str) -> None:
        # then
        assert not re.fullmatch(masks.pattern_of(OUTER), mask)
