"""What a text is found by: its words, folded alike for whatever database keeps them.

The same function reads what is stored and what is searched for; databases compare only. Tables:
models/search.py, queries: services/search.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: Characters of a word that count.
MAX_LENGTH = 64
#: A word's levels: it is there, often, very often, in a title.
LEVELS = 4
#: Stands once behind a word for each level above the first; neither letter nor digit.
_MARK = "·"
#: Canonical combining classes of what belongs to a letter: vowel signs, nuktas, viramas.
_OF_A_LETTER = frozenset({0, 7, 9})
#: Voicing in kana.
_VOICING = "\u3099\u309a"
#: Scripts without spaces between words, of which each character is a word.
_UNSPACED = (
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
#: Characters whose folding is remembered; of more, as of a text that has all there are, none.
_REMEMBERED = 20_000
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
#: In folded text, where all that is not ASCII is part of a word.
_WORD = re.compile(r"[a-z0-9\x80-\U0010ffff]+")


def words(text: str) -> list[str]:
    """Return the words of ``text``: letters and digits, without case and accents.

    Compatible forms (``ﬁ``, ``①``) are the plain ones. Of a longer word 64 characters count.
    """
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text)
        text = _NOT_ASCII.sub(lambda found: found[0].translate(_FOLDING), plain)
    found: list[str] = _WORD.findall(text.lower())
    if len(text) <= MAX_LENGTH:
        return found
    return [word if len(word) <= MAX_LENGTH else word[:MAX_LENGTH] for word in found]


class Leveled(NamedTuple):
    """A text as the index keeps it: the level that each word reaches, and all of that written."""

    levels: Mapping[str, int]
    written: str


def leveled(counted: Mapping[str, int]) -> Leveled:
    """Return what the index keeps of a text with so many of each word."""
    total = sum(counted.values())
    often, very_often = 2 + total // 1_000, 4 + total // 250
    levels = {word: 1 + (n >= often) + (n >= very_often) for word, n in counted.items()}
    return Leveled(levels, _written((word, 0, level) for word, level in levels.items()))


def document(heads: Iterable[str], text: Leveled) -> str:
    """Return what the index keeps of an item: its words, each with all levels it reaches.

    Args:
        heads: titles, tags, names; their words reach every level.
        text: the rest, which takes longest and can be made before.
    """
    found = dict.fromkeys(word for head in heads for word in words(head))
    rest = _written((word, text.levels.get(word, 0), LEVELS) for word in found)
    return " ".join(part for part in (text.written, rest) if part)


def _written(reached: Iterable[tuple[str, int, int]]) -> str:
    """Write each word with the levels from one, which it has, up to another."""
    return " ".join(
        at_level(word, n + 1) for word, had, level in reached for n in range(had, level)
    )


def count(text: str) -> Counter[str]:
    """Return how often each word is in ``text``."""
    return Counter(words(text))


def at_level(word: str, level: int) -> str:
    """Return how the index writes that a word reaches a level, from 1."""
    return word + _MARK * (level - 1)


class _Folding(dict[int, str]):
    """Character → what is left of it: letters and digits, a space, nothing."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def _fold(character: str) -> str:
    plain = _bare(_bare(character).casefold())
    folded = "".join(map(_spaced, unicodedata.normalize("NFC", plain)))
    return folded if folded or unicodedata.category(character)[0] == "M" else " "


def _bare(text: str) -> str:
    """Return ``text`` taken apart, without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not _is_accent(part))


def _is_accent(character: str) -> bool:
    if unicodedata.category(character)[0] != "M" or character in _VOICING:
        return False
    return not _is_vowel_sign(character)


def _is_vowel_sign(character: str) -> bool:
    """Whether this is a mark of an Indic script: it makes another syllable, not an accent."""
    return (
        "\u0900" <= character < "\u1800"
        and unicodedata.category(character)[0] == "M"
        and unicodedata.combining(character) in _OF_A_LETTER
    )


def _spaced(character: str) -> str:
    if not (character.isalnum() or _is_vowel_sign(character)):
        return " "
    is_unspaced = any(first <= ord(character) <= last for first, last in _UNSPACED)
    return f" {character} " if is_unspaced else character
