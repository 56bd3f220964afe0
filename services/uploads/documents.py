"""JSON documents: read as strictly as bodies are, to refuse what is broken, and forgotten.

Source: RFC 8259, RFC 7493 (I-JSON: names once, no lone surrogates).
"""

from __future__ import annotations

import json
import math
import re
from threading import Lock
from typing import Any, NoReturn

from services.errors import ServiceError

#: Objects and lists within each other.
MAX_DEPTH = 32
#: Bytes; a document is read into memory as a whole to be checked.
MAX_BYTES = 16 * 1024 * 1024
#: Lists, objects and members; each costs up to 60 times its bytes while it is checked.
MAX_VALUES = 1_000_000
_ONE_AT_A_TIME = Lock()
#: An escaped backslash, a pair of surrogates, or a lone one.
_SURROGATES = re.compile(
    rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)", re.DOTALL
)


def check(raw: bytes) -> None:
    """Refuse what is not one JSON text in UTF-8; a byte order mark before it is ignored.

    Raises:
        ServiceError: ``malformed-json``, with ``line`` and ``column`` where it is known.
    """
    if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise _broken(f"has more than {MAX_VALUES:,} values")
    with _ONE_AT_A_TIME:
        try:
            _DECODER.decode(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as exc:
            line = raw.count(b"\n", 0, exc.start) + 1
            column = exc.start - raw.rfind(b"\n", 0, exc.start)
            raise _broken(f"is not UTF-8 (line {line}, byte {column})", line=line) from exc
        except json.JSONDecodeError as exc:
            raise _broken(
                f"is not JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})",
                line=exc.lineno,
                column=exc.colno,
            ) from exc
        except RecursionError as exc:
            raise _too_deep() from exc
        except ValueError as exc:  # Python refuses integers of more than 4,300 digits
            raise _broken("has an integer that is too long") from exc
    if b"\\u" in raw:
        _refuse_lone_surrogates(raw)


def _refuse_lone_surrogates(raw: bytes) -> None:
    for found in _SURROGATES.finditer(raw):
        if found[1]:
            line = raw.count(b"\n", 0, found.start()) + 1
            raise _broken(f"holds a lone surrogate (line {line})", line=line)


class _Depth(int):
    """What is left of a value: how deep it goes."""


def _object(pairs: list[tuple[str, Any]]) -> _Depth:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _broken("names the same member of an object twice")
    return _DEPTHS[_deeper(max((_depth(value) for _, value in pairs), default=0))]


def _depth(value: Any) -> int:
    if isinstance(value, _Depth):
        return int(value)
    if value.__class__ is list:
        return _deeper(max(map(_depth, value), default=0))
    return 0


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise _too_deep()
    return depth + 1


def _real(text: str) -> None:
    if math.isinf(float(text)):
        raise _broken("holds a number that is too large")


def _whole(text: str) -> None:
    int(text)


def _constant(name: str) -> NoReturn:
    raise _broken(f"holds {name}, which is not JSON")


def _too_deep() -> ServiceError:
    return _broken(f"is nested deeper than {MAX_DEPTH} levels")


def _broken(what: str, **where: int) -> ServiceError:
    return ServiceError(f"The file {what}.", code="malformed-json", extra=where)


class _Decoder(json.JSONDecoder):
    def decode(self, s: str, *args: Any) -> Any:
        _depth(super().decode(s, *args))


_DEPTHS = tuple(map(_Depth, range(MAX_DEPTH + 1)))
_DECODER = _Decoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_real, parse_constant=_constant
)
