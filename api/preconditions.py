"""Entity tags and the requests that depend on them.

Source: RFC 9110, sections 8.8 and 13. An item's tag is ``"<version>-<variant>"``: If-Match compares
the version alone, If-None-Match the whole.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache

import xxhash
from flask import Response, request
from werkzeug.http import http_date

from api.problems import PreconditionRequired

_VERSION = re.compile(r'"([1-9][0-9]{0,15})(?:-[A-Za-z0-9_.+-]*)?"')


def item_tag(version: int, body: bytes) -> str:
    """Return the strong tag of an item's representation."""
    return f'"{version}-{_digest(body)}"'


def list_tag(body: bytes) -> str:
    """Return the weak tag of a list."""
    return f'W/"{_digest(body)}"'


def expected_versions(*, required: bool) -> frozenset[int] | None:
    """Return the versions that If-Match names; None for any.

    Tags that aren't ours, weak ones included, name no version: they match nothing.

    Raises:
        PreconditionRequired: there is no If-Match and the service wants one.
    """
    header = request.headers.get("If-Match")
    if header is None:
        if required:
            raise PreconditionRequired()
        return None
    if header.strip() == "*":
        return None
    parts = (_VERSION.fullmatch(part.strip()) for part in header.split(","))
    return frozenset(int(match[1]) for match in parts if match)


def conditional(response: Response) -> Response:
    """Make a 200 with an ETag a 304 if the client has that representation already."""
    header = request.headers.get("If-None-Match")
    if header is None or response.status_code != 200 or not names(header, response.headers["ETag"]):
        return response
    response.status_code = 304
    response.response = []
    response.headers.pop("Content-Type", None)
    response.headers.pop("Content-Length", None)
    return response


def last_modified(response: Response, timestamp: float) -> None:
    """Tell when an item changed last; seconds since the epoch.

    Of what came from a clock that was ahead it is now: later than ``Date`` is not allowed.
    Source: RFC 9110, section 8.8.2.1.
    """
    response.headers["Last-Modified"] = _http_date(int(min(timestamp, time.time())))


@lru_cache(4096)
def _http_date(seconds: int) -> str:
    return http_date(seconds)


def names(header: str, tag: str) -> bool:
    """Whether If-None-Match names ``tag``; weak and strong ones are the same there."""
    if header.strip() == "*":
        return True
    mine = tag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") == mine for part in header.split(","))


def _digest(body: bytes) -> str:
    # No secret and no signature: who makes two texts of his own with one digest gains nothing.
    return xxhash.xxh3_64_hexdigest(body)
