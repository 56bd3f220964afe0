"""Generated questions to a live server: whatever is asked, the answer is one that is promised.

``make check`` asks a few of each operation, always the same; ``make prove`` asks many, other ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.servers import LiveServer, live_server

PASSWORD = "a thousand and one questions"
LONG = bool(os.environ.get("PROVE"))
#: Questions of each operation in each phase, and the seed that chooses them.
EXAMPLES = ["--max-examples=300"] if LONG else ["--max-examples=8", "--seed=1"]
CONFIG = Path(__file__).with_name("schemathesis.toml")
#: Ends the session that asks, after which all else is 401.
SELF_HARM = r"/auth/(sessions|revoke)|/users/\{[a-z_]+\}/password"

pytestmark = pytest.mark.fuzz


@pytest.fixture(scope="class")
def fuzzed(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of its own: an admin's questions may delete anybody."""
    with live_server(make_database("fuzzed"), tmp_path_factory.mktemp("fuzzed")) as server:
        with server.admin as admin:
            for number in range(1, 9):
                post = {"title": f"Post {number}", "body": "Text", "status": "published"}
                assert admin.post("/api/v1/posts", json=post).status_code == 201
                if number > 6:
                    assert admin.delete(f"/api/v1/posts/{number}").status_code == 204
        yield server


def token_of(server: LiveServer, role: str) -> str:
    """Return the token of a new user of that role."""
    name = f"asks-as-{role}"
    user = {
        "username": name,
        "email": f"{name}@example.com",
        "password": PASSWORD,
        "role": role,
    }
    with server.admin as admin:
        assert admin.post("/api/v1/users", json=user).status_code == 201
    return server.token(name, PASSWORD)


def ask(server: LiveServer, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask about every operation of the OpenAPI document and return what schemathesis says."""
    url = f"{server.url}/api/v1/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run", url]
    return subprocess.run(
        [*command, "--no-color", "--no-shrink", *EXAMPLES, *options],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=3600 if LONG else 300,
    )


def crashes(server: LiveServer) -> list[str]:
    """Return the tracebacks in a server's log."""
    lines = [line for line in server.log.splitlines() if '"crash"' in line]
    return [str(json.loads(line)["exception"])[-1500:] for line in lines]


class TestFuzz:
    @pytest.mark.parametrize("role", [None, "author", "admin"])
    def test_every_answer_is_one_that_the_specs_promise(
        self, fuzzed: LiveServer, role: str | None, tmp_path: Path
    ) -> None:
        # given
        options = []
        if role:
            options = [
                f"--header=Authorization: Bearer {token_of(fuzzed, role)}",
                f"--exclude-path-regex={SELF_HARM}",
            ]
        # when
        run = ask(fuzzed, tmp_path, *options)
        # then
        assert crashes(fuzzed) == [], "\n\n".join(crashes(fuzzed))
        assert run.returncode == 0, run.stdout[-12_000:] + run.stderr[-2_000:]
