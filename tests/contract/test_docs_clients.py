"""docs/clients.md: its examples are run, in every language, and print what it says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.contract.examples import Block, assert_printed, blocks, program, section
from tests.servers import ROOT, LiveServer, live_server

PAGE = ROOT / "docs" / "clients.md"
TYPESCRIPT = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
#: Seconds that all examples of a language may take.
PATIENCE = 60

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


def run(command: list[str | Path], folder: Path) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


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
    """Return the TypeScript, once its types are checked and removed."""
    file = tmp_path_factory.mktemp("typescript") / "client.mts"
    file.write_text(program(of("ts")))
    options = ["--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"]
    run(["node", TYPESCRIPT, *options, "--module", "nodenext", file], file.parent)
    return file.with_suffix(".mjs").read_text()


@pytest.mark.node
def test_typescript(javascript: str, new_server: NewServer, tmp_path: Path) -> None:
    # given
    file = tmp_path / "client.mjs"
    file.write_text(here(javascript, new_server()))
    # when
    printed = run(["node", file], tmp_path)
    # then
    assert_printed(of("ts"), printed, PAGE)


BUSY = httpx.Response(503, headers={"Retry-After": "7"}, json={"code": "unavailable"})
UNSURE = httpx.Response(503, json={"code": "unavailable", "outcome": "unknown"})
FINE = httpx.Response(200)


class TestPersist:
    """The page's way to repeat requests, against a service that is made to fail."""

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """Return the seconds that it waits; they pass at once."""
        waits: list[float] = []
        monkeypatch.setattr(time, "sleep", waits.append)
        return waits

    def persist(self, method: str, *answers: httpx.Response | Exception) -> tuple[int, int]:
        """Return the status it ends with and how many answers it did not ask for."""
        left = iter([FINE, *answers])  # the page asks once itself

        def answer(_: httpx.Request) -> httpx.Response:
            if isinstance(given := next(left), Exception):
                raise given
            return given

        api = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://service")
        names: dict[str, Any] = {"api": api, "httpx": httpx}
        parts = blocks(section(PAGE.read_text(), "Retries"))
        [code] = [part.code for part in parts if part.language == "python"]
        exec(code, names)  # noqa: S102 - our own page
        return names["persist"](method, "/posts/1").status_code, len(list(left))

    def test_waits_as_long_as_it_is_told(self, waits: list[float]) -> None:
        assert self.persist("POST", BUSY, BUSY, FINE) == (200, 0)
        assert waits == [7, 7]

    def test_gives_up(self, waits: list[float]) -> None:
        assert self.persist("GET", *[BUSY] * 5) == (503, 1)
        assert len(waits) == 3

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_repeats_what_may_be_done_twice(self, method: str, waits: list[float]) -> None:
        lost = httpx.ReadError("gone")
        assert self.persist(method, lost, UNSURE, httpx.Response(502), FINE) == (200, 0)
        assert waits == [1, 1, 1]

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_does_not_repeat_what_may_be_stored(self, method: str, waits: list[float]) -> None:
        assert self.persist(method, UNSURE, FINE) == (503, 1)
        assert self.persist(method, httpx.Response(504), FINE) == (504, 1)
        with pytest.raises(httpx.ReadError):
            self.persist(method, httpx.ReadError("gone"), FINE)
        assert waits == []

    @pytest.mark.parametrize("status", [400, 404, 412, 500])
    def test_does_not_repeat_what_will_not_change(self, status: int, waits: list[float]) -> None:
        assert self.persist("GET", httpx.Response(status), FINE) == (status, 1)
        assert waits == []
