"""The READMEs of extensions, line by line, against a live server: what they say is what comes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeDatabase
from tests.contract.sources import files, text
from tests.servers import LiveServer, live_server

READMES = [name for name in files("extensions/*/README.md") if "\n# {" in text(name)]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    with live_server(
        make_database("readmes"), tmp_path_factory.mktemp("readmes"), EXTENSIONS_DISABLED=""
    ) as running:
        yield running


def answers(script: str, server: LiveServer, folder: Path) -> list[Any]:
    """Run a script; return what its calls answered, as JSON."""
    # Each answer has a line of its own.
    spaced = 'curl() { command curl "$@"; echo; }\n' + script.replace(ADDRESS, server.url)
    done = subprocess.run(
        ["bash", "-euc", spaced],
        cwd=folder,
        env=os.environ | {"TOKEN": server.admin_token},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def is_as_told(told: Any, found: Any) -> bool:
    """Whether an answer has all members that a README shows."""
    if isinstance(told, dict):
        return all(name in found and is_as_told(told[name], found[name]) for name in told)
    return bool(told == found)


@pytest.mark.parametrize("name", READMES)
def test_what_the_readme_says_is_what_comes(name: str, server: LiveServer, tmp_path: Path) -> None:
    # given
    script = "".join(block for block in BLOCK.findall(text(name)) if "\n# {" in block)
    told = [line[2:] for line in script.splitlines() if line.startswith("# {")]
    # when
    found = answers(script, server, tmp_path)
    # then
    assert len(told) == len(found) > 0
    for expected, answer in zip(told, found, strict=True):
        if "..." not in expected:  # else it is shortened
            assert is_as_told(json.loads(expected), answer), answer
