"""A table of 100,000 x 10 as JSON, against pandas' own ``to_json`` in the same run.

    python -m bench.tables

Needs pandas, which the core does not. Prints the best of some runs each, and their ratio; fails if
ours takes longer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from api.output import dumps

_ROWS, _RUNS = 100_000, 5


def main() -> int:
    """Measure both; return 0 unless ours is the slower one."""
    frame = table(_ROWS)
    seconds: dict[str, list[float]] = {"pandas": [], "ours": []}
    for _ in range(_RUNS):  # by turns: other processes disturb both alike
        seconds["pandas"].append(
            _took(lambda: frame.to_json(orient="records", date_format="iso", date_unit="ms"))
        )
        seconds["ours"].append(_took(lambda: dumps(frame)))
    theirs, ours = min(seconds["pandas"]), min(seconds["ours"])
    print(f"DataFrame {_ROWS:,} x {frame.shape[1]} as records, pandas {pd.__version__}")
    print(f"  to_json  {theirs * 1000:7.0f} ms\n  dumps    {ours * 1000:7.0f} ms")
    print(f"  ratio    {theirs / ours:7.2f}  (at least 1)")
    return 0 if ours <= theirs else 1


def table(rows: int) -> Any:
    """Return a table of whole numbers, floats with gaps, texts and times."""
    chance = np.random.default_rng(1)
    gaps = chance.normal(size=rows)
    gaps[::10] = np.nan
    return pd.DataFrame(
        {
            "number": np.arange(rows),
            "count": chance.integers(0, 1_000_000, rows),
            "large": chance.integers(-(10**12), 10**12, rows),
            "gaps": gaps,
            "real": chance.normal(size=rows) * 1e6,
            "price": np.round(chance.normal(size=rows), 2),
            "text": [f"text {number}" for number in range(rows)],
            "colour": chance.choice(["red", "grün", "blue", None], rows),  # type: ignore[arg-type]
            "at": pd.date_range("2026-01-01", periods=rows, freq="37s"),
            "there": pd.date_range("2020-01-01", periods=rows, freq="1234567us", tz="Asia/Tokyo"),
        }
    )


def _took(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
