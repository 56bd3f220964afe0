"""Parsers of query strings and forms for extensions: RESTX's declarations, read our way.

``parse_args`` tells every fault at once, as a problem; RESTX's own stops at the first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from flask import request
from flask_restx.reqparse import RequestParser as RestxParser

from api import query
from api.arguments import MAX_TEXT, Argument, Flag, Number, Text, Type, Whole
from api.input import read_raw
from services.validation import MAX_INTEGER

FORM = "application/x-www-form-urlencoded"


_TYPES: dict[Any, Type] = {
    str: Text(MAX_TEXT),
    int: Whole(-MAX_INTEGER),
    float: Number(),
    bool: Flag(),
}


class _FormArgument(Argument):
    """An argument in the body of a form."""

    def __init__(self, name: str, type: Type, **options: Any) -> None:
        super().__init__(name, type, **options)
        self.location = "form"

    @property
    def __schema__(self) -> dict[str, Any]:
        return super().__schema__ | {"in": "formData"}


class RequestParser(RestxParser):  # type: ignore[misc]  # RESTX is untyped
    """Arguments of a request, declared by ``add_argument(name, type, required=..., help=...)``.

    The type is ``str``, ``int``, ``float``, ``bool`` or one of ``arguments``; the location
    ``"args"`` (the query, unless said) or ``"form"``.
    """

    def __init__(self) -> None:
        super().__init__(argument_class=Argument)

    def add_argument(
        self, name: str, type: Any = str, location: str = "args", **options: Any
    ) -> RequestParser:
        """Declare one; returns the parser."""
        kind = _FormArgument if location == "form" else Argument
        self.args.append(kind(name, _TYPES.get(type, type), **options))
        return self

    def parse_args(self) -> dict[str, Any]:
        """Return this request's arguments by name; None where absent and without a default.

        Raises:
            Invalid: with every fault: unknown, repeated, missing ones, texts that don't fit.
            UnsupportedMediaType, MalformedBody, TooLarge: the form cannot be read.
        """
        return self._read()

    @cached_property
    def _read(self) -> Callable[[], dict[str, Any]]:
        form = [each for each in self.args if each.location == "form"]
        in_query = RestxParser()
        in_query.args = [each for each in self.args if each.location != "form"]
        return query.compile(in_query, form, _form) if form else query.compile(in_query)


def _form() -> bytes:
    """Return the form as it came; empty where there is no body."""
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    return read_raw(media_types=(FORM,)) if has_body else b""
