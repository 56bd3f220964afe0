"""``python -m api.reference``: print docs/errors.md from the tables that define the codes."""

from __future__ import annotations

import sys

from api.problems import CODES
from services.validation import CODES as FAULTS


def errors() -> str:
    """Return the page about the codes of errors and faults, in Markdown."""
    problems = sorted(CODES.items(), key=lambda each: (each[1].status, each[0]))
    lines = [
        "# Error codes",
        "",
        "Made from the code by `python -m api.reference`; a running service has the same as pages",
        "under `/problems`. A code is stable: programs may depend on it.",
        "",
        "| status | `code` | meaning | what to do |",
        "|---|---|---|---|",
        *(
            f"| {kind.status} | `{code}` | {kind.explanation} | {kind.remedy} |"
            for code, kind in problems
        ),
        "",
        "## Codes of faults",
        "",
        "What stands in `errors[].code` of `validation` and of the conflicts that name fields.",
        "",
        "| `code` | meaning |",
        "|---|---|",
        *(f"| `{code}` | {meaning} |" for code, meaning in FAULTS.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(errors())
