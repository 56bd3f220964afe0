"""A fixed corpus: 700 documents with the oddest words there are, and 200 queries for them."""

# What looks like another letter is what this is about.
# ruff: noqa: RUF001

from __future__ import annotations

import random

DOCUMENTS, QUERIES = 700, 200

#: Words that tokenizers of databases disagree about, in the forms that people write.
_ODD = (
    *(
        "Café",
        "CAFE",
        "cafe\u0301",
        "naïve",
        "NAÏVE",
        "Straße",
        "STRASSE",
        "strasse",
        "ﬁne",
        "fine",
    ),
    *("İstanbul", "istanbul", "ISTANBUL", "ısı", "Ωmega", "ωμεγα", "ΣΊΣΥΦΟΣ", "σίσυφος", "ǆ", "Ǆ"),
    *("1.5", "1,5", "1e10", "-7", "+49", "0x1F", "007", "½", "x²", "①", "Ⅷ", "٣٤", "१२"),
    *("a@b.example", "ada@example.org", "https://example.org/a/b?c=d#e", "www.example.org"),
    *("/usr/local/bin", "file.tar.gz", "C++", "C#", "f(x)", "snake_case", "kebab-case", "don't"),
    *("rock'n'roll", "AT&T", "a/b", "e.g.", "U.S.A.", "x=y", "<b>", "&amp;", "&#65;", "%20"),
    *(
        "東京",
        "東京タワー",
        "テスト",
        "ﾃｽﾄ",
        "がｶﾞ",
        "日本語",
        "한국어",
        "हिन्दी",
        "שָׁלוֹם",
        "مُحَمَّد",
        "ﷺ",
    ),
    *("👍🏽", "❤️", "1️⃣", "🇩🇪", "a👍b", "word\u00adbreak", "zero\u200bwidth", "no\u00a0break"),
    *(
        "\u0301",
        "·",
        "a·",
        "··",
        "_",
        "ʼn",
        "ŉ",
        "𝔣𝔯𝔞𝔨𝔱𝔲𝔯",
        "Ａｂｃ",
        "ⲁⲛⲟⲕ",
        "Ꭰꭰ",
        "ꙮ",
        "\U0001e900\U0001e922",
    ),
    *("x" * 63, "x" * 64, "x" * 65, "y" * 300, "é" * 64, "é" * 65, "\U00020000\U00020001"),
)
#: What would be an operator, if there were any.
_SYNTAX = (
    *('"a" OR b*', "NEAR(a b, 2)", "title:a", "words:a", "-a", ":*", "a & !b", "a | b", "a <-> b"),
    *("a AND b", "a NOT b", "a OR b", "^a", "a + b", "{words}: a", "(a", "a)", '"a', "'a'", "a'"),
    *(
        "a:*",
        "a:A",
        "!!a",
        "a\\",
        "%",
        "a%",
        "_",
        "*",
        "a*",
        "rank",
        "rowid",
        "post_search",
        "NULL",
    ),
    *(
        "'; DROP TABLE posts; --",
        "1 OR 1=1",
        "$1",
        ":words",
        "?",
        "{a}",
        "[a]",
        "a\ufffdb",
        "\u202ea",
    ),
)
_PLAIN = ("a", "b", "river", "stone", "winter", "bridge", "or", "and", "not", "near", "the")


def documents() -> list[tuple[str, str, list[str]]]:
    """Return title, body and tags of each document."""
    rng = random.Random(700)
    return [_document(rng) for _ in range(DOCUMENTS)]


def queries() -> list[str]:
    """Return texts to search for; some have no word at all."""
    rng = random.Random(200)
    found = [*_SYNTAX, *(word[:200] for word in _ODD)]
    while len(found) < QUERIES:
        found.append(" ".join(rng.choices(_ODD + _PLAIN, k=rng.randint(1, 3)))[:200])
    return found[:QUERIES]


def _document(rng: random.Random) -> tuple[str, str, list[str]]:
    title = _text(rng, rng.randint(1, 3)).strip()[:200]
    body = _text(rng, rng.choice((1, 5, 20, 80)))
    return title or "a", body, [_text(rng, 1)[:50] for _ in range(rng.randint(0, 2))]


def _text(rng: random.Random, count: int) -> str:
    kinds = rng.choices((_ODD, _PLAIN, _SYNTAX), weights=(4, 5, 1), k=count)
    spaces = (" ", " ", "\n", "-", "_", ", ", "/", "\u3000")
    return "".join(rng.choice(kind) + rng.choice(spaces) for kind in kinds) + rng.choice(_PLAIN)
