"""The core's lists keep what holds for all: signpost/contract/lists.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import User
from signpost.contract import lists
from signpost.contract.resources import API
from tests.contract.shelves import Shelves


class TestLists(lists.Lists):
    at_least = 11
    unsorted = {f"{API}/auth/sessions"}

    @pytest.fixture
    def shelves(
        self, session: Session, ada: User, sign_in: Callable[[User], FlaskClient]
    ) -> lists.Shelves:
        return Shelves(session, ada, sign_in(ada))
