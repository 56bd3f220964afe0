"""Times as they are stored: to the millisecond, in both directions, over all years."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from models.base import UTCDateTime


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        datetime(2026, 11, 20, 6, 45, 0, 123_000, tzinfo=UTC),
        datetime(2109, 5, 15, 7, 35, 11, 103_000, tzinfo=UTC),
        datetime(2109, 5, 15, 7, 35, 11, 104_000, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    ],
)
def test_a_time_comes_back_as_it_went_in(session: sa.orm.Session, moment: datetime) -> None:
    kept = sa.select(sa.literal(moment, UTCDateTime()))

    assert session.scalar(kept) == moment
