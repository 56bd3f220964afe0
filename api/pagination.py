"""Pages on the wire: the query of a list, encrypted cursors and Link headers.

Source: RFC 8288 (Link), RFC 5297 (AES-SIV: the same position always gives the same cursor, so that
the ETag of a list is stable, and a changed one does not decrypt).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from werkzeug.urls import iri_to_uri

from services.errors import Fault, Invalid
from services.listing import Page, Position, Query

#: Rows that page mode reaches; beyond, a cursor costs no more than the first page.
DEEPEST = 10_000
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_PAGING = frozenset({"limit", "cursor", "page", "total", "sort", "fields"})


class Cursors:
    """Writes and reads cursors; holds the key."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(SHA256(), 64, salt=None, info=b"signpost cursor").derive(secret.encode())
        self._cipher = AESSIV(derived)

    def write(self, position: Position, scope: bytes) -> str:
        """Return a position as opaque text that is good for ``scope`` only."""
        value, id = position
        if isinstance(value, datetime):
            value = {"t": (value - _EPOCH) // _MILLISECOND}
        sealed = self._cipher.encrypt(orjson.dumps([value, id]), [scope])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, text: str, scope: bytes) -> Position:
        """Return the position of a cursor.

        Raises:
            Invalid: it was not made here, or for another list.
        """
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
            value, id = orjson.loads(self._cipher.decrypt(sealed, [scope]))
        except (binascii.Error, ValueError, InvalidTag) as exc:
            message = "This cursor does not belong to this list."
            raise Invalid(message, faults=[Fault("cursor", "format", message)]) from exc
        if isinstance(value, dict):
            value = _EPOCH + value["t"] * _MILLISECOND  # exact; a float of seconds is not
        return value, id


def query_of(values: Mapping[str, Any], cursors: Cursors, scope: bytes) -> Query:
    """Return the list query of parsed parameters.

    Raises:
        Invalid: page and cursor together, a page too deep, or a cursor of another list.
    """
    page, limit, cursor = values["page"], values["limit"], values["cursor"]
    if page and cursor is not None:
        raise _refused("cursor", "conflict", "Use either page or cursor.")
    if page and page * limit > DEEPEST:
        message = f"Pages end at row {DEEPEST:,}; follow the cursor in `next` to go deeper."
        raise _refused("page", "too_large", message)
    return Query(
        limit=limit,
        sort=values["sort"],
        filters=filters_of(values),
        after=None if cursor is None else cursors.read(cursor, scope),
        page=page,
        total=values["total"],
    )


def filters_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that narrow a list."""
    return {n: v for n, v in values.items() if n not in _PAGING and v is not None and v != []}


def scope_of(path: str, values: Mapping[str, Any]) -> bytes:
    """Return what a cursor is bound to: the list, its order and its filters."""
    path = path.rstrip("/")  # with and without a slash it is the same list
    return orjson.dumps([path, values["sort"], filters_of(values)], option=orjson.OPT_SORT_KEYS)


def links(url: str, arguments: Mapping[str, list[str]], page: Page, cursor: str | None) -> str:
    """Return the Link header of a page: next, first and, in page mode, prev."""
    kept = [(n, v) for n, vs in arguments.items() if n not in {"cursor", "page"} for v in vs]
    number = int(arguments["page"][0]) if "page" in arguments else None
    found: dict[str, list[tuple[str, str]]] = {"first": [("page", "1")] if number else []}
    if page.next:
        following = (number or DEEPEST) + 1
        is_deep = following * len(page.rows) > DEEPEST
        found["next"] = [("cursor", cursor or "") if is_deep else ("page", str(following))]
    if number and number > 1:
        found["prev"] = [("page", str(number - 1))]
    return ", ".join(
        f'<{_url(url, kept + extra)}>; rel="{rel}"' for rel, extra in sorted(found.items())
    )


def _url(url: str, arguments: list[tuple[str, str]]) -> str:
    return f"{_uri(url)}?{urlencode(arguments)}" if arguments else _uri(url)


@lru_cache(256)
def _uri(path: str) -> str:
    return iri_to_uri(path)


def _refused(field: str, code: str, message: str) -> Invalid:
    return Invalid(message, faults=[Fault(field, code, message)])
