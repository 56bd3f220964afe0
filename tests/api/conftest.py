"""A live server, its admin and its database, for tests of the API under concurrency."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import databases
from tests.racing import World
from tests.servers import LiveServer


@pytest.fixture
def world(server: LiveServer) -> Iterator[World]:
    engine = databases.connect(server.database_url)
    world = World(server, engine)
    with world.clients:
        yield world
    engine.dispose()
    assert '"level":"error"' not in server.log
