"""Runs the JavaScript tests beside this file in Chromium: bare, and below a prefix behind TLS.

Those of the client in examples/web are run by test_web.py.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.browser.proxy import tls_proxy
from tests.servers import ADMIN_PASSWORD, ROOT, live_server

pytestmark = [pytest.mark.browser, pytest.mark.node]

#: Seconds that all tests of one server may take.
PATIENCE = 900


def run(url: str, tests: str = "[!w]*", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of this folder with such names on the service at ``url``."""
    found = sorted(Path(__file__).parent.glob(f"{tests}.test.mjs"))
    return subprocess.run(
        ["node", "--test", *map(str, found)],
        cwd=ROOT,
        env=os.environ
        | {
            "SIGNPOST_URL": url,
            "SIGNPOST_USER": "admin",
            "SIGNPOST_PASSWORD": ADMIN_PASSWORD,
        }
        | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_pages_and_console(tmp_path: Path) -> None:
    # given
    with live_server(f"sqlite:///{tmp_path}/db.sqlite", tmp_path) as server:
        # when
        result = run(server.url)
    # then
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("strips", [True, False], ids=["stripped", "kept"])
def test_below_a_prefix_and_behind_tls(tmp_path: Path, strips: bool) -> None:
    # given
    with tls_proxy(tmp_path, "/some/blog", strips=strips) as proxy:
        url = f"sqlite:///{tmp_path}/db.sqlite"
        settings = {"PUBLIC_URL": proxy.url, "TRUSTED_PROXIES": 1}
        with live_server(url, tmp_path, **settings) as server:
            proxy.upstream = server.url
            # when: what the console sends is the same whether the proxy strips the prefix or not,
            # and what a page looks like is the same wherever it is
            tests = "[cp]*" if strips else "p*"
            result = run(proxy.url, tests, NODE_EXTRA_CA_CERTS=str(proxy.certificate))
    # then
    assert result.returncode == 0, result.stdout
