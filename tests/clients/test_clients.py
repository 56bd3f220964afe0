"""Clients that are generated from our description: made without a warning, and they work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.clients import programs
from tests.clients.conftest import Clients
from tests.clients.generator import BETA, GENERATORS, NAMELESS, generate
from tests.servers import ADMIN_PASSWORD, LiveServer

pytestmark = pytest.mark.clients

#: Language → how the client is called in what its program writes.
NAMES = {
    "python": "Python",
    "typescript": "TypeScript",
    "java": "Java",
    "php": "PHP",
    "ruby": "Ruby",
    "types": "types",
}
RUN = [*programs.REQUIRED, *(each for each in programs.OPTIONAL if not programs.lacks(each))]
SMALLEST = {
    "openapi": "3.1.1",
    "info": {"title": "Small", "version": "1"},
    "paths": {},
    "components": {
        "schemas": {"Word": {"type": "object", "properties": {"text": {"type": "string"}}}}
    },
}


def said_of_any(language: str) -> set[str]:
    """Return the warnings that no description can avoid."""
    return {BETA} | ({NAMELESS} if language == "python" else set())


class TestGenerate:
    @pytest.mark.parametrize("language", GENERATORS)
    def test_warns_of_nothing(self, client_in: Clients, language: str) -> None:
        # when
        client = client_in(language)
        # then
        assert client.status == 0, client.output[-3000:]
        assert client.warnings - said_of_any(language) == set()

    def test_warns_of_the_smallest_description_too(self, tmp_path: Path) -> None:
        # given
        (tmp_path / "small.json").write_text(json.dumps(SMALLEST))
        # when
        client = generate("python", tmp_path / "small.json", tmp_path / "client")
        # then
        assert client.warnings == said_of_any("python")


class TestUse:
    @pytest.mark.parametrize("language", RUN)
    def test_signs_in_and_writes(
        self,
        client_in: Clients,
        description: Path,
        running: LiveServer,
        tmp_path: Path,
        language: str,
    ) -> None:
        # given
        if reason := programs.lacks(language):
            pytest.skip(reason)
        made = description if language == "types" else client_in(language).folder
        # when
        build = getattr(programs, language)
        printed = build(made, tmp_path, running.url, "admin", ADMIN_PASSWORD)
        # then
        assert re.fullmatch(expected(NAMES[language]), printed), printed
        with running.admin as admin:
            trash = admin.get("/api/v1/trash?limit=100").json()["items"]
        titles = [each["title"] for each in trash]
        assert titles.count(f"Changed from {NAMES[language]}") == 1


def expected(name: str) -> str:
    """Return what a program prints; each language has its own way to write a list."""
    tags, titles = (rf"\[\s*['\"]?{text}['\"]?\s*\]" for text in ("ÅÄÖ", f"Grüße from {name}"))
    return "".join(
        (
            f"created 1 Grüße from {name} {tags}\n",
            f"listed {titles}\n",
            f"patched 2 Changed from {name}\n",
            "refused 412 precondition-failed\n",
            "refused 404 not-found\n",
        )
    )
