"""Masks: which members of an answer a client wants, ``id,title,author{name}``.

A mask is read against the shape that it trims, so that it can name nothing but declared members.
The syntax is that of Flask-RESTX.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from flask_restx import Model

from api import fields
from services.errors import Fault
from services.validation import invalid

#: Member → what is wanted of it, or None for all; in the shape's order.
Mask = tuple[tuple[str, "Mask | None"], ...]

MAX_LENGTH = 2000
_MAX_DEPTH = 8
_END = ""
_ALL = r"\*"
_TOKEN = re.compile(r"\s*([{},]|\*|[A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


def parse_mask(shape: Model, text: str) -> Mask:
    """Return what ``text`` asks for, in the shape's order, so that equal wishes compare equal.

    ``*`` stands for every member; one that is named beside it is trimmed as it says.

    Raises:
        Invalid: it is no mask, or names what the shape does not have.
    """
    if len(text) > MAX_LENGTH:
        _refuse("too_long", f"At most {MAX_LENGTH:,} characters.")
    tokens = _tokens(text.strip())
    if tokens[:1] == ["{"]:
        if tokens.pop() != "}":
            _refuse_syntax()
        del tokens[0]
    return _members(shape, [_END, *reversed(tokens)], _END)


def pattern_of(*shapes: Model) -> str:
    """Return what a mask of any of these shapes matches, written without spaces and outer braces.

    Shapes within shapes are followed as far as a mask may go. Of no shape: any names.
    """
    if not shapes:
        return "^[A-Za-z_*][A-Za-z0-9_,*{}]*$"
    names: dict[str, Model | None] = {_ALL: None}
    for shape in shapes:
        names |= {name: shape_within(field) for name, field in shape.items()}
    return f"^{_list_of(names)}$"


def _list_of(names: Mapping[str, Model | None], depth: int = 1) -> str:
    words = (name + _within(shape, depth) for name, shape in names.items())
    word = f"(?:{'|'.join(words)})"
    return f"{word}(?:,{word})*"


def _within(shape: Model | None, depth: int) -> str:
    if shape is None or depth == _MAX_DEPTH:
        return ""
    names = {_ALL: None} | {name: shape_within(field) for name, field in shape.items()}
    return rf"(?:\{{{_list_of(names, depth + 1)}\}})?"


def shape_within(field: Any) -> Model | None:
    """Return the shape of the object or objects in a field; None if it holds none."""
    if isinstance(field, fields.List):
        field = field.container
    return field.model if isinstance(field, fields.Nested) else None


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            _refuse_syntax()
        found.append(match[1])
        position = match.end()
    return found


def _members(shape: Model, tokens: list[str], end: str, depth: int = 1) -> Mask:
    """Take the members up to ``end`` from ``tokens``, which has the next one last."""
    wanted: dict[str, Mask | None] = {}
    while True:
        name = tokens.pop()
        if name == "*":
            wanted = {**dict.fromkeys(shape), **wanted}
        elif name in shape:
            wanted[name] = None
        else:
            _refuse_name(name)
        if tokens[-1] == "{":
            inner = None if name == "*" or depth == _MAX_DEPTH else shape_within(shape[name])
            if inner is None:
                _refuse_syntax()
            del tokens[-1]
            wanted[name] = _members(inner, tokens, "}", depth + 1)
        separator = tokens.pop()
        if separator == end:
            return tuple((name, wanted[name]) for name in shape if name in wanted)
        if separator != ",":
            _refuse_syntax()


def _refuse_name(name: str) -> NoReturn:
    if name in {_END, "{", "}", ","}:
        _refuse_syntax()
    _refuse("unknown", "There is no such field.")


def _refuse_syntax() -> NoReturn:
    _refuse("format", "Must be a mask such as id,title,author{name}.")


def _refuse(code: str, message: str) -> NoReturn:
    raise invalid([Fault("fields", code, message)], what="parameter")
