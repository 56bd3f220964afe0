"""Databases that nothing has been done to yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from models.engine import WRITES
from services import schema
from tests import databases

_serial = itertools.count(1)


@pytest.fixture
def empty_url(make_database: Callable[[str], str]) -> str:
    """Return the URL of a database without a table."""
    url = make_database(f"migrations{next(_serial)}")
    engine = databases.connect(url)
    schema.downgrade(engine)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.exec_driver_sql("DROP TABLE alembic_version")
    engine.dispose()
    return url


@pytest.fixture
def empty(empty_url: str) -> Iterator[sa.Engine]:
    """Give a database without a table."""
    engine = databases.connect(empty_url)
    yield engine
    engine.dispose()
