"""Extensions that throw, sleep, hoard, hang or claim too much: the core answers all the while.

The figures of long runs are in tests/results/extensions-*.json.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.faults import chaos
from tests.faults.chaos import SECRET, Reads, meanwhile
from tests.faults.proofs import LONG, write_result
from tests.servers import LiveServer

#: Reads of the core, for each figure.
COUNT = 2_000 if LONG else 200
UNDECLARED = (("GET", "undeclared"), ("DELETE", "undeclared"), ("GET", "plain"))
FIGURES: dict[str, dict[str, Any]] = {}


class Ended(NamedTuple):
    """How a start ended, and after how many seconds."""

    status: int
    error: str
    seconds: float


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where one working extension with bad routes is, among those that fail."""
    modules = {**chaos.FAILING, "chaos": chaos.CHAOS}
    folder = chaos.install(tmp_path_factory.mktemp("installed") / "packages", **modules)
    steps = folder / "migrations" / "broken_step"
    steps.mkdir(parents=True)
    (steps / "0001_things.py").write_text(chaos.STEP)
    return folder


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Ended]]:
    """Begin a start that hangs; the tests before it use the time."""
    root = tmp_path_factory.mktemp("hanging")
    waits = "import threading\nthreading.Event().wait()\ndef create(): ..."
    begun = time.monotonic()
    process = chaos.start(chaos.install(root / "packages", hangs=waits), root / "data")

    def end() -> Ended:
        _, error = process.communicate()
        return Ended(process.returncode, error, time.monotonic() - begun)

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(end)
        process.kill()


@pytest.fixture(scope="module")
def server(
    make_database: MakeDatabase,
    backend: str,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    hanging: Future[Ended],
) -> Iterator[LiveServer]:
    """A server with all of them; what it measured is kept at its end."""
    url = make_database("chaos")
    with chaos.serving(url, tmp_path_factory.mktemp("chaos"), folder) as server:
        alone = Reads(server)
        alone.ask(COUNT)
        FIGURES[backend] = {"alone": alone.told()}
        yield server
    write_result(f"extensions-{backend}", {"core": FIGURES[backend]})


def problem(answer: httpx.Response, status: int) -> str:
    """Return the code of a problem that tells nothing of what happened."""
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text + str(answer.headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(answer.json()["code"])


class TestStart:
    def test_goes_on_without_those_that_fail(self, server: LiveServer) -> None:
        with server.admin as admin:
            listed = admin.get("/api/v1/extensions").raise_for_status().json()["items"]
        found = {each["name"]: each for each in listed}
        assert found["chaos"]["state"] == "loaded"
        for name in chaos.FAILING:
            assert found[name]["state"] == "failed", name
            assert found[name]["error"], name
            assert server.client.get(f"/api/{name}/x").status_code == 404
        assert found["garbled"]["error"].startswith("SyntaxError")
        assert found["exits"]["error"].startswith("SystemExit")
        assert found["kind"]["error"] == "TypeTaken: there is a resource posts already"
        told = server.client.get("/api/v1/extensions")
        assert [each["error"] for each in told.json()["items"] if each["error"]] == []
        assert SECRET not in told.text

    def test_leaves_nothing_of_a_step_that_failed(self, server: LiveServer) -> None:
        from tests.databases import connect

        engine = connect(server.database_url)
        with engine.connect() as connection:
            tables = connection.dialect.get_table_names(connection)
        engine.dispose()
        assert "posts" in tables
        assert "broken_step_things" not in tables


class TestRoute:
    @pytest.mark.parametrize("how", ["error", "exit", "interrupt", "memory", "recursion", "silent"])
    def test_that_throws_is_500(self, server: LiveServer, how: str) -> None:
        for _ in range(3):
            assert problem(server.client.get(f"/api/chaos/raises/{how}"), 500) == "internal"
        assert server.client.get("/api/chaos/fine").json() == {"fine": True}
        assert server.client.get("/api/v1/posts").status_code == 200

    @pytest.mark.parametrize(
        "what",
        ["object", "nothing", "status", "long", "class", "function", "bytes", "header", "number"],
    )
    def test_that_returns_rubbish_is_500(self, server: LiveServer, what: str) -> None:
        assert problem(server.client.get(f"/api/chaos/returns/{what}"), 500) == "internal"

    def test_that_says_nothing_of_access_is_for_admins(self, server: LiveServer) -> None:
        reader = {"username": "chaotic", "email": "c@example.com", "password": "a violin in Oslo"}
        with server.admin as admin:
            assert admin.post("/api/v1/users", json=reader).status_code == 201
            token = server.token("chaotic", "a violin in Oslo")
            with server.caller(token) as other:
                for verb, name in UNDECLARED:
                    url = f"/api/chaos/{name}"
                    assert problem(server.client.request(verb, url), 401) == "unauthenticated"
                    assert problem(other.request(verb, url), 403) == "forbidden"
                    assert admin.request(verb, url).status_code == 200


class TestMeanwhile:
    def test_that_throws(self, server: LiveServer, backend: str) -> None:
        reads, answers = meanwhile(
            server, COUNT, lambda: httpx.get(f"{server.url}/api/chaos/raises/error").status_code, 2
        )
        FIGURES[backend]["throws"] = {**reads.told(), "its own": told(answers)}
        assert reads.failures == []
        assert set(answers) == {500}

    def test_that_sleeps_in_all_its_threads(self, server: LiveServer, backend: str) -> None:
        def sleep() -> int:
            return httpx.get(f"{server.url}/api/chaos/sleeps", timeout=60).status_code

        reads, answers = meanwhile(server, COUNT, sleep, 24)
        FIGURES[backend]["sleeps"] = {**reads.told(), "its own": told(answers)}
        assert reads.failures == []
        assert set(answers) == {200, 503}


def told(answers: list[int]) -> dict[str, int]:
    """Count the answers by status."""
    return {str(status): count for status, count in sorted(Counter(answers).items())}


class TestMemory:
    def test_that_is_hoarded_is_its_own_problem(
        self, make_database: MakeDatabase, folder: Path, tmp_path: Path, backend: str
    ) -> None:
        url, python = make_database("hoard"), chaos.capped(tmp_path)
        with chaos.serving(url, tmp_path / "data", folder, python=python) as server:

            def hoard() -> int:
                return httpx.get(f"{server.url}/api/chaos/hoards", timeout=60).status_code

            reads, answers = meanwhile(server, COUNT, hoard, 1)
            FIGURES[backend]["hoards"] = {**reads.told(), "its own": told(answers)}
            assert reads.failures == []
            assert set(answers) == {500}
            assert problem(server.client.get("/api/chaos/raises/error"), 500) == "internal"


class TestNames:
    @pytest.mark.parametrize(
        ("names", "said"),
        [
            (("v2",), ("test-v2", "signpost", "/api/v2")),
            (("Wrong-Name",), ("test-Wrong-Name", "'Wrong-Name'")),
            (("twice", "twice"), ("test-twice", "other-twice", "/api/twice")),
        ],
    )
    def test_that_are_taken_stop_the_start(
        self, tmp_path: Path, names: tuple[str, ...], said: tuple[str, ...]
    ) -> None:
        from api import loading
        from tests import packages

        folder = tmp_path / "packages"
        folder.mkdir()
        for owner, name in zip(("test", "other"), names, strict=False):
            points = {loading.GROUP: {name: "create"}}
            packages.install(folder, f"{owner}-{name}", "def create(): ...", points)

        process = chaos.start(folder, tmp_path / "data")
        _, error = process.communicate(timeout=30)

        assert process.returncode == 1
        assert error.startswith("Signpost cannot start: ")
        assert all(word in error for word in said), error


class TestHang:
    def test_at_import_ends_the_start_after_20_s(self, hanging: Future[Ended]) -> None:
        status, error, seconds = hanging.result(timeout=40)

        assert status == 70
        assert "the extension hangs (test-hangs) hangs when it is imported" in error
        assert 20 <= seconds < 30
