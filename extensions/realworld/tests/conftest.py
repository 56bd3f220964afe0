"""Callers of the RealWorld API, on an application with the settings that its README names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from extensions.realworld.tests.conduit import Caller
from services import passwords

PASSWORD = "password"


@pytest.fixture(scope="session")
def _conduit(
    config: Config, _make_app: Callable[[Config], AbstractContextManager[Flask]]
) -> Iterator[Flask]:
    refused = passwords.settings.blocklist
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REALWORLD_CONFIRM_PASSWORD", "off")
        making = _make_app(replace(config, PASSWORD_BLOCKLIST=Path("off")))
        app = making.__enter__()
    passwords.settings.blocklist = refused  # it is one for the whole process
    yield app
    making.__exit__(None, None, None)


@pytest.fixture
def conduit(_conduit: Flask, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with RealWorld's rules."""
    monkeypatch.setattr(passwords.settings, "blocklist", None)
    return _conduit


@pytest.fixture
def anyone(conduit: Flask) -> Caller:
    """A caller who is not signed in."""
    return Caller(conduit.test_client())


@pytest.fixture
def join(anyone: Caller) -> Callable[[str], Caller]:
    """``join("ada")``: signs up, and is signed in."""

    def join(name: str) -> Caller:
        given = {"username": name, "email": f"{name}@test.com", "password": PASSWORD}
        user = anyone("POST", "/users", 201, {"user": given})["user"]
        return Caller(anyone.client, name, user["token"])

    return join


@pytest.fixture
def ada(join: Callable[[str], Caller]) -> Caller:
    """Who writes."""
    return join("ada")


@pytest.fixture
def bob(join: Callable[[str], Caller]) -> Caller:
    """Another one, who reads."""
    return join("bob")
