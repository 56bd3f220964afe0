"""Runs the JavaScript tests beside this file in Chromium, on servers with and without prefix."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers import ADMIN_PASSWORD, ROOT, live_server

pytestmark = [pytest.mark.browser, pytest.mark.node]

#: Seconds that all tests of one server may take.
PATIENCE = 240


def run(url: str) -> subprocess.CompletedProcess[str]:
    """Run every test of this folder on the service at ``url``."""
    return subprocess.run(
        ["node", "--test", *map(str, sorted(Path(__file__).parent.glob("*.test.mjs")))],
        cwd=ROOT,
        env=os.environ
        | {
            "SIGNPOST_URL": url,
            "SIGNPOST_USER": "admin",
            "SIGNPOST_PASSWORD": ADMIN_PASSWORD,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("prefix", ["", "/blog"], ids=["plain", "prefixed"])
def test_pages_and_console(tmp_path: Path, prefix: str) -> None:
    # given
    settings = {"PUBLIC_URL": f"http://127.0.0.1{prefix}"} if prefix else {}
    with live_server(f"sqlite:///{tmp_path}/db.sqlite", tmp_path, **settings) as server:
        # when
        result = run(server.url + prefix)
    # then
    assert result.returncode == 0, result.stdout
