"""The table, on the screen and in bench/results/ as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("results")
_PACKAGES = ("flask", "flask-restx", "sqlalchemy", "granian", "orjson", "psycopg")
_MARKS = {True: "ok", False: "NOT", None: ""}
_HEADINGS = ("measure", "figure", "target", "")


@dataclass(frozen=True)
class Row:
    """One line of the table; ``reached`` is None where there is no target."""

    name: str
    figure: str
    target: str = ""
    reached: bool | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def table(title: str, rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, readable as it is."""
    cells = [_HEADINGS, *((row.name, row.figure, row.target, _MARKS[row.reached]) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"### {title}", "", lines[0], rule, *lines[1:], ""])


def circumstances() -> dict[str, Any]:
    """Return where and with what was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_average": os.getloadavg()[0],
        "packages": {name: version(name) for name in _PACKAGES},
    }


def save(around: Mapping[str, Any], results: Mapping[str, Sequence[Row]]) -> Path:
    """Write both files and return the Markdown one."""
    _FOLDER.mkdir(exist_ok=True)
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M}-{around['commit']}"
    rows = {name: [asdict(row) for row in of_one] for name, of_one in results.items()}
    document = json.dumps({**around, "results": rows}, indent=1)
    (_FOLDER / f"{stem}.json").write_text(document + "\n")
    page = _FOLDER / f"{stem}.md"
    page.write_text("\n".join(table(name, of_one) for name, of_one in results.items()))
    return page


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        + " |"
    )


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=_FOLDER.parent, check=False)
    return run.stdout.strip() or "unknown"
