"""Runs the JavaScript tests beside this file in Chromium, on servers with and without prefix."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.servers import ADMIN_PASSWORD, ROOT, LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.node]

#: Seconds that all tests of one server may take.
PATIENCE = 240
PREFIX = "/blog"


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


def test_pages_and_console(server: LiveServer) -> None:
    # when
    result = run(server.url)
    # then
    assert result.returncode == 0, result.stdout


def test_pages_and_console_below_a_prefix(make_database: MakeDatabase, tmp_path: Path) -> None:
    # given
    settings = {"PUBLIC_URL": f"http://127.0.0.1{PREFIX}"}
    with live_server(make_database("prefixed"), tmp_path, **settings) as server:
        # when
        result = run(server.url + PREFIX)
    # then
    assert result.returncode == 0, result.stdout
