"""What is wrong with an uploaded table, or with what is asked of a stored one."""

from __future__ import annotations

from signpost.services import Fault, Invalid

#: Where the upload's file stands in its form.
_FILE = "files.0"


def bad_table(what: str, *, line: int | None = None, code: str = "format") -> Invalid:
    """Return the problem of a table that is not stored.

    Args:
        what: how the sentence about the file goes on.
        line: of the text, from 1; it is a member of the problem, too.
    """
    where = "" if line is None else f" (line {line:,})"
    said = f"The file {what}{where}."
    return Invalid(
        said, faults=[Fault(_FILE, code, said)], extra={} if line is None else {"line": line}
    )


def bad_parameter(name: str, code: str, said: str) -> Invalid:
    """Return the problem of a parameter that this table has no answer to."""
    return Invalid(said, faults=[Fault(name, code, said)])
