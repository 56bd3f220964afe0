"""The docs say what the code does: every code, link, file and folder; the changelog's form."""

from __future__ import annotations

import re

import pytest

from api import reference
from tests.contract.sources import ROOT, files, text

PAGES = [name for name in files("*.md") if not name.startswith("bench/results/")]
ROOMS = "api|services|models|migrations|tests|bench|deploy|scripts|docs|examples|extensions"
#: A file or folder, wherever it is named: in a sentence, a picture or a block of code.
NAMED = re.compile(rf"(?<![\w./-])((?:{ROOMS})/(?:[\w.-]+/)*(?:[\w.-]+\.[a-z]+)?)(?![\w/])")
#: What a page is about to make, or what was measured once.
ELSEWHERE = re.compile(r"event|people|^bench/results/|^tests/results/")

#: What may stand under a release; see keepachangelog.com.
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_error_codes_stand_in_the_docs() -> None:
    assert text("docs/errors.md") == reference.errors(), (
        "run python -m api.reference > docs/errors.md"
    )


@pytest.mark.parametrize("page", PAGES)
class TestPage:
    def test_links_lead_somewhere(self, page: str) -> None:
        folder = (ROOT / page).parent
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text(page)):
            assert (folder / target).exists(), target

    def test_links_within_a_page_lead_to_a_heading(self, page: str) -> None:
        headings = re.findall(r"^#+ (.+)$", text(page), re.M)
        anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
        assert set(re.findall(r"\]\(#([^)]+)\)", text(page))) <= anchors

    def test_files_and_folders_that_are_named_exist(self, page: str) -> None:
        named = {name for name in NAMED.findall(text(page)) if not ELSEWHERE.search(name)}
        assert [name for name in named if not (ROOT / name).exists()] == []

    def test_blocks_are_closed(self, page: str) -> None:
        assert len(re.findall(r"^ *```", text(page), re.M)) % 2 == 0

    def test_has_one_title(self, page: str) -> None:
        prose = re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S)
        assert len(re.findall(r"^# ", prose, re.M)) == 1


def test_every_room_of_the_house_is_shown() -> None:
    # given
    rooms = {name.split("/")[0] for name in files() if "/" in name and not name.startswith(".")}
    # when
    shown = set(re.findall(r"^\| `(\w+)/` \|", text("docs/architecture.md"), re.M))
    # then
    assert rooms == shown


def test_every_page_can_be_found_from_the_readme() -> None:
    # given
    links = set(re.findall(r"\]\(([\w./-]+)\)", text("README.md")))
    # when
    pages = {name for name in PAGES if re.fullmatch(r"docs/[\w-]+\.md", name)}
    # then
    assert pages <= links


class TestChangelog:
    def test_has_its_form(self) -> None:
        # when
        releases = re.findall(r"^## (.+)$", text("CHANGELOG.md"), re.M)
        # then
        assert releases[0] == "[Unreleased]"
        assert [
            r for r in releases[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - [\d-]{10}", r)
        ] == []

    def test_names_kinds_of_changes(self) -> None:
        assert set(re.findall(r"^### (.+)$", text("CHANGELOG.md"), re.M)) <= KINDS
