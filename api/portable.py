"""What generated clients need said in words of every language; used by api/openapi31.py."""

from __future__ import annotations

import re
from typing import Any

#: A class of characters that are refused, as api/patterns.py writes them.
_REFUSED = re.compile(r"\[\^(\\s)?((?:\\u[0-9a-f]{4}-?)+)\]")
_RANGE = re.compile(r"\\u([0-9a-f]{4})(?:-\\u([0-9a-f]{4}))?")
_ASCII = 0x7F
_MAX_INT32 = 2**31 - 1


def portable(pattern: str) -> dict[str, Any]:
    r"""Return the schema of a pattern in which nothing but ASCII is refused by the pattern itself.

    PHP's engine knows no ``\u`` and takes text for bytes, unless told otherwise; so what is refused
    beyond ASCII stands under ``not``, which validators read and generators leave out.
    """
    beyond: set[str] = set()

    def within(found: re.Match[str]) -> str:
        first, rest = found[1] or "", ""
        for low, high in ((int(a, 16), int(b or a, 16)) for a, b in _RANGE.findall(found[2])):
            if low <= _ASCII:
                rest += _span("x{:02x}", low, min(high, _ASCII))
            if high > _ASCII:
                beyond.add(_span("u{:04x}", max(low, _ASCII + 1), high))
        return f"[^{first}{rest}]"

    schema: dict[str, Any] = {"pattern": _REFUSED.sub(within, pattern)}
    if beyond:
        # With its type: a pattern alone says nothing of null, so `not` would refuse it.
        schema["not"] = {"type": "string", "pattern": f"[{''.join(sorted(beyond))}]"}
    return schema


def sized(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that says of whole numbers beyond 31 bits that they are of 64.

    Java, C# and Go take 32 otherwise, and fail on a greater id.
    """
    is_whole = schema.get("type") == "integer" and "format" not in schema
    large = is_whole and schema.get("maximum", _MAX_INT32 + 1) > _MAX_INT32
    return schema | {"format": "int64"} if large else schema


def names(values: list[Any]) -> list[str] | None:
    """Return a name for each order that a list can have; None: these are no orders."""
    texts = [each for each in values if isinstance(each, str)]
    if not {f"-{each}" for each in texts} & set(texts):
        return None
    return [_name(each) for each in texts]


def _name(order: str) -> str:
    words = "".join(word.capitalize() for word in order.removeprefix("-").split("_"))
    return f"{words}Descending" if order.startswith("-") else words


def _span(form: str, low: int, high: int) -> str:
    first, last = ("\\" + form.format(each) for each in (low, high))
    return first if low == high else f"{first}-{last}"
