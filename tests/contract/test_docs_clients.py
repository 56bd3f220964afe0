"""docs/clients.md: its examples are run, in every language, and print what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.contract.examples import Block, assert_printed, blocks, compiled, program, run
from tests.servers import ROOT, LiveServer, live_server

PAGE = ROOT / "docs" / "clients.md"

#: Makes a server whose first post is going to be post 1.
NewServer = Callable[[], LiveServer]
_serial = count(1)


@pytest.fixture
def new_server(make_database: MakeDatabase, tmp_path: Path) -> Iterator[NewServer]:
    """Start servers, each on a database of its own."""
    with ExitStack() as stack:

        def start() -> LiveServer:
            number = next(_serial)
            url = make_database(f"clients{number}")
            return stack.enter_context(live_server(url, tmp_path / str(number), WORKERS=1))

        yield start


def of(language: str) -> list[Block]:
    """Return the page's blocks in a language."""
    return [block for block in blocks(PAGE.read_text()) if block.language == language]


def here(code: str, server: LiveServer) -> str:
    """Return code that asks ``server`` instead of the reader's."""
    return code.replace("http://127.0.0.1:8000", server.url)


def test_curl(new_server: NewServer, tmp_path: Path) -> None:
    # given
    parts = of("sh")
    code = here(program(parts), new_server())
    # when
    printed = run(["bash", "-euo", "pipefail", "-c", code], tmp_path)
    # then
    assert_printed(parts, printed, PAGE)


def test_python(new_server: NewServer, tmp_path: Path) -> None:
    # given
    parts = of("python")
    file = tmp_path / "client.py"
    file.write_text(here(program(parts), new_server()))
    # when
    printed = run([sys.executable, "-W", "error", file], tmp_path)
    # then
    assert_printed(parts, printed, PAGE)


@pytest.fixture(scope="module")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page's TypeScript as JavaScript."""
    return compiled(program(of("ts")), tmp_path_factory.mktemp("typescript"))


@pytest.mark.node
def test_typescript(javascript: str, new_server: NewServer, tmp_path: Path) -> None:
    # given
    file = tmp_path / "client.mjs"
    file.write_text(here(javascript, new_server()))
    # when
    printed = run(["node", file], tmp_path)
    # then
    assert_printed(of("ts"), printed, PAGE)
