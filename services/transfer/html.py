"""HTML as Markdown, for what was written elsewhere: cleaned by nh3, converted by markdownify."""

from __future__ import annotations

import html
import re
from collections import Counter
from itertools import chain
from typing import Any

import nh3
from markdownify import ATX, MarkdownConverter

from services import markdown

_BARE = nh3.Cleaner(tags=set())
_CLEAN = nh3.Cleaner(link_rel=None)
_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)
_PIPE = re.compile(r"(?<!\\)\|")
_PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.IGNORECASE | re.DOTALL)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_BREAK = re.compile(r"(?<![>\n])\n(?![<\n])")
_BLOCKS = "<!-- wp:"
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
#: What is empty, or ended by the next of its kind.
_ENDS_ITSELF = frozenset(
    {"br", "col", "dd", "dt", "hr", "img", "input", "li", "p", "td", "th", "tr", "wbr"}
)


class TooDeep(Exception):
    """HTML that is nested deeper than a body may be."""


def to_markdown(text: str) -> str:
    """Return HTML as Markdown; what the sanitiser would drop is dropped here already.

    Raises:
        TooDeep: cleaning takes time with the square of the depth, see services/markdown.py.
    """
    if _depth(text) > markdown.MAX_DEPTH:
        raise TooDeep()
    clean = _CLEAN.clean(text)
    try:
        return _Converter(heading_style=ATX, escape_misc=True).convert(clean).strip()
    except RecursionError:  # ends within attributes made it look flat
        raise TooDeep from None


def to_text(text: str) -> str:
    """Return HTML as one line of plain text."""
    return " ".join(html.unescape(_BARE.clean(text)).split())


def with_paragraphs(text: str) -> str:
    """Return a text of WordPress's classic editor with its paragraphs and line breaks as elements.

    There a blank line ends a paragraph and a line break is one, but within ``<pre>``.
    """
    if _BLOCKS in text:
        return text
    parts = _PREFORMATTED.split(text.replace("\r\n", "\n"))
    marked = (_BREAK.sub("<br>\n", _PARAGRAPH.sub("\n<p>", part)) for part in parts[::2])
    return "".join(chain.from_iterable(zip(marked, [*parts[1::2], ""], strict=True)))


def _depth(text: str) -> int:
    """Return how deep elements are nested at most; the end of what is not open counts nothing."""
    level = deepest = 0
    opened: Counter[str] = Counter()
    for is_end, written in _TAG.findall(text):
        name = written.lower()
        if name in _ENDS_ITSELF or (is_end and not opened[name]):
            continue
        step = -1 if is_end else 1
        opened[name] += step
        level += step
        deepest = max(deepest, level)
    return deepest


class _Converter(MarkdownConverter):
    def convert_td(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Escape pipes that code left as they were: in a row they end a cell there too."""
        text = _PIPE.sub(r"\\|", text)
        made: str = super().convert_td(el, text, parent_tags)  # type: ignore[misc]  # not in its stub
        return made

    convert_th = convert_td

    def convert_pre(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """Fence code by more backticks than any line of it begins with."""
        made: str = super().convert_pre(el, text, parent_tags)  # type: ignore[misc]  # not in its stub
        inner = max((len(found) for found in _FENCE.findall(text)), default=0)
        if inner == 0:
            return made
        fence = "`" * (inner + 1)
        return f"\n\n{fence}\n{text.strip(chr(10))}\n{fence}\n\n"
