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
_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
#: Texts, which are names before a colon, brackets, and numbers and words that may be wrong.
_TOKENS = re.compile(
    r""""[^"\\]*(?:\\.[^"\\]*)*"(?P<name>[ \t\r\n]*:)?|(?P<begin>\[|{)|(?P<end>\]|})
    |(?P<word>NaN|-?Infinity)|(?P<number>-?[0-9][0-9.]*[eE][0-9+-]+|-?[0-9.]{300,})""",
    re.VERBOSE | re.DOTALL,
)
#: An escaped backslash, a pair of surrogates, or a lone one.
_SURROGATES = re.compile(
    rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)", re.DOTALL
)


def check(raw: bytes) -> None:
    """Refuse what is not one JSON text in UTF-8; a byte order mark before it is ignored.

    Raises:
        ServiceError: ``malformed-json``, with ``line`` unless it has too many values, and with
            ``column`` where that is known.
    """
    if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise _broken(f"has more than {MAX_VALUES:,} values")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        column = exc.start - raw.rfind(b"\n", 0, exc.start)
        raise _broken(f"is not UTF-8 (line {line}, byte {column})", line=line) from exc
    with _ONE_AT_A_TIME:
        try:
            _DECODER.decode(text)
        except json.JSONDecodeError as exc:
            raise _broken(
                f"is not JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})",
                line=exc.lineno,
                column=exc.colno,
            ) from exc
        except (_NotStrict, RecursionError, ValueError) as exc:
            raise _located(text) from exc
    if b"\\u" in raw:
        _refuse_lone_surrogates(raw)


def _refuse_lone_surrogates(raw: bytes) -> None:
    for found in _SURROGATES.finditer(raw):
        if found[1]:
            line = raw.count(b"\n", 0, found.start()) + 1
            raise _broken(f"holds a lone surrogate (line {line})", line=line)


def _located(text: str) -> ServiceError:
    """Return what is wrong with JSON that the decoder does not take, and where it is first."""
    names: list[set[str]] = []
    for token in _TOKENS.finditer(text):
        if what := _wrong(token, names):
            line = text.count("\n", 0, token.start()) + 1
            return _broken(f"{what} (line {line})", line=line)
    return _broken("is not JSON")


def _wrong(token: re.Match[str], names: list[set[str]]) -> str | None:
    """Return what is wrong with a token; ``names`` are those of the objects that it is in."""
    match token.lastgroup:
        case "name":
            name = token[0][: token.start("name") - token.start()]
            name = json.loads(name) if "\\" in name else name[1:-1]
            if name in names[-1]:
                return "names the same member of an object twice"
            names[-1].add(name)
        case "begin":
            names.append(set())
            return _TOO_DEEP if len(names) > MAX_DEPTH else None
        case "end":
            names.pop()
        case "word":
            return f"holds {token[0]}, which is not JSON"
        case "number":
            return _wrong_number(token[0])
    return None


def _wrong_number(shown: str) -> str | None:
    try:
        number = int(shown) if shown.lstrip("-").isdigit() else float(shown)
    except ValueError:  # Python refuses integers of more than 4,300 digits
        return "has an integer that is too long"
    is_infinite = isinstance(number, float) and math.isinf(number)
    return "holds a number that is too large" if is_infinite else None


class _NotStrict(Exception):
    """It is JSON, but not as strict as is wanted here."""


class _Depth(int):
    """What is left of a value: how deep it goes."""


def _object(pairs: list[tuple[str, Any]]) -> _Depth:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _NotStrict()
    return _DEPTHS[_deeper(max((_depth(value) for _, value in pairs), default=0))]


def _depth(value: Any) -> int:
    if isinstance(value, _Depth):
        return int(value)
    if value.__class__ is list:
        return _deeper(max(map(_depth, value), default=0))
    return 0


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise _NotStrict()
    return depth + 1


def _real(text: str) -> None:
    if math.isinf(float(text)):
        raise _NotStrict()


def _whole(text: str) -> None:
    int(text)


def _constant(_name: str) -> NoReturn:
    raise _NotStrict()


def _broken(what: str, **where: int) -> ServiceError:
    return ServiceError(f"The file {what}.", code="malformed-json", extra=where)


class _Decoder(json.JSONDecoder):
    def decode(self, s: str, *args: Any) -> Any:
        _depth(super().decode(s, *args))


_DEPTHS = tuple(map(_Depth, range(MAX_DEPTH + 1)))
_DECODER = _Decoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_real, parse_constant=_constant
)
