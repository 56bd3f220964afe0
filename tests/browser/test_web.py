"""Runs the tests of the client in examples/web: on another origin, and on the service's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.web_server import WEB, server
from tests.browser.proxy import tls_proxy
from tests.browser.test_browser import run
from tests.conftest import MakeDatabase
from tests.servers import free_port, live_server

pytestmark = [pytest.mark.browser, pytest.mark.node]


@contextmanager
def client_of(url: str, port: int) -> Iterator[str]:
    """Serve the client on a port of its own, for the service at ``url``; yield its URL."""
    web = server(port, f"{url}/api/v1")
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def test_on_another_origin(make_database: MakeDatabase, backend: str, tmp_path: Path) -> None:
    # given
    port = free_port()
    settings = {"CORS_ORIGINS": f"http://127.0.0.1:{port}"}
    with (
        live_server(make_database("web"), tmp_path, **settings) as service,
        client_of(service.url, port) as client,
    ):
        # when: what it looks like is the same on both databases
        tests = "web*" if backend == "sqlite" else "web"
        result = run(service.url, tests, SIGNPOST_CLIENT=client)
    # then
    assert result.returncode == 0, result.stdout


def test_on_the_same_origin_below_a_prefix_and_behind_tls(tmp_path: Path) -> None:
    # given
    with tls_proxy(tmp_path, "/some/blog", strips=True) as proxy:
        proxy.app = WEB
        url = f"sqlite:///{tmp_path}/db.sqlite"
        settings = {"PUBLIC_URL": proxy.url, "TRUSTED_PROXIES": 1}
        with live_server(url, tmp_path, **settings) as service:
            proxy.upstream = service.url
            # when
            own = {"NODE_EXTRA_CA_CERTS": str(proxy.certificate)}
            # what it looks like, test_on_another_origin has seen
            result = run(proxy.url, "web", SIGNPOST_CLIENT=f"{proxy.url}/app", **own)
    # then
    assert result.returncode == 0, result.stdout
