"""What may stand in a URL: ids in one spelling only, so that every object has one URL; no NUL."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, PathConverter, UnicodeConverter, ValidationError

from services.registry import TYPES

#: Ids stay exact in every JSON reader below this.
LIMIT = 2**53


class IdConverter(BaseConverter):
    """``[1-9][0-9]*`` below 2**53; anything else is no such URL."""

    regex = "[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        """Return the id."""
        if not value.isascii() or int(value) >= LIMIT:
            raise ValidationError()
        return int(value)


class UserIdConverter(IdConverter):
    """An id, or ``me`` for the caller's."""

    regex = "me|[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int | str:  # type: ignore[override]  # "me" is no id yet
        """Return the id, or ``me``; api/resource.py knows who that is."""
        return value if value == "me" else super().to_python(value)


class TextConverter(UnicodeConverter):
    """Text without a NUL, which no name of anything has and PostgreSQL refuses."""

    def to_python(self, value: str) -> str:
        """Return the text."""
        if "\0" in value:
            raise ValidationError()
        return value


class TextsConverter(PathConverter):
    """Text with slashes, though none is first, and lines; Werkzeug's own has one line."""

    regex = r"[^/](?s:.*?)"
    to_python = TextConverter.to_python


class KindConverter(BaseConverter):
    """The type of a resource, of the core or of an extension."""

    regex = "[a-z][a-z0-9_]*"

    def to_python(self, value: str) -> str:
        """Return the type."""
        if value not in TYPES:
            raise ValidationError()
        return value


def init_app(app: Flask) -> None:
    """Make our converters known; a trailing slash makes no difference."""
    app.url_map.converters |= {"id": IdConverter, "user_id": UserIdConverter, "kind": KindConverter}
    app.url_map.converters |= {"default": TextConverter, "string": TextConverter}
    app.url_map.converters |= {"path": TextsConverter}
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
