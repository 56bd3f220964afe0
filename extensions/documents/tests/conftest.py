"""Callers of documents."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from signpost.contract import make_user


@pytest.fixture
def ada(sign_in: Callable[..., FlaskClient], session: Session) -> FlaskClient:
    """An author, signed in."""
    return sign_in(make_user(session, "ada"))
