"""Portable descriptions: what they say is what was to be said, in words of every language."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.patterns import pattern_of
from api.portable import names, portable, sized
from services.text import Kind

KINDS: list[tuple[Kind, bool]] = [
    ("line", False),
    ("line", True),
    ("text", False),
    ("username", True),
    ("slug", True),
    ("tag", True),
]
TEXTS = st.text(st.characters(max_codepoint=0xFFFF)) | st.text("\0\n\x7f\x80\u202e a-", max_size=4)


@pytest.mark.parametrize(("kind", "is_filled"), KINDS)
class TestPortable:
    @given(text=TEXTS)
    def test_means_the_same(self, kind: Kind, is_filled: bool, text: str) -> None:
        # given
        pattern = pattern_of(kind, is_filled=is_filled) or ""
        # when
        said = portable(pattern)
        refused = said.get("not", {}).get("pattern")
        # then
        is_said = re.fullmatch(said["pattern"], text) and not (refused and re.search(refused, text))
        assert bool(is_said) == bool(re.fullmatch(pattern, text))

    def test_is_read_byte_by_byte_too(self, kind: Kind, is_filled: bool) -> None:
        # when
        pattern = portable(pattern_of(kind, is_filled=is_filled) or "")["pattern"]
        # then
        assert "\\u" not in pattern
        if kind in {"line", "text"}:
            assert re.fullmatch(pattern.encode(), "Ünïcödé ÅÄÖ 日本".encode())


class TestNames:
    def test_of_orders(self) -> None:
        assert names(["created_at", "-created_at"]) == ["CreatedAt", "CreatedAtDescending"]

    def test_of_what_is_no_order(self) -> None:
        assert names(["draft", "published", None]) is None
        assert names(["-draft"]) is None


class TestSized:
    def test_what_may_exceed_31_bits(self) -> None:
        assert sized({"type": "integer"}) == {"type": "integer", "format": "int64"}
        assert sized({"type": "integer", "maximum": 2**53})["format"] == "int64"

    def test_what_may_not(self) -> None:
        assert sized({"type": "integer", "maximum": 100}) == {"type": "integer", "maximum": 100}
        assert sized({"type": "string"}) == {"type": "string"}
