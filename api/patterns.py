"""What text may hold, as patterns of the specifications; the rules are in services/text.py.

They mean the same in ECMA-262, with and without its flag ``u``, in Python and in Java. So they have
no characters beyond U+FFFF: an invisible one of those in a tag is refused though a pattern has it.
"""

from __future__ import annotations

from services.text import CONTROLS, INVISIBLE, INVISIBLE_KINDS, PATTERNS, UNTRIMMED, Kind

#: Text of any lines.
TEXT = r"^[^\u0000]*$"


def pattern_of(kind: Kind, pattern: str | None = None, *, is_filled: bool = False) -> str | None:
    """Return what text of a kind matches as a whole, before it is trimmed; None: a format says it.

    Args:
        pattern: the field's own, which says more.
        is_filled: it has to have a character but spaces.
    """
    if own := pattern or PATTERNS.get(kind):
        return f"^(?:{own})$"
    if kind in UNTRIMMED:
        return TEXT
    if kind == "email":
        return None
    refused = CONTROLS + (INVISIBLE if kind in INVISIBLE_KINDS else "")
    return rf"^ *[^\s{refused}][^{refused}]*$" if is_filled else f"^[^{refused}]*$"
