"""A post and a token of ada's, commands, and a live server with its database for tests of races."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click.testing
import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from tests import databases
from tests.api.importing import ADA, NOTE, Run, as_lines
from tests.factories import PASSWORD, make_post
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
def post(session: Session, ada: User) -> Post:
    """A published post by ada."""
    return make_post(session, ada)


@pytest.fixture
def url(post: Post) -> str:
    """The URL of that post."""
    return f"/api/v1/posts/{post.id}"


@pytest.fixture
def token(client: FlaskClient, ada: User) -> str:
    """An access token of ada's."""
    grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    return str(client.post("/api/v1/auth/token", json=grant).get_json()["access_token"])


@pytest.fixture
def claims(token: str) -> dict[str, Any]:
    """The claims of ada's token."""
    return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def run(app: Flask) -> Run:
    """``run("import", path)``: a command of the application on the shared database."""

    def run(*arguments: object, stdin: bytes | str | None = None) -> click.testing.Result:
        runner = app.test_cli_runner()
        return runner.invoke(args=[str(each) for each in arguments], input=stdin)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a user and a post."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(as_lines(ADA, NOTE))
    return path
