"""Fields: how shapes are declared, for bodies that come in and for what goes out.

They are Flask-RESTX fields with Swagger that is valid and honest. Only declarations live here:
api/output.py compiles a shape into a plan, api/input.py into a validator.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import datetime
from typing import Any, TypedDict, Unpack

from flask import request
from flask_restx import Model, Namespace, marshal
from flask_restx import fields as restx

from api.patterns import pattern_of
from services.text import LENGTHS, Kind
from services.times import format_time, parse_time

_FORMATS: dict[Kind, str] = {"email": "email", "password": "password", "secret": "password"}


class Options(TypedDict, total=False):
    """What every field takes.

    ``default`` stands in for None on the way out and for a null that resets on the way in;
    ``resettable``: in a PATCH null means back to the default.
    """

    required: bool
    nullable: bool
    resettable: bool
    readonly: bool
    title: str
    description: str
    example: Any
    attribute: str
    default: Any


class Field(restx.Raw):  # type: ignore[misc]  # RESTX is untyped
    """What our fields have in common; a class of an extension derives from one of those below."""

    resettable: bool = False

    def _declare(self, options: Options) -> dict[str, Any]:
        """Return the options that RESTX knows. It would swallow a misspelt one, this does not."""
        if unknown := options.keys() - Options.__annotations__.keys():
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        if callable(options.get("default")):
            raise TypeError("a default is a value, not a function")
        self.resettable = options.get("resettable", False)
        return {name: value for name, value in options.items() if name != "resettable"}

    def schema(self) -> dict[str, Any]:
        """Return the field as Swagger 2.0, in which null is a matter of an extension."""
        schema: dict[str, Any] = super().schema()
        if self.nullable:
            schema["x-nullable"] = True
        return schema


class Raw(Field):
    """Any JSON value, given out as it is."""

    __schema_type__ = None

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**self._declare(options))


class String(Field, restx.String):  # type: ignore[misc]  # RESTX is untyped
    """Text of one line, or of many.

    Args:
        min_length, max_length: in characters; a ``kind`` brings its own, see ``LENGTHS``.
        pattern: what the whole text must match; no anchors, and linear.
        enum: the only texts allowed.
        kind: what further holds for it; see services/text.py.
        multiline: the same as ``kind="text"``.
    """

    def __init__(
        self,
        *,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        enum: Iterable[str] = (),
        kind: Kind = "line",
        multiline: bool = False,
        **options: Unpack[Options],
    ) -> None:
        least, most = LENGTHS.get(kind, (None, None))
        super().__init__(
            min_length=least if min_length is None else min_length,
            max_length=most if max_length is None else max_length,
            pattern=pattern,
            enum=list(enum) or None,
            **self._declare(options),
        )
        self.kind: Kind = "text" if multiline else kind

    def schema(self) -> dict[str, Any]:
        """Return the field as Swagger 2.0, with its kind as a format or pattern."""
        schema: dict[str, Any] = super().schema()
        if not self.enum:
            schema["pattern"] = pattern_of(self.kind, self.pattern, is_filled=bool(self.min_length))
        schema["format"] = _FORMATS.get(self.kind)
        if self.nullable and self.enum:
            schema["enum"] = [*self.enum, None]
        return schema


class Integer(Field, restx.Integer):  # type: ignore[misc]  # RESTX is untyped
    """A whole number, by default within ±(2^53 - 1)."""

    def __init__(
        self, *, min: int | None = None, max: int | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(min=min, max=max, **self._declare(options))


class Float(Field, restx.Float):  # type: ignore[misc]  # RESTX is untyped
    """A number, as a double; of those that JSON does not have, null goes out."""

    def __init__(
        self, *, min: float | None = None, max: float | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(min=min, max=max, **self._declare(options))


class Boolean(Field, restx.Boolean):  # type: ignore[misc]  # RESTX is untyped
    """``true`` or ``false``."""

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**self._declare(options))

    def format(self, value: object) -> bool:
        """Return whether ``value`` is true."""
        return bool(value)


class DateTime(Field, restx.DateTime):  # type: ignore[misc]  # RESTX is untyped
    """A time: out in UTC with milliseconds, in with any offset."""

    __schema_example__ = "2026-11-20T06:45:00.123Z"

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**self._declare(options))

    def parse(self, value: datetime | str | None) -> datetime | None:
        """Return ``value``, read if it is text.

        Raises:
            ValueError: it is not an RFC 3339 time.
        """
        if not isinstance(value, str):
            return value
        if (moment := parse_time(value)) is None:
            raise ValueError("not an RFC 3339 time")
        return moment

    def format(self, value: datetime | str) -> str:
        """Return ``value`` as RFC 3339 in UTC, with milliseconds."""
        moment = self.parse(value)
        assert moment is not None  # noqa: S101 - None never gets here
        return format_time(moment)


class FileContent(Field):
    """The path under which clients get the bytes of a file, made of the file's id."""

    __schema_type__ = "string"
    __schema_example__ = "/api/v1/files/12/content"

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**self._declare(options))

    def format(self, value: int) -> str:
        """Return the path of the file ``value``, with the proxy's prefix."""
        return f"{request.root_path}/api/v1/files/{value}/content"


class Uploads(Field):
    """Files of a form, one at least; read by api/multipart.py."""

    __schema_type__ = "array"

    def __init__(self, *, max_items: int, **options: Unpack[Options]) -> None:
        super().__init__(**self._declare(options))
        self.max_items = max_items

    def schema(self) -> dict[str, Any]:
        """Return the field as a list of bytes."""
        items = {"type": "string", "format": "binary"}
        return {**super().schema(), "items": items, "minItems": 1, "maxItems": self.max_items}


class List(Field, restx.List):  # type: ignore[misc]  # RESTX is untyped
    """A list of what ``item`` declares."""

    def __init__(
        self,
        item: Field,
        *,
        min_items: int | None = None,
        max_items: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        if isinstance(item, Inline):
            raise TypeError("an Inline reads from the row it stands in, so it is no list item")
        super().__init__(
            _instance(item), min_items=min_items, max_items=max_items, **self._declare(options)
        )


class Nested(Field, restx.Nested):  # type: ignore[misc]  # RESTX is untyped
    """An object of its own shape; null if there is none."""

    def __init__(self, model: Model, **options: Unpack[Options]) -> None:
        super().__init__(model, allow_null=True, **self._declare(options))

    def schema(self) -> dict[str, Any]:
        """Return a reference; where more is to be said, Swagger 2.0 wants it around ``allOf``."""
        schema = {
            name: value for name, value in restx.Raw.schema(self).items() if value is not None
        }
        reference = {"$ref": f"#/definitions/{self.nested.name}"}
        if self.nullable:
            schema["x-nullable"] = True
        return {**schema, "allOf": [reference]} if schema else reference


class Inline(Nested):
    """An object whose members are read from the same row: ``id=Integer(attribute="author_id")``.

    With ``nullable`` it is null where all of its members are.
    """

    def __init__(self, model: Model, **options: Unpack[Options]) -> None:
        if "attribute" in options or "default" in options:
            raise TypeError("an Inline has neither an attribute nor a default")
        super().__init__(model, **options)

    def output(self, key: str, obj: object, **_: Any) -> dict[str, Any] | None:
        """Return the object, as ``marshal`` would; the compiled plan does it by itself."""
        members: dict[str, Any] = marshal(obj, self.nested)
        if self.nullable and all(value is None for value in members.values()):
            return None
        return members


def snippet() -> String:
    """Declare where the words of a search stand in an item."""
    return String(
        required=True,
        readonly=True,
        nullable=True,
        description="In a search: escaped HTML with `<mark>` around the words found, else null.",
        example=None,
    )


def shape(ns: Namespace, name: str, /, **members: Field) -> Model:
    """Declare an object called ``name`` with these members.

    Raises:
        TypeError: a member is not an instance of a field of ours.
    """
    return ns.model(name, {member: _instance(field) for member, field in members.items()})


def patch_of(ns: Namespace, name: str, model: Model) -> Model:
    """Declare the merge patch of ``model``: nothing required, null also where it resets.

    Its example changes what is optional, unless there is nothing optional to change.
    """
    members = {}
    is_shown = any(field.example is not None and not field.required for field in model.values())
    for member, field in model.items():
        members[member] = patched = copy(field)
        patched.__dict__.pop("__schema__", None)  # RESTX keeps it there
        if is_shown and field.required:
            patched.example = None
        patched.required = False
        patched.nullable = bool(field.nullable or field.resettable)
    return shape(ns, name, **members)


def _instance(field: object) -> Field:
    if not isinstance(field, Field):
        raise TypeError(f"declare members by instances of api.fields, not by {field!r}")
    return field
