"""The clock: aware UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, cut to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
