"""What PostgreSQL's planner knows after an import; without it searches take a plan for no rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from services import statistics
from services.transfer import importing
from tests.services.worlds import ADA, NOTE, imported

LINES = [ADA, NOTE, NOTE | {"slug": "another"}]


def counted(engine: sa.Engine) -> int | None:
    """Return how many posts the planner reckons with; None if it does not count them."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.connect() as connection:
        asked = "SELECT reltuples FROM pg_class WHERE oid = 'posts'::regclass"
        return int(connection.exec_driver_sql(asked).scalar_one())


@pytest.fixture(autouse=True)
def _few_are_many(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_MANY", 3)
    statistics.renew(engine)


class TestRenew:
    def test_after_many_new_items(self, engine: sa.Engine) -> None:
        # when
        imported(engine, LINES)
        # then
        assert counted(engine) == (None if engine.dialect.name == "sqlite" else 2)

    def test_not_after_few(self, engine: sa.Engine) -> None:
        imported(engine, LINES[:2])
        assert counted(engine) in {None, 0}

    def test_not_in_a_dry_run(self, engine: sa.Engine) -> None:
        imported(engine, LINES, dry_run=True)
        assert counted(engine) in {None, 0}
