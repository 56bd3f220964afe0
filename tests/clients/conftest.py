"""Fixtures for generated clients: a server, its description, and every client of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.clients.generator import GENERATORS, Generated, generate
from tests.servers import LiveServer, live_server

#: Language → its client, once it is made.
Clients = Callable[[str], Generated]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A live server; what clients do does not depend on the database."""
    folder = tmp_path_factory.mktemp("clients-server")
    with live_server(f"sqlite:///{folder}/db.sqlite", folder) as server:
        yield server


@pytest.fixture(scope="session")
def description(running: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its OpenAPI document, as a file."""
    file = tmp_path_factory.mktemp("description") / "openapi.json"
    file.write_bytes(running.client.get("/api/v1/openapi.json").raise_for_status().content)
    return file


@pytest.fixture(scope="session")
def document(description: Path) -> dict[str, Any]:
    """Its OpenAPI document."""
    return dict(json.loads(description.read_text()))


@pytest.fixture(scope="session")
def client_in(description: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """``client_in("python")``: a client; all are made at once, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        made: dict[str, Future[Generated]] = {
            language: pool.submit(
                generate, language, description, tmp_path_factory.mktemp(language) / "client"
            )
            for language in GENERATORS
        }
        yield lambda language: made[language].result()
        pool.shutdown(cancel_futures=True)
