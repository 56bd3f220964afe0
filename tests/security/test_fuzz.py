"""Generated questions to a live server: whatever is asked, the answer is one that is promised.

``make check`` asks a few of each operation, always the same; ``make prove`` asks many, other ones.
Who asks and what is put right first is in asking.py, how answers are judged in schemathesis.toml.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.faults.proofs import LONG, write_result
from tests.security.uploading import upload
from tests.servers import ROOT, LiveServer, live_server

#: Questions of each operation in each phase and mode, the seed that chooses them, and patience (s).
EXAMPLES, SEED, PATIENCE = (100, random.randrange(2**32), 7200) if LONG else (3, 1, 900)
CONFIG = Path(__file__).with_name("schemathesis.toml")
#: Who is asked about every limit and every combination, some 2,000 questions, in the short run too.
THOROUGH = {("sqlite", "author"), ("postgresql", None), ("postgresql", "admin")}

pytestmark = pytest.mark.fuzz


@pytest.fixture
def fuzzed(make_database: MakeDatabase, tmp_path: Path, role: str | None) -> Iterator[LiveServer]:
    """A server of its own: an admin's questions may delete anybody."""
    with live_server(make_database(f"asked_{role or 'by_nobody'}"), tmp_path) as server:
        with server.admin as admin:
            for number in range(1, 9):
                post = {"title": f"Post {number}", "body": "Text", "status": "published"}
                assert admin.post("/api/v1/posts", json=post).status_code == 201
                if number > 6:
                    assert admin.delete(f"/api/v1/posts/{number}").status_code == 204
            for _ in range(3):
                comment = admin.post("/api/v1/posts/1/comments", json={"body": "Text"})
                assert comment.status_code == 201
            assert upload(f"{server.url}/api/v1", admin.headers["Authorization"]) == [1, 2, 3]
        yield server


def ask(
    server: LiveServer, folder: Path, role: str | None, phases: str
) -> subprocess.CompletedProcess[str]:
    """Ask about every operation of the OpenAPI document and return what schemathesis says."""
    url = f"{server.url}/api/v1/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "--no-color"]
    options = ["--no-shrink", f"--max-examples={EXAMPLES}", f"--seed={SEED}", f"--phases={phases}"]
    environment = {
        "PYTHONPATH": str(ROOT),
        "ASKS_AS": role or "",
        "ASKED": server.url,
        "ASKED_DATABASE": server.database_url,
        "ASKED_NOTES": str(folder / "answered"),
    }
    return subprocess.run(
        [*command, "run", url, *options],
        cwd=folder,
        env=os.environ | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def crashes(server: LiveServer) -> list[str]:
    """Return the tracebacks in a server's log."""
    lines = [line for line in server.log.splitlines() if '"crash"' in line]
    return [str(json.loads(line)["exception"])[-1500:] for line in lines]


class TestFuzz:
    @pytest.mark.parametrize("role", [None, "author", "admin"])
    def test_every_answer_is_one_that_the_specs_promise(
        self,
        fuzzed: LiveServer,
        backend: str,
        role: str | None,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        # given
        phases = "examples,fuzzing,stateful"
        if LONG or (backend, role) in THOROUGH:
            phases += ",coverage"
        with capsys.disabled():
            sys.stdout.write(f" seed {SEED} ")
        # when
        run = ask(fuzzed, tmp_path, role, phases)
        # then
        assert crashes(fuzzed) == [], "\n\n".join(crashes(fuzzed))
        assert run.returncode == 0, run.stdout[-12_000:] + run.stderr[-2_000:]
        answered = json.loads((tmp_path / "answered").read_text())
        assert {status[0] for _, status in map(str.split, answered)} == {"2", "3", "4"}
        name = f"fuzz-{backend}-{role or 'anonymous'}"
        counts = {"phases": phases, "examples": EXAMPLES, "seed": SEED}
        write_result(name, {**counts, "asked": sum(answered.values()), "answered": answered})
