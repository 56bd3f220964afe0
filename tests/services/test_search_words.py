"""Words, and snippets around them: no database is needed to say what they are."""

# What looks like another letter is what this is about.
# ruff: noqa: RUF001

from __future__ import annotations

import time

import pytest

from models.words import LEVELS, MAX_LENGTH, at_level, count, document, leveled, words
from services.search import MAX_WORDS, NoWords, wanted
from services.snippets import snippet


class TestWords:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("Café naïve STRASSE Straße", ["cafe", "naive", "strasse", "strasse"]),
            ("cafe\u0301 İstanbul ﬁne ① x²", ["cafe", "istanbul", "fine", "1", "x2"]),
            ("snake_case kebab-case don't", ["snake", "case", "kebab", "case", "don", "t"]),
            ('"a" OR b* NEAR(c) title:d', ["a", "or", "b", "near", "c", "title", "d"]),
            ("1.5 a@b.example", ["1", "5", "a", "b", "example"]),
            ("東京 ﾊﾞ", ["東", "京", "バ"]),
            ("हिन्दी שָׁלוֹם مُحَمَّد", ["हिन्दी", "שלום", "محمد"]),
            ("👍🏽 ❤️ · \u0301 _-*:'\"", []),
            ("", []),
        ],
    )
    def test_are_folded_letters_and_digits(self, text: str, found: list[str]) -> None:
        assert words(text) == found

    def test_are_cut(self) -> None:
        assert words("y" * 300) == ["y" * MAX_LENGTH]

    def test_of_the_longest_text_take_no_time(self) -> None:
        started = time.process_time()
        words("ÀÉ" * 50_000)
        words("".join(map(chr, range(0x1000, 0xD000))))
        assert time.process_time() - started < 2


class TestDocument:
    def test_tells_how_good_a_word_is(self) -> None:
        kept = document(["Bridge"], leveled(count("river " * 4 + "stone stone winter"))).split()

        levels = {
            word: sum(each.rstrip("·") == word for each in kept)
            for word in words("river stone winter bridge")
        }
        assert levels == {"bridge": LEVELS, "river": 3, "stone": 2, "winter": 1}
        assert at_level("stone", 2) in kept

    def test_asks_more_of_longer_texts(self) -> None:
        kept = document([], leveled(count("river " * 4 + "sand " * 3_000))).split()

        assert at_level("river", 2) not in kept
        assert at_level("sand", 3) in kept

    def test_of_the_longest_text_fits_into_a_tsvector(self) -> None:
        text = "".join(f"{chr(0xAC00 + n % 11_000)}{n:x} " for n in range(20_000))[:100_000]

        assert len(document(["가" * 200], leveled(count(text))).encode()) < 2**20


class TestWanted:
    def test_each_counts_once(self) -> None:
        assert wanted("River, RIVER! stone") == ("river", "stone")

    @pytest.mark.parametrize("text", ["", " ", "--", "*", "'\"", "👍", "%_"])
    def test_none_is_refused(self, text: str) -> None:
        with pytest.raises(NoWords) as refused:
            wanted(text)
        assert refused.value.code == "format"

    def test_too_many_are_refused(self) -> None:
        many = " ".join(map(str, range(MAX_WORDS + 1)))

        assert len(wanted(many.rsplit(" ", 1)[0])) == MAX_WORDS
        with pytest.raises(NoWords) as refused:
            wanted(many)
        assert refused.value.code == "too_many"


class TestSnippet:
    def test_is_escaped(self) -> None:
        found = snippet(["<script>alert('x')</script> & <b>River</b>"], frozenset({"river"}))

        assert found == (
            "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; "
            "&lt;b&gt;<mark>River</mark>&lt;/b&gt;"
        )

    def test_marks_markup_too(self) -> None:
        found = snippet(["<mark>x</mark>"], frozenset({"mark"}))

        assert found == "&lt;<mark>mark</mark>&gt;x&lt;/<mark>mark</mark>&gt;"

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("Ein CAFÉ.", "Ein <mark>CAFÉ</mark>."),
            ("cafe\u0301-bar", "<mark>cafe\u0301</mark>-bar"),
            ("im–Café—da", "im–<mark>Café</mark>—da"),
            ("scafe cafes", "scafe cafes"),
        ],
    )
    def test_marks_words_as_they_are_written(self, text: str, found: str) -> None:
        assert snippet([text], frozenset({"cafe"})) == found

    def test_marks_neighbours_as_one(self) -> None:
        assert snippet(["東京タワー"], frozenset("東京")) == "<mark>東京</mark>タワー"

    @pytest.mark.parametrize(
        "text", ["“needle”", "«needle»", "—needle…", "‘NEEDLE’", "(👍needle👍)"]
    )
    def test_marks_the_word_without_what_stands_around_it(self, text: str) -> None:
        place = text.casefold().index("needle")
        word = text[place : place + 6]
        assert snippet([text], frozenset({"needle"})) == text.replace(word, f"<mark>{word}</mark>")

    def test_keeps_the_accents_of_a_marked_word(self) -> None:
        assert snippet(["x\u0302"], frozenset({"x"})) == "<mark>x\u0302</mark>"
        assert snippet(["½"], frozenset({"1"})) == "<mark>½</mark>"

    def test_marks_no_ellipsis(self) -> None:
        found = snippet(["\n" * 500 + "needle" + "\n" * 500], frozenset({"needle"}))
        assert found == "…<mark>needle</mark>…"

    def test_is_cut_around_the_first_word(self) -> None:
        found = snippet(["hay " * 500 + "needle" + " hay" * 500], frozenset({"needle"}))

        assert found
        assert "<mark>needle</mark>" in found
        assert found.startswith("…hay ")
        assert found.endswith(" hay…")
        assert len(found) < 250

    def test_is_of_the_first_text_that_has_a_word(self) -> None:
        assert snippet(["hay", "The needle"], frozenset({"needle"})) == "The <mark>needle</mark>"
        assert snippet(["hay"], frozenset({"needle"})) == "hay"
        assert snippet([], frozenset({"needle"})) is None
