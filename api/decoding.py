"""JSON, read strictly: what one parser would read otherwise than another is refused.

Source: RFC 8259, section 4 (names should be unique), RFC 7493 (I-JSON: no lone surrogates).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from api.problems import MalformedBody

#: Objects and lists within each other.
MAX_DEPTH = 32
#: Objects and lists in all: Python takes half a second for the 600,000 that fit into a body.
MAX_CONTAINERS = 100_000
#: Its end may be missing: to look for one again and again would take minutes.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels."


def decode(raw: bytes) -> Any:
    """Return the value of a JSON text in UTF-8; a byte order mark before it is ignored.

    Raises:
        MalformedBody: it is no JSON, has a name twice in an object, NaN, an infinite number, a
            lone surrogate, an integer of thousands of digits, more than 32 levels, or more
            than 100,000 objects and lists.
    """
    opened = _count_opened(raw)
    if opened > MAX_CONTAINERS and _count_opened(_STRING.sub(b"", raw)) > MAX_CONTAINERS:
        raise MalformedBody(f"The body holds more than {MAX_CONTAINERS} objects and lists.")
    try:
        text = raw.decode("utf-8-sig")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as exc:
        raise MalformedBody(f"The body is not UTF-8 (at byte {exc.start}).") from exc
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise MalformedBody(f"The body is not JSON: {exc.msg} ({where}).") from exc
    except RecursionError as exc:
        raise MalformedBody(_TOO_DEEP) from exc
    except ValueError as exc:  # Python refuses integers of more than 4,300 digits
        raise MalformedBody("The body holds an integer that is too long.") from exc
    if opened > MAX_DEPTH:
        _measure(value)
    if b"\\u" in raw:
        _encode(value)
    return value


def _count_opened(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedBody("The body names the same member of an object twice.")
    return found


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise MalformedBody("The body holds a number that is too large.")
    return number


def _constant(name: str) -> NoReturn:
    raise MalformedBody(f"The body holds {name}, which is not JSON.")


def _measure(value: Any) -> None:
    """Refuse what is too deep, level by level: a call for each list takes three times as long."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if outer.__class__ is dict else outer)
            if inner.__class__ is dict or inner.__class__ is list
        ]
        if not level:
            return
    raise MalformedBody(_TOO_DEEP)


def _encode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        raise MalformedBody("The body holds a lone surrogate.") from exc


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_constant=_constant
)
