"""Fixtures of the attack cases: servers as strict as one that faces the internet."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.servers import LiveServer, live_server

#: The name that the strict server is known by, and the origin whose pages may call it.
HOST, ORIGIN = "signpost.example", "https://good.com"


@pytest.fixture(scope="session")
def strict_server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A live server with every protection on, and an environment that asks for a debugger."""
    settings = {
        "PUBLIC_URL": f"https://{HOST}",
        "CORS_ORIGINS": ORIGIN,
        "RATE_LIMITS": "on",
        "FLASK_DEBUG": "1",
        "FLASK_ENV": "development",
    }
    folder = tmp_path_factory.mktemp("strict")
    with live_server(make_database("strict"), folder, **settings) as server:
        yield server


@pytest.fixture
def strict(strict_server: LiveServer) -> Iterator[httpx.Client]:
    """A caller of the strict server, by its name."""
    with strict_server.caller() as client:
        client.headers["Host"] = HOST
        yield client
