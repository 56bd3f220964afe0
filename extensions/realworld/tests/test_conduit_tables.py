"""The extension's one table: as its model says, made and dropped by its own history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.loading import Extension
from models import User
from services import drafts, schema
from signpost.contract import databases
from signpost.contract.plugin import MakeDatabase

if TYPE_CHECKING:
    from tests.conduit import Caller

TABLE = "realworld_profiles"


@pytest.fixture
def history(extensions: tuple[Extension, ...]) -> schema.History:
    """The history of the extension."""
    return next(each.history for each in extensions if each.name == "realworld")


def test_is_what_the_model_says(engine: sa.Engine, history: schema.History) -> None:
    assert sa.inspect(engine).has_table(TABLE)
    assert drafts.differences(engine, history) == []


def test_can_be_dropped_and_made_again(
    make_database: MakeDatabase, history: schema.History
) -> None:
    engine = databases.connect(make_database("tables"))
    try:
        schema.downgrade(engine, history)
        assert not sa.inspect(engine).has_table(TABLE)
        assert schema.upgrade(engine, history) is True
        assert drafts.differences(engine, history) == []
    finally:
        engine.dispose()


def test_goes_with_the_user(ada: Caller, session: Session) -> None:
    ada("PUT", "/user", 200, {"user": {"image": "x"}})
    count = sa.select(sa.func.count()).select_from(sa.table(TABLE))
    assert session.scalar(count) == 1
    session.execute(sa.delete(User))
    session.commit()
    assert session.scalar(count) == 0
