"""Clients that are generated from our description: made without a warning, and they work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.clients import programs
from tests.clients.conftest import Clients
from tests.clients.generator import BETA, GENERATORS, NAMELESS, OPTIONS, generate
from tests.contract.examples import section
from tests.servers import ADMIN_PASSWORD, ROOT, LiveServer

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
FORM_REFERENCE = "#/components/schemas/Form"
FILE = {"type": "string", "format": "binary"}
SMALLEST = {
    "openapi": "3.1.1",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/uploads": {
            "post": {
                "operationId": "upload",
                "tags": ["Small"],
                "parameters": [
                    {"name": "Range", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {"multipart/form-data": {"schema": {"$ref": FORM_REFERENCE}}}
                },
                "responses": {"204": {"description": "Done."}},
            }
        }
    },
    "components": {
        "schemas": {
            "Word": {"type": "object", "properties": {"text": {"type": "string"}}},
            "Form": {
                "type": "object",
                "properties": {"files": {"type": "array", "items": FILE}},
            },
        }
    },
}


@pytest.fixture(scope="module")
def said_of_any(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], set[str]]:
    """``said_of_any("go")``: the warnings that no description can avoid, of uploads at least."""

    @cache
    def said(language: str) -> set[str]:
        folder = tmp_path_factory.mktemp(language)
        (folder / "small.json").write_text(json.dumps(SMALLEST))
        return generate(language, folder / "small.json", folder / "client").warnings

    return said


class TestGenerate:
    @pytest.mark.parametrize("language", GENERATORS)
    def test_warns_of_nothing(
        self, client_in: Clients, said_of_any: Callable[[str], set[str]], language: str
    ) -> None:
        # when
        client = client_in(language)
        # then
        assert client.status == 0, client.output[-3000:]
        assert client.warnings - said_of_any(language) == set()
        assert "Inline schema created as" not in client.output  # under a name of its own making

    def test_warns_of_the_smallest_description_too(
        self, said_of_any: Callable[[str], set[str]]
    ) -> None:
        assert said_of_any("python") == {
            BETA,
            NAMELESS,
            "Could not compute datatypeWithEnum from bytes, null",
        }
        assert said_of_any("go") >= {
            "range (reserved word) cannot be used as parameter name. Renamed to range_"
        }


class TestUse:
    @pytest.mark.parametrize("language", NAMES)
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
            (pytest.xfail if language in programs.OPTIONAL else pytest.skip)(reason)
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


class TestDocs:
    """The section of docs/clients.md is made of what is run above."""

    @pytest.fixture
    def told(self) -> str:
        """Return the section."""
        return section((ROOT / "docs" / "clients.md").read_text(), "Generated clients")

    @pytest.mark.parametrize("language", ["python", "typescript", "types"])
    def test_shows_programs_that_work(
        self,
        told: str,
        client_in: Clients,
        description: Path,
        running: LiveServer,
        tmp_path: Path,
        language: str,
    ) -> None:
        # given
        ada = {"username": f"ada-{language}", "password": ADMIN_PASSWORD}
        account = ada | {"email": f"{language}@example.org"}
        assert running.client.post("/api/v1/users", json=account).status_code == 201
        programs_of = dict(zip(("python", "typescript", "types"), shown(told), strict=True))
        code = programs_of[language].replace("http://127.0.0.1:8000", running.url)
        file = tmp_path / "shown"
        file.write_text(code.replace('"ada"', f'"{ada["username"]}"'))
        # when
        made = description if language == "types" else client_in(language).folder
        printed = getattr(programs, language)(made, tmp_path, program=file)
        # then
        said = re.sub(r"[\s'\[\]]+", " ", printed).strip()
        assert said == ("" if language == "types" else "Hello, world precondition-failed")

    def test_names_every_generator_and_option(self, told: str) -> None:
        # given
        options = {
            name for language in ("python", "typescript", "ruby") for name in OPTIONS[language]
        }
        # then
        assert [each for each in GENERATORS.values() if f"`{each}`" not in told] == []
        assert [each for each in options if f"{each}=" not in told] == []


def shown(section: str) -> list[str]:
    """Return the programs that a section of the docs shows."""
    return re.findall(r"^```(?:py|typescript)\n(.*?)^```$", section, re.M | re.S)


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
