"""Snippets: where in a text the words stand that were searched for, as HTML with ``<mark>``."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from models.words import words

#: Characters before the first word found, and in all.
_BEFORE, _LENGTH = 60, 200
#: What may hold words: neither spaces nor ASCII punctuation. In pieces, for texts without spaces.
_CHUNK = re.compile(r"[^\s!-/:-@\[-`{-~]{1,64}")
_BLANKS = re.compile(r"\s+")


def snippet(texts: Sequence[str], wanted: frozenset[str]) -> str | None:
    """Return about 200 characters around the first of ``wanted``, escaped, each word marked.

    Of the first text that has one; None if there is no text at all.
    """
    for text in texts:
        if found := next((c for c in _CHUNK.finditer(text) if _has(c[0], wanted)), None):
            return _marked(_cut(text, *found.span()), wanted)
    return html.escape(_cut(texts[0], 0, 0)) if texts else None


def _has(chunk: str, wanted: frozenset[str]) -> bool:
    if chunk.isascii():
        return chunk.lower() in wanted
    return not wanted.isdisjoint(words(chunk))


def _cut(text: str, first: int, last: int) -> str:
    """Return the text around a place, between spaces, with an ellipsis where it was cut."""
    start = max(first - _BEFORE, 0)
    if start:
        space = text.find(" ", start, first)
        start = start if space < 0 else space + 1
    end = start + _LENGTH
    if end < len(text):
        space = text.rfind(" ", max(last, start + 1), end)
        end = end if space < 0 else space
    cut = _BLANKS.sub(" ", text[start:end]).strip()
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _marked(text: str, wanted: frozenset[str]) -> str:
    parts, last = [], 0
    for first, end in _places(text, wanted):
        parts += [html.escape(text[last:first]), "<mark>", html.escape(text[first:end]), "</mark>"]
        last = end
    parts.append(html.escape(text[last:]))
    return "".join(parts).replace("</mark><mark>", "")


def _places(text: str, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    for chunk in _CHUNK.finditer(text):
        if not _has(chunk[0], wanted):
            continue
        if len(words(chunk[0])) == 1:
            yield _trimmed(chunk)
        else:
            start = chunk.start()
            yield from ((start + a, start + b) for a, b in _pieces(chunk[0], wanted))


def _trimmed(chunk: re.Match[str]) -> tuple[int, int]:
    """Return where the word in a chunk stands, without quotes, dashes and dots around it."""
    first, end = chunk.span()
    while first < end and _separates(chunk.string[first]):
        first += 1
    while first < end and _separates(chunk.string[end - 1]):
        end -= 1
    return first, end


def _separates(character: str) -> bool:
    return len(words(f"a{character}a")) > 1 and not words(character)


def _pieces(chunk: str, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Return where in a chunk of several words the wanted ones stand."""
    first = 0
    for place, character in enumerate(f"{chunk} "):
        if len(words(f"a{character}a")) == 1:  # a letter, a digit, or an accent
            continue
        if not wanted.isdisjoint(words(chunk[first:place])):
            yield first, place
        if not wanted.isdisjoint(words(character)):
            yield place, place + 1
        first = place + 1
