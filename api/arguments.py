"""Arguments of query strings: types to declare them with, each with its Swagger.

A type is called with the text and returns the value, or raises ``Refused``. api/query.py reads
whole queries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask_restx import Model
from flask_restx.reqparse import Argument as RestxArgument
from flask_restx.reqparse import RequestParser

from api import masks
from api.fields import Field
from api.patterns import TEXT, pattern_of
from api.swagger import EXAMPLE
from services import search
from services import text as rules
from services.times import parse_time
from services.validation import MAX_INTEGER, Faults, counted

#: Characters of a text whose type says nothing of its length.
MAX_TEXT = 10_000
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
#: Digits that decide whether a number is in range; a longer one is out of any.
_DIGITS = 20
#: ``+00:00`` that nobody escaped arrives as `` 00:00``.
_BLANK_OFFSET = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")


class Refused(ValueError):
    """A text that is not acceptable; ``code`` is one of ``services.validation.CODES``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Type(Protocol):
    """What an argument's text is and becomes."""

    @property
    def __schema__(self) -> dict[str, Any]: ...

    def __call__(self, text: str) -> Any: ...


@dataclass(frozen=True)
class Whole:
    """A whole number in a range: ASCII digits, no plus sign, no leading zeros.

    Args:
        further: where to go instead of beyond the maximum; a sentence.
    """

    minimum: int = 1
    maximum: int = MAX_INTEGER
    further: str = ""

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def __call__(self, text: str) -> int:
        """Return the number.

        Raises:
            Refused: it is not a number, or out of range.
        """
        if not _WHOLE.fullmatch(text):
            raise Refused("format", "Must be a whole number.")
        number = int(text[:_DIGITS])
        if number < self.minimum:
            raise Refused("too_small", f"At least {self.minimum}.")
        if number > self.maximum:
            raise Refused("too_large", f"At most {self.maximum}. {self.further}".rstrip())
        return number


@dataclass(frozen=True)
class Number:
    """A finite number, as a float: ASCII digits, a point, an exponent."""

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "number"}

    def __call__(self, text: str) -> float:
        """Return the number.

        Raises:
            Refused: it is none, or too large for a float.
        """
        if len(text) > MAX_TEXT or not _NUMBER.fullmatch(text):
            raise Refused("format", "Must be a number.")
        number = float(text)
        if math.isinf(number):
            raise Refused("too_large", "Is too large.")
        return number


@dataclass(frozen=True)
class Choice:
    """One of these names."""

    names: tuple[str, ...]

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.names)}

    def __call__(self, text: str) -> str:
        """Return the name.

        Raises:
            Refused: it is none of them.
        """
        if text not in self.names:
            raise Refused("choice", f"One of: {', '.join(self.names)}.")
        return text


@dataclass(frozen=True)
class Choices:
    """Some of these names, comma separated; each is kept once."""

    names: Collection[str]

    @property
    def __schema__(self) -> dict[str, Any]:
        items = Choice(tuple(self.names)).__schema__
        return {"type": "array", "items": items, "collectionFormat": "csv", "minItems": 1}

    def __call__(self, text: str) -> list[str]:
        """Return the names in the order given.

        Raises:
            Refused: one is none of them.
        """
        return list(dict.fromkeys(map(Choice(tuple(self.names)), text.split(","))))


@dataclass(frozen=True)
class Text:
    """Text up to a length, NFC-normalised; nothing else is asked of it but to have no NUL."""

    max_length: int
    min_length: int = 0

    @property
    def __schema__(self) -> dict[str, Any]:
        return {
            "type": "string",
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": TEXT,
        }

    def __call__(self, text: str) -> str:
        """Return the text.

        Raises:
            Refused: it is too long or short, or holds a NUL.
        """
        rule = rules.Text(kind="text", min_length=self.min_length, max_length=self.max_length)
        faults = Faults()
        cleaned = rule.check(text, "", faults)
        for fault in faults.listed:
            raise Refused(fault.code, fault.message)
        return cleaned


@dataclass(frozen=True)
class Words(Text):
    """Words to search for, without operators."""

    max_length: int = search.MAX_LENGTH
    min_length: int = 1

    def __call__(self, text: str) -> Any:
        """Return the different words, folded.

        Raises:
            Refused: it is too long, has no word or too many.
        """
        try:
            return search.wanted(super().__call__(text))
        except search.NoWords as exc:
            raise Refused(exc.code, exc.message) from exc


@dataclass(frozen=True)
class Cursor(Text):
    """A cursor, as opaque text; api/pagination.py opens it."""

    max_length: int = 2_000
    min_length: int = 1

    @property
    def __schema__(self) -> dict[str, Any]:
        return super().__schema__ | {"pattern": "^[A-Za-z0-9_-]+$"}


@dataclass(frozen=True)
class Mask(Text):
    """A mask of one of these shapes; api/masks.py reads it."""

    max_length: int = masks.MAX_LENGTH
    min_length: int = 1
    shapes: tuple[Model, ...] = ()

    @property
    def __schema__(self) -> dict[str, Any]:
        return super().__schema__ | {"pattern": masks.pattern_of(*self.shapes)}


@dataclass(frozen=True)
class Slug:
    """A slug, as bodies have it."""

    @property
    def __schema__(self) -> dict[str, Any]:
        most = rules.LENGTHS["slug"][1]
        return {"type": "string", "pattern": pattern_of("slug"), "maxLength": most}

    def __call__(self, text: str) -> str:
        """Return the slug.

        Raises:
            Refused: it is not one.
        """
        faults = Faults()
        least, most = rules.LENGTHS["slug"]
        cleaned = rules.Text(kind="slug", min_length=least, max_length=most).check(text, "", faults)
        for fault in faults.listed:
            raise Refused(fault.code, fault.message)
        return cleaned


@dataclass(frozen=True)
class Identifiers:
    """Ids, comma separated; each is kept once."""

    max_items: int = 100

    @property
    def __schema__(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": identifier.__schema__,
            "collectionFormat": "csv",
            "minItems": 1,
            "maxItems": self.max_items,
        }

    def __call__(self, text: str) -> list[int]:
        """Return the ids in the order given.

        Raises:
            Refused: one is not an id, or there are too many.
        """
        parts = text.split(",", self.max_items)
        if len(parts) > self.max_items:
            raise Refused("too_many", f"At most {counted(self.max_items, 'id')}.")
        return list(dict.fromkeys(map(identifier, parts)))


@dataclass(frozen=True)
class Timestamp:
    """A time with an offset."""

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def __call__(self, text: str) -> datetime:
        """Return the time in UTC, cut to the millisecond.

        Raises:
            Refused: it is not an RFC 3339 time.
        """
        moment = parse_time(_BLANK_OFFSET.sub("+", text))
        if moment is None:
            raise Refused("format", "Must be a time such as 2026-11-20T06:45:00Z.")
        return moment


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``, nothing else."""

    @property
    def __schema__(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def __call__(self, text: str) -> bool:
        """Return whether it is ``true``.

        Raises:
            Refused: it is neither.
        """
        if text not in {"true", "false"}:
            raise Refused("choice", "Either true or false.")
        return text == "true"


#: An id: ``[1-9][0-9]*`` below 2^53.
identifier = Whole()
timestamp = Timestamp()
flag = Flag()


def choice(*names: str) -> Choice:
    """Return the type of an argument that is one of ``names``."""
    return Choice(names)


def sort(*names: str) -> Choice:
    """Return the type of a sort: one of ``names``, with ``-`` before it for descending."""
    return Choice(tuple(sign + name for name in names for sign in ("", "-")))


class Argument(RestxArgument):  # type: ignore[misc]  # RESTX is untyped
    """An argument of the query string whose Swagger is valid, for repeatable ones too."""

    def __init__(self, name: str, type: Type, *, example: Any = None, **options: Any) -> None:
        super().__init__(name, type=type, location="args", **options)
        self.example = example

    @property
    def __schema__(self) -> dict[str, Any]:
        schema = {"name": self.name, "in": "query", "required": self.required or None}
        # Some clients send each default that they know, and false as 0: absence says that as well.
        default = None if self.default is False else self.default
        schema |= {"description": self.help, "default": default, EXAMPLE: self.example}
        kind = self.type.__schema__
        if self.action == "append":
            kind = {"type": "array", "items": kind, "collectionFormat": "multi"}
        return {name: value for name, value in (schema | kind).items() if value is not None}


class FormField(RestxArgument):  # type: ignore[misc]  # RESTX is untyped
    """A member of a shape, described as a field of a form."""

    def __init__(self, name: str, member: Field) -> None:
        super().__init__(name, location="form", required=bool(member.required))
        self.member = member

    @property
    def __schema__(self) -> dict[str, Any]:
        schema = {"name": self.name, "in": "formData", "required": self.required or None}
        # Swagger 2.0 has no example here.
        schema |= self.member.schema() | {"example": None, EXAMPLE: self.member.example}
        return {name: value for name, value in schema.items() if value is not None}


class FilesField(RestxArgument):  # type: ignore[misc]  # RESTX is untyped
    """Files of a form, one at least; Swagger 2.0 knows one of a name only."""

    def __init__(self, name: str) -> None:
        super().__init__(name, location="files", required=True)

    @property
    def __schema__(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "in": "formData",
            "type": "file",
            "required": True,
            "description": "A file; there may be up to 1,000.",
        }


def parser() -> RequestParser:
    """Return an empty parser; declare with ``.add_argument(name, type=..., help=..., ...)``."""
    return RequestParser(argument_class=Argument)
