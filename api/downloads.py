"""Bytes as an answer: whole or a range, conditional, named; nothing that a browser would run.

While a slow reader takes its time, a download holds a thread, an open file and 64 KiB: neither a
connection to the database nor a place in the gate. Who may read what: api/contents.py.

Source: RFC 9110, sections 13 and 14 (conditions, ranges); RFC 6266 and 8187 (names).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, g, request
from flask_restx.fields import get_value

from api import fields
from api.headers import NOTHING
from api.preconditions import conditional, last_modified
from api.problems import OutOfRange
from services.errors import ServiceError, Unavailable
from services.storage import storage_of

#: Downloads that a process sends at once, beside those that are handed over as a whole. Each keeps
#: a thread, of which there are 256 to spare.
AT_ONCE = 128
#: Seconds that a URL of the store is good for: so long a file can be read after its deletion.
URL_LIFE = 60
#: Ranges that may be asked for at once; of several none is sent, but the whole.
_MOST_RANGES = 10

#: What browsers show without running anything in it; whatever else is offered to be saved.
_SHOWN = re.compile(
    r"image/(png|jpeg|gif|webp|avif)|(audio|video)/[a-z0-9.+-]+|application/json", re.ASCII
)
#: What browsers might run or render as a page.
_ACTIVE = re.compile(r"html|xml|svg|script|css|flash|java|wasm", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+", re.ASCII)
_UNNAMED = "application/octet-stream"
#: Nothing is loaded by it, and whatever it is, it is not of our origin.
_SANDBOX = f"{NOTHING}; sandbox"

_RANGE = re.compile(r"([0-9]{0,19})-([0-9]{0,19})", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&+.^_`{}~()-]", re.ASCII)


class Body(Protocol):
    """Bytes in pieces, to be closed."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Let go what they come from."""


@dataclass(frozen=True)
class Download:
    """What is to be sent.

    Args:
        read: (start, end) → those bytes, at once or in pieces.
        touch: raises what ``read`` would, as far as that can be told without reading.
    """

    name: str
    media_type: str
    size: int
    tag: str
    """Its strong ETag, without quotes."""
    made_at: datetime
    read: Callable[[int, int], bytes | Body]
    touch: Callable[[], object]


def init_app(app: Flask) -> None:
    """Count the downloads of ``app``."""
    app.extensions["signpost"].downloads = BoundedSemaphore(AT_ONCE)


def answer(download: Download) -> Response:
    """Return the answer to GET or HEAD: 200, 206 or 304.

    Raises:
        OutOfRange: no byte of the range is there.
    """
    response = Response(status=200, headers=_headers(download))
    last_modified(response, download.made_at.timestamp())
    if conditional(response).status_code == 304:
        return response
    part = _wanted(download)
    start, end = part or (0, download.size)
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size}"
    response.headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        download.touch()
        return response
    body = download.read(start, end)
    response.direct_passthrough = not isinstance(body, bytes)
    response.response = [body] if isinstance(body, bytes) else _Sending(body)
    return response


class FileUrl(fields.FileContent):
    """Where a file can be downloaded: at its store, if clients may, else at its path here."""

    def output(self, key: str, obj: object, **_: Any) -> str:
        """Return the URL; that of a store is another one each time."""
        id, name, media_type, sha256 = (
            get_value(each, obj) for each in ("id", "name", "media_type", "sha256")
        )
        shown, how = shown_type(media_type), disposition(name, media_type)
        storage = storage_of(current_app.config["SIGNPOST"])
        return storage.url(sha256, how, shown, URL_LIFE) or self.format(id)


def shown_type(media_type: str) -> str:
    """Return what is said of a content's type; of what a browser might run, nothing."""
    is_named = _MEDIA_TYPE.fullmatch(media_type) and not _ACTIVE.search(media_type)
    if media_type == "text/plain":
        return "text/plain; charset=utf-8"
    return media_type if is_named else _UNNAMED


def disposition(name: str, media_type: str) -> str:
    """Return Content-Disposition: shown only if that is safe, saved under ``name``."""
    kind = "inline" if _SHOWN.fullmatch(media_type) else "attachment"
    decomposed = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _PLAIN.sub("_", decomposed).strip(" .") or "file"
    said = f'{kind}; filename="{plain}"'
    return said if plain == name else f"{said}; filename*=UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"


def _headers(download: Download) -> dict[str, str]:
    return {
        "Content-Type": shown_type(download.media_type),
        "Content-Disposition": disposition(download.name, download.media_type),
        "Content-Security-Policy": _SANDBOX,
        "Accept-Ranges": "bytes",
        "ETag": f'"{download.tag}"',
    }


def _wanted(download: Download) -> tuple[int, int] | None:
    """Return the first byte that is to be sent and the one after the last; None: send the whole.

    Units that we don't know are ignored, as are all ranges if there are several; both is allowed.
    If-Range compares ETags: a time does not tell two contents of one second apart. A range of all
    bytes is a range: players take a 200 to mean that they cannot seek.
    """
    unit, _, specs = request.headers.get("Range", "").partition("=")
    if request.method != "GET" or unit.strip().lower() != "bytes":
        return None
    if request.headers.get("If-Range", f'"{download.tag}"').strip() != f'"{download.tag}"':
        return None
    parts = specs.split(",")
    if len(parts) > _MOST_RANGES:
        raise OutOfRange(download.size, f"At most {_MOST_RANGES} ranges.")
    named = [part.strip() for part in parts if part.strip()] or [""]  # empty ones do not count
    found = [_bounds(_RANGE.fullmatch(part), download.size) for part in named]
    return found[0] if len(found) == 1 else None


def _bounds(match: re.Match[str] | None, size: int) -> tuple[int, int]:
    first, last = match.groups() if match else ("", "")
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        is_there = start < size and not (last and int(last) < start)
    else:
        start, end = max(0, size - int(last or 0)), size
        is_there = start < size
    if not is_there:
        raise OutOfRange(size)
    return start, end


class _Sending:
    """The body of an answer while it is sent. What fails then cuts it short, and is logged.

    Raises:
        Unavailable: too many are being sent.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self._known = {"request_id": g.get("request_id"), "path": request.path}
        self._slots: BoundedSemaphore | None = None
        slots: BoundedSemaphore = current_app.extensions["signpost"].downloads
        if not slots.acquire(blocking=False):
            body.close()
            raise Unavailable("Too many downloads are being sent; try again.", retry_after=5)
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except ServiceError as exc:
            # The status is sent; a body that is shorter than it said is all that can be told now.
            log = structlog.get_logger("signpost")
            log.error("download", outcome="failed", reason=exc.public_message, **self._known)
        finally:
            self.close()

    def close(self) -> None:
        """End it, whether all was sent or the client left; WSGI asks for this in any case."""
        slots, self._slots = self._slots, None
        if slots is not None:
            self._body.close()
            slots.release()

    def __del__(self) -> None:
        self.close()
