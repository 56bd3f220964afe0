"""Texts for the seeding: Markdown of about 2 KB with headings, lists, links and code."""

from __future__ import annotations

import random

#: Bytes of one body, roughly.
SIZE = 2_000

_WORDS = """
    about after again answer because before better between book bridge build change city clear close
    common country course cross deep different direct early earth enough every example family field
    figure follow forest garden general ground group harbour heavy hour house idea island keep
    kitchen known language large later letter light little machine market measure minute morning
    mountain music never night north number object often order other paper pattern people picture
    place plain plant point possible present problem quick quiet reason remember river road round
    school second sentence short simple slow small sound south stone story street strong summer
    table thousand through together travel under until usual valley village voice water weather
    window winter without word world write young
""".split()  # noqa: SIM905 - a page of quotes would be harder to read
_TAGS = (
    "architecture",
    "Cooking",
    "flask",
    "Gardening",
    "history",
    "Maps",
    "music",
    "python",
    "rivers",
    "Travel",
)


def body(number: int) -> str:
    """Return the ``number``-th Markdown text."""
    rng = random.Random(number)
    parts = [_paragraph(rng)]
    size = len(parts[0])
    while size < SIZE - 150:
        part = rng.choice((_paragraph, _paragraph, _list, _code, _heading))(rng)
        parts.append(part)
        size += len(part) + 2
    return "\n\n".join(parts)


def title(number: int) -> str:
    """Return the ``number``-th title; no two are alike."""
    rng = random.Random(number)
    return f"{_sentence(rng, 4, 8).rstrip('.')} {number}"


def tags(number: int) -> list[str]:
    """Return up to four tags."""
    rng = random.Random(number)
    return rng.sample(_TAGS, rng.randint(0, 4))


def _sentence(rng: random.Random, shortest: int = 6, longest: int = 16) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(shortest, longest))).capitalize() + "."


def _paragraph(rng: random.Random) -> str:
    text = " ".join(_sentence(rng) for _ in range(rng.randint(2, 5)))
    word = rng.choice(_WORDS)
    return f"{text} See **{word}** and [{word}](https://example.org/{word}), or `{word}()`."


def _list(rng: random.Random) -> str:
    return "\n".join(f"- {_sentence(rng, 3, 8)}" for _ in range(rng.randint(3, 5)))


def _code(rng: random.Random) -> str:
    name = rng.choice(_WORDS)
    return f"```python\ndef {name}(item: int) -> int:\n    return item + {rng.randint(1, 99)}\n```"


def _heading(rng: random.Random) -> str:
    return f"## {_sentence(rng, 2, 5).rstrip('.')}"
