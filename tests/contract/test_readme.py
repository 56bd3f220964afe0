"""The README's first five minutes, line by line, against a live server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.servers import ROOT, LiveServer, live_server

README = (ROOT / "README.md").read_text()
#: What the calls answer, in order.
STATUSES = [201, 200, 200, 201, 200, 200, 200, 200, 412, 204, 200, 200, 400]


@pytest.fixture(scope="module")
def server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server whose first post is going to be post 1."""
    with live_server(make_database("readme"), tmp_path_factory.mktemp("readme")) as running:
        yield running


def test_the_first_five_minutes(server: LiveServer, tmp_path: Path) -> None:
    minutes = README.split("## The first five minutes")[1]
    block = re.search(r"^```sh\n(.*?)^```", minutes, re.M | re.S)
    assert block
    script = block[1].replace("http://127.0.0.1:8000", server.url)
    # Each call tells its status on stderr, where it disturbs nothing.
    counted = "curl() { command curl -w '%{stderr}%{http_code}\\n' \"$@\"; }\n" + script
    done = subprocess.run(["bash", "-euc", counted], capture_output=True, text=True, check=True)

    assert [int(line) for line in done.stderr.split()] == STATUSES
    assert '"slug":"hello-world"' in done.stdout
    assert "location: /api/v1/posts/1" in done.stdout.lower()
    assert '{"items":[{"title":"Hello, world"}],' in done.stdout  # found by a word of its text
    assert '"code":"precondition-failed"' in done.stdout
    assert 'rel="undo"' in done.stdout
    assert '"code":"unknown"' in done.stdout


@pytest.mark.parametrize("target", re.findall(r"\]\(([\w./-]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_the_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = re.findall(r"^make (\w+)", README, re.M) + re.findall(r"`make (\w+)`", README)
    assert {"run", "test", "help"} <= set(commands)
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.M), command


def test_without_make_the_same_tests_run() -> None:
    long_ones = re.search(r"^LONG := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert long_ones
    assert f'-m "not ({long_ones[1]})"' in README
