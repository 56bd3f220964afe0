"""Tables for Signpost: uploaded as CSV or Parquet, asked for columns, rows, statistics, plots.

The resource is declared in resource.py, its rules are in service.py. What reads tables (keeping.py,
stored.py, plots.py ...) imports numpy, pandas, pyarrow and matplotlib, and is imported by handlers.
"""

from __future__ import annotations

from signpost import Namespace


def create() -> Namespace:
    """Return the namespace of ``/api/frames``."""
    from signpost_frames.asking import routes

    return routes()
