"""Settings of this extension, read from ``FRAMES_...``."""

from __future__ import annotations

from dataclasses import dataclass

from signpost import setting


def _positive(value: int) -> str | None:
    return None if value > 0 else "must be positive"


@dataclass(frozen=True)
class Settings:
    """What an operator may say about tables."""

    max_bytes: int = setting(50 * 1024 * 1024, "Largest CSV or Parquet that is taken.", _positive)
    max_rows: int = setting(5_000_000, "Most rows of a table.", _positive)
    quota_bytes: int = setting(
        2**29, "What all tables of a user may have together, as they are stored.", _positive
    )
