"""Bodies: read within a limit, decoded strictly, checked against a declared shape.

A shape (a model of api/fields.py) is compiled once into a ``Record`` of services/validation.py.
The decoder is in api/decoding.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, cast

from flask import current_app, request
from flask_restx import Model
from werkzeug.exceptions import ClientDisconnected

from api import fields
from api.decoding import decode
from api.pairs import parse_pairs
from api.problems import MalformedBody, TooLarge, UnsupportedMediaType
from services.text import Anything, Text
from services.validation import (
    MAX_INTEGER,
    Faults,
    Flag,
    Many,
    Member,
    Moment,
    Real,
    Record,
    Rule,
    Whole,
    shown,
    validate,
)

JSON = ("application/json",)
FORM = "application/x-www-form-urlencoded"
_NO_BODY = "The request has no body, and this needs one."


def read_body(shape: Model, *, media_types: Collection[str] = JSON) -> dict[str, Any]:
    """Return this request's body, cleaned; absent members stay absent.

    Raises:
        TooLarge, UnsupportedMediaType, MalformedBody: see ``read_raw`` and ``decode``.
        Invalid: it does not match the shape; every fault is listed.
    """
    return validate(record_of(shape), decode(read_raw(media_types=media_types)))


def read_json() -> Any:
    """Return this request's body, of whatever shape. Raises as ``read_raw`` and ``decode``."""
    return decode(read_raw())


def read_form_or_json(shape: Model) -> dict[str, Any]:
    """Return the body of a form or of JSON, cleaned, as ``read_body``.

    Source: RFC 6749, sections 3.1 and 3.2: of a form, unknown fields are ignored, empty ones count
    as absent, repeated ones are refused.
    """
    raw = read_raw(media_types=(FORM, *JSON))
    if request.mimetype != FORM:
        return validate(record_of(shape), decode(raw))
    record, faults = record_of(shape), Faults()
    values: dict[str, str] = {}
    try:
        pairs = parse_pairs(raw)
    except ValueError as exc:
        raise MalformedBody("The form is not URL-encoded UTF-8, or has too many fields.") from exc
    for name, value in pairs:
        if name in values:
            faults.add(shown(name), "repeated", "Give this once only.")
        values[name] = value
    known = {name: value for name, value in values.items() if value and name in record.members}
    cleaned = record.check(known, "", faults)
    faults.refuse()
    return cleaned


def check_body(shape: Model, data: Any) -> dict[str, Any]:
    """Return decoded data, cleaned, as ``read_body`` does for what a request brings.

    Raises:
        Invalid: it does not match the shape.
    """
    return validate(record_of(shape), data)


def read_raw(limit: int | None = None, *, media_types: Collection[str] = JSON) -> bytes:
    """Return the body as it came; never empty.

    Args:
        limit: bytes; ``MAX_JSON_BYTES`` unless given.
        media_types: the types that are read here, the preferred one first.

    Raises:
        TooLarge: it is longer, whether it says so beforehand or not.
        UnsupportedMediaType: no type or another one, a charset but UTF-8, a Content-Encoding.
        MalformedBody: there is no body, or less of it than announced.
    """
    most = limit or current_app.config["SIGNPOST"].MAX_JSON_BYTES
    announced = request.content_length or 0
    if announced > most:
        raise TooLarge(f"A body may have up to {most:,} bytes here.")
    check_type(media_types)
    # Werkzeug cuts a body of unknown length at the limit and says nothing, so it gets a byte more.
    request.max_content_length = most + 1
    try:
        raw = request.get_data()
    except ClientDisconnected as exc:
        raise MalformedBody("The body ended early.") from exc
    if len(raw) > most:
        raise TooLarge(f"A body may have up to {most:,} bytes here.")
    # Some servers hand on what came before the connection broke as if it were all.
    if len(raw) < announced:
        raise MalformedBody("The body is shorter than its Content-Length.")
    if not raw:
        raise MalformedBody(_NO_BODY)
    return raw


def record_of(shape: Model) -> Record:
    """Return the compiled rules of a shape; they are kept on the shape itself."""
    record = vars(shape).get("_record")
    if record is None:
        if shape.__parents__:
            raise TypeError(f"{shape.name} inherits; declare shapes flat, RESTX's parents win")
        members = {name: _member(field) for name, field in shape.items()}
        for name in vars(shape).get("read_only", ()):
            members[name] = Member(Anything(), read_only=True)
        # Kept only when it is whole: another thread may ask for it meanwhile.
        record = shape._record = Record(members)
    return cast(Record, record)


def check_type(media_types: Collection[str]) -> None:
    """Refuse a body of another type than these, or of a coding.

    Raises:
        UnsupportedMediaType, MalformedBody: see ``read_raw``.
    """
    wanted = " or ".join(media_types)
    if request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType("Send the body without a Content-Encoding.")
    if not request.mimetype and not _has_body():
        raise MalformedBody(_NO_BODY)
    if request.mimetype not in media_types:
        raise UnsupportedMediaType(f"This URL reads {wanted}; say so in Content-Type.")
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType(f"This URL reads {wanted} in UTF-8.")


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _member(field: Any) -> Member:
    if not isinstance(field, fields.Field):
        raise TypeError(f"declare members by instances of api.fields, not by {field!r}")
    return Member(
        _rule(field),
        required=bool(field.required) and not field.readonly,
        nullable=bool(field.nullable),
        reset=field.default if field.resettable else None,
        read_only=bool(field.readonly),
    )


def _rule(field: Any) -> Rule:
    for kind, build in _RULES.items():
        if isinstance(field, kind):
            return build(field)
    return Anything()


def _text(field: Any) -> Rule:
    return Text(
        kind=field.kind,
        min_length=field.min_length or 0,
        max_length=field.max_length,
        pattern=field.pattern,
        choices=tuple(field.enum or ()),
    )


def _whole(field: Any) -> Rule:
    return Whole(
        minimum=-MAX_INTEGER if field.minimum is None else field.minimum,
        maximum=MAX_INTEGER if field.maximum is None else field.maximum,
    )


#: Kind of field → what makes its rule. A subclass comes with its base.
_RULES: dict[type[Any], Callable[[Any], Rule]] = {
    fields.String: _text,
    fields.Integer: _whole,
    fields.Float: lambda field: Real(field.minimum, field.maximum),
    fields.Boolean: lambda _field: Flag(),
    fields.DateTime: lambda _field: Moment(),
    fields.List: lambda field: Many(
        _rule(field.container), min_items=field.min_items or 0, max_items=field.max_items
    ),
    fields.Nested: lambda field: record_of(field.model),
}
