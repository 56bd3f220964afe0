"""Fixtures of the tests of tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient


@pytest.fixture
def author(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Who uploads."""
    return sign_in("author")
