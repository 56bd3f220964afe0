"""Query strings: a declared parser is compiled into a function that reads this request's.

Only declarations are RESTX's; its parsing would take ``1_0`` for 10, say 400 at the first fault
and drop names that it does not know. The types are in api/arguments.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

from flask import request
from flask_restx.reqparse import RequestParser

from api.arguments import Argument, Refused
from api.pairs import MAX_PAIRS, parse_pairs
from services.validation import Faults, shown

#: Times that a repeatable argument may be given.
MAX_REPEATS = 50


def compile(
    parser: RequestParser,
    form: Sequence[Argument] = (),
    read_form: Callable[[], bytes] = bytes,
) -> Callable[[], dict[str, Any]]:
    """Return a function: this request's arguments by name, defaults where they are absent.

    Without a default that is None, or an empty list for a repeatable one. The function raises
    ``Invalid`` with every fault: unknown and repeated names, missing ones, texts that don't fit.

    Args:
        form: arguments that are read from what ``read_form`` returns.
    """
    parts: list[tuple[dict[str, Argument], Callable[[], bytes]]]
    parts = [(_declared(parser.args), _query_string)]
    if form:
        parts.append((_declared(form), read_form))
    defaults = {name: _default(each) for names, _ in parts for name, each in names.items()}
    required = any(each.required for names, _ in parts for each in names.values())

    def read() -> dict[str, Any]:
        values = {name: copy(value) for name, value in defaults.items()}
        if form or request.query_string or required:
            faults = Faults()
            given: dict[str, Any] = {}
            for declared, raw in parts:
                for name, value in _read(raw(), declared, faults).items():
                    given[name] = _joined(declared[name], given, value, faults)
            faults.refuse("parameter")
            values |= given
        return values

    return read


def _query_string() -> bytes:
    return request.query_string


def _declared(arguments: Sequence[Argument]) -> dict[str, Argument]:
    return {argument.name: argument for argument in arguments}


def refuse_any() -> None:
    """Refuse whatever this request's query string has.

    Raises:
        Invalid: with every name.
    """
    if request.query_string:
        faults = Faults()
        _read(request.query_string, {}, faults)
        faults.refuse("parameter")


def _default(argument: Argument) -> Any:
    if callable(argument.default):
        raise TypeError(f"the default of {argument.name} is a value, not a function")
    if argument.default is None and argument.action == "append":
        return []
    return argument.default


def _read(raw: bytes, declared: Mapping[str, Argument], faults: Faults) -> dict[str, Any]:
    """Return what ``raw`` has, by name; what is wrong with it is put into ``faults``."""
    texts, values = _texts(raw, faults), {}
    for name, given in texts.items():
        if name not in declared:
            faults.add(shown(name), "unknown", "There is no such parameter.")
        else:
            values[name] = _value(declared[name], given, faults)
    for name, argument in declared.items():
        if argument.required and name not in texts:
            faults.add(name, "required", "Missing required parameter.")
    return values


def _joined(argument: Argument, given: Mapping[str, Any], value: Any, faults: Faults) -> Any:
    """Return a value, and that of the same name in another part of the request."""
    if argument.name not in given:
        return value
    if argument.action == "append":
        return given[argument.name] + value
    return faults.add(argument.name, "repeated", "Give this once only.")


def _texts(raw: bytes, faults: Faults) -> dict[str, list[str]]:
    """Return the texts of each name, in order."""
    texts: dict[str, list[str]] = {}
    try:
        pairs = parse_pairs(raw)
    except UnicodeDecodeError:
        faults.add("", "format", "The query is not URL-encoded UTF-8.")
        return texts
    except ValueError:
        faults.add("", "too_many", f"At most {MAX_PAIRS} parameters.")
        return texts
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    return texts


def _value(argument: Argument, texts: list[str], faults: Faults) -> Any:
    name = argument.name
    if argument.action != "append":
        if len(texts) > 1:
            return faults.add(name, "repeated", "Give this once only.")
        return _converted(argument, texts[0], faults)
    if len(texts) > MAX_REPEATS:
        return faults.add(name, "too_many", f"Give this at most {MAX_REPEATS} times.")
    return [_converted(argument, text, faults) for text in texts]


def _converted(argument: Argument, text: str, faults: Faults) -> Any:
    try:
        return argument.type(text)
    except Refused as exc:
        return faults.add(argument.name, exc.code, exc.message)
