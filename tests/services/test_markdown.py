"""Markdown becomes HTML that is safe to show, in bounded time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import markdown
from services.errors import Invalid


class TestRender:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("# A *b*", "<h1>A <em>b</em></h1>\n"),
            ("~~a~~", "<p><del>a</del></p>\n"),
            ("a<script>b</script>", "<p>a</p>\n"),
            ("<b onclick='x'>a</b>", "<p><b>a</b></p>\n"),
            ("[a](javascript:b)", '<p><a rel="noopener noreferrer nofollow">a</a></p>\n'),
        ],
    )
    def test_of_a_text(self, text: str, html: str) -> None:
        assert markdown.render(text) == html

    def test_of_a_table(self) -> None:
        assert "<td>1</td>" in markdown.render("|a|\n|-|\n|1|\n")

    @pytest.mark.parametrize("text", [">" * 90, "<div>" * 90, "- " * 40 + "a", "a\n\n" * 5_000])
    def test_takes_what_people_write(self, text: str) -> None:
        assert markdown.render(text)

    @pytest.mark.parametrize("text", [">" * 100_000, "- " * 50_000 + "a", "<ul><li>" * 12_000])
    def test_refuses_what_is_nested_without_end(self, text: str) -> None:
        with pytest.raises(Invalid) as refusal:
            markdown.render(text)

        assert [(fault.field, fault.code) for fault in refusal.value.faults] == [("body", "format")]

    def test_gives_its_memory_back(self) -> None:
        text = "**word** [link](https://example.org) and more\n\n" * 200
        for _ in range(200):
            markdown.render(text)
        before = _resident()

        for _ in range(2_000):
            markdown.render(text)

        assert _resident() - before < 10 * 2**20


def _resident() -> int:
    """Return the bytes of memory that this process holds (0 where Linux is not)."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0
