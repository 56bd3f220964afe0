"""The docs say what the code does: every error code, every link between pages."""

from __future__ import annotations

import re

import pytest

from api import reference
from tests.contract.sources import ROOT, files, text

PAGES = [name for name in files("*.md") if not name.startswith("bench/results/")]


def test_error_codes_stand_in_the_docs() -> None:
    assert text("docs/errors.md") == reference.errors(), (
        "run python -m api.reference > docs/errors.md"
    )


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text(page)):
        assert (folder / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    for name in re.findall(
        r"`((?:api|services|models|migrations|tests|bench)/[\w./-]+\.py)`", text(page)
    ):
        assert (ROOT / name).exists() or "event" in name, name
