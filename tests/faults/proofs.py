"""Result files of ``make prove``: what was run, at which commit, and what came out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.servers import ROOT

RESULTS = ROOT / "tests" / "results"
LONG = bool(os.environ.get("PROVE"))


def write_result(name: str, result: dict[str, Any]) -> None:
    """Keep the result of a long proof, to be committed; of a short run nothing is kept."""
    if LONG:
        RESULTS.mkdir(exist_ok=True)
        document = {"proof": name, "commit": _commit(), **result}
        Path(RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
