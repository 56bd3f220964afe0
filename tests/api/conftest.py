"""Ada's token, and a live server with its admin and database for tests under concurrency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from models import User
from tests import databases
from tests.factories import PASSWORD
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


@pytest.fixture
def token(client: FlaskClient, ada: User) -> str:
    """An access token of ada's."""
    grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    return str(client.post("/api/v1/auth/token", json=grant).get_json()["access_token"])


@pytest.fixture
def claims(token: str) -> dict[str, Any]:
    """The claims of ada's token."""
    return jwt.decode(token, options={"verify_signature": False})
