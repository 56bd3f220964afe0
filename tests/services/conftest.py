"""Fixtures of the tests of sign-in, which need no Flask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from services import clock
from tests.services.direct import Clock, Direct, wide_engine


@pytest.fixture
def database(engine: sa.Engine) -> Direct:
    """The shared database, a session for each unit of work."""
    return Direct(engine)


@pytest.fixture
def wide(engine: sa.Engine, database_url: str) -> Iterator[Direct]:
    """The same database with a connection for each of many threads."""
    wide = wide_engine(database_url)
    yield Direct(wide)
    wide.dispose()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every transaction."""
    fake = Clock()
    monkeypatch.setattr(clock, "now", fake)
    return fake
