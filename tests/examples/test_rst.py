"""The reStructuredText of proposals as Markdown, and as a reader sees it."""

from __future__ import annotations

import json

import pytest
from docutils.parsers.rst import directives, roles

from examples.rst import markdown
from services.markdown import render
from tests.servers import ROOT

GRID = """
+-------+-------+
| One   | Two   |
+=======+=======+
| ``a`` | ``b`` |
+-------+-------+
"""


class TestRoles:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            (":pep:`8`", "[PEP 8](https://peps.python.org/pep-0008/)"),
            (":PEP:`8`", "[PEP 8](https://peps.python.org/pep-0008/)"),
            (
                ":pep:`the style <8#imports>`",
                "[the style](https://peps.python.org/pep-0008/#imports)",
            ),
            ("As PEP 20 says", "As [PEP 20](https://peps.python.org/pep-0020/) says"),
            (":rfc:`mail <2822>`", "[mail](https://www.rfc-editor.org/rfc/rfc2822)"),
            (":cpython-issue:`1`", "[gh-1](https://github.com/python/cpython/issues/1)"),
            (":py:class:`~a.b.C`", "`C`"),
            (":func:`!open`", "`open`"),
            (":term:`a word <word>`", "a word"),
            (":no-such:role:`thing`", "`thing`"),
            (":pep:`none`", "none"),
        ],
    )
    def test_becomes_a_link_code_or_text(self, written: str, expected: str) -> None:
        assert markdown(written) == f"{expected}\n"

    def test_a_label_is_shown_as_the_title_of_its_section(self) -> None:
        made = markdown("See :ref:`why`.\n\n.. _why:\n\nThe Reasons\n===========\n\nMany.\n")
        assert made == "See The Reasons.\n\n## The Reasons\n\nMany.\n"


class TestDirectives:
    @pytest.mark.parametrize("name", ["code", "code-block", "sourcecode"])
    def test_code_is_fenced_whatever_its_options(self, name: str) -> None:
        made = markdown(f".. {name}:: python\n   :linenos:\n   :caption: How\n\n   a = 1\n")
        assert made == "**How**\n\n```\na = 1\n```\n"

    def test_a_note_is_a_quotation(self) -> None:
        assert markdown(".. note:: Mind ``it``.\n") == "> **Note**: Mind `it`.\n"

    def test_contents_are_dropped(self) -> None:
        made = markdown(".. contents::\n   :depth: 2\n\nOne\n===\n\nText\n")
        assert made == "## One\n\nText\n"

    def test_an_unknown_one_keeps_its_text(self) -> None:
        made = markdown(".. no-such:: one *two*\n   :option: 1\n\n   three ``four``\n")
        assert made == "> **No such**: one *two*\n>\n> three `four`\n"

    def test_none_is_known_afterwards(self) -> None:
        # given
        before = dict(directives._directives), dict(roles._roles)  # type: ignore[attr-defined]
        # when
        markdown(".. no-such:: one\n\n:nor-such:`two` :pep:`8`\n")
        # then
        assert (directives._directives, roles._roles) == before  # type: ignore[attr-defined]

    def test_a_picture_is_a_link(self) -> None:
        made = markdown(".. image:: pep-0458-1.png\n   :alt: Keys\n")
        assert made == "[Keys](https://peps.python.org/_images/pep-0458-1.png)\n"

    def test_no_file_is_read(self) -> None:
        assert "root:" not in markdown(
            ".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n"
        )


class TestForms:
    def test_a_table(self) -> None:
        assert markdown(GRID) == "| One | Two |\n| --- | --- |\n| `a` | `b` |\n"

    def test_a_table_that_is_none_stays_as_it_was_typed(self) -> None:
        made = markdown("=== ===\na\n=== =\nword b\n=== ===\n")
        assert "word b" in made

    def test_footnotes_stand_where_they_were_written(self) -> None:
        made = markdown("Said [1]_ and [X]_.\n\n.. [1] Here.\n.. [X] There.\n")
        assert made == "Said \\[1\\] and \\[X\\].\n\n\\[1\\] Here.\n\n\\[X\\] There.\n"

    def test_definitions_fields_and_options_are_lists(self) -> None:
        made = markdown("word\n  Meaning\n\n:field: Value\n\n-o FILE  Output\n")
        assert [line for line in made.splitlines() if line.strip()] == [
            "* **word**",
            "  Meaning",
            "* **field**",
            "  Value",
            "* **-o FILE**",
            "  Output",
        ]

    def test_lines_stay_lines(self) -> None:
        assert "One<br>\nTwo" in render(markdown("| One\n| Two\n"))

    def test_a_line_of_any_length_is_kept(self) -> None:
        assert markdown("x" * 20_000) == "x" * 20_000 + "\n"

    def test_a_link_within_is_text(self) -> None:
        made = markdown("See `Aims`_, `there <Aims_>`_ and `nowhere`_.\n\nAims\n====\n\nNone.\n")
        assert made.startswith("See Aims, there and nowhere.\n")

    def test_comments_are_dropped(self) -> None:
        assert markdown("Text\n\n.. a comment\n   of two lines\n") == "Text\n"


class TestShipped:
    def test_no_markup_is_left_in_what_a_reader_sees(self) -> None:
        # given
        lines = (ROOT / "examples" / "data" / "peps.jsonl").read_text(encoding="utf-8").splitlines()
        posts = [each for each in map(json.loads, lines) if each["type"] == "post"]
        # when
        shown = {each["slug"]: render(each["body"]) for each in posts}
        # then
        left = (".. code", ".. note", ":pep:`", ":ref:`", "\n====", "`_")
        assert [(slug, each) for slug in shown for each in left if each in shown[slug]] == []
        assert sum("<pre>" in each for each in shown.values()) > 20
        assert sum("<h2>" in each for each in shown.values()) > 35
