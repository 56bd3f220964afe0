"""Import and export in JSON Lines: what is exported here can be imported there, byte for byte.

The format is described in docs/operations.md. ``lines`` has what others give and get, ``shapes``
what a line may hold, ``importing`` and ``exporting`` do the work.
"""

from __future__ import annotations

from services.transfer.exporting import export
from services.transfer.importing import import_records
from services.transfer.lines import Line, OnConflict, Options, Refusal, Report, Unusable
from services.transfer.shapes import Shapes

__all__ = [
    "Line",
    "OnConflict",
    "Options",
    "Refusal",
    "Report",
    "Shapes",
    "Unusable",
    "export",
    "import_records",
]
