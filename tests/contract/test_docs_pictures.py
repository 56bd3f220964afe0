"""Pictures of the docs: Mermaid, of the few kinds of lines that ours are made of.

A small check, because Mermaid itself weighs 200 MB and wants a browser.
"""

from __future__ import annotations

import re

import pytest

from tests.contract.sources import files, text

#: A name, or a name with its shape and text: ``api["api/"]``, ``sqlite[("SQLite")]``.
NODE = r"\w+(?:\(*[\[{(]+\"[^\"]+\"[\]})]+)?"
ARROW = r"-(?:->|\.->)(?:\|[^|]+\|)?"
FLOW = re.compile(rf"flowchart (?:LR|TD)|subgraph \w+\[\"[^\"]+\"\]|end|{NODE}(?: {ARROW} {NODE})*")
SEQUENCE = re.compile(
    r"sequenceDiagram|participant \w+(?: as [^:;]+)?"
    r"|\w+--?>>\w+: [^;]+|Note over \w+(?:,\w+)?: [^;]+"
)


def pictures() -> list[str]:
    """Return every picture of every page."""
    pages = [text(page) for page in files("*.md")]
    return [
        each for page in pages for each in re.findall(r"^```mermaid\n(.*?)^```", page, re.M | re.S)
    ]


@pytest.mark.parametrize("picture", pictures())
class TestPicture:
    def test_is_of_lines_that_can_be_drawn(self, picture: str) -> None:
        # given
        pattern = FLOW if picture.startswith("flowchart") else SEQUENCE
        # when
        odd = [line for line in picture.splitlines() if not pattern.fullmatch(line.strip())]
        # then
        assert odd == []
        assert picture.count("subgraph ") == len(re.findall(r"^ *end$", picture, re.M))

    def test_uses_nobody_who_is_not_introduced(self, picture: str) -> None:
        # given
        introduced = set(re.findall(r"participant (\w+)", picture))
        introduced |= set(re.findall(r"(\w+)[\[{(]+\"", picture))
        # when
        used = set(re.findall(r"(\w+)--?>>", picture)) | set(re.findall(r"--?>>(\w+)", picture))
        used |= set(re.findall(r"^ *(\w+) -(?:->|\.->)", picture, re.M))
        used |= set(re.findall(r"(?:>|\|) (\w+)$", picture, re.M))
        # then
        assert used <= introduced


def test_the_house_has_pictures() -> None:
    assert text("docs/architecture.md").count("```mermaid") >= 3
