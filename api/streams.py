"""Streams: all that a list matches, line by line, in memory that does not grow with it.

Pages are read as by a client who follows ``next``, each by a short read of its own. While a slow
reader takes its time, a stream holds a thread and one page: neither a connection to the database
nor a place in the gate. What goes wrong after the first byte is told in the last line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from flask import Flask, Response, current_app, g, request
from flask_restx import Model

from api import auth, gate, pagination
from api.accept import CSV, NDJSON
from api.masks import parse_mask
from api.output import dumps, masked, plan
from api.sheets import CONTENT_TYPE as CSV_TYPE
from api.sheets import Sheet
from services.errors import Fault, Unavailable
from services.listing import Page, Query
from services.validation import invalid

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from api.resource import Listing

#: Rows of the first page and of any page.
FIRST, MOST = 20, 100
#: Bytes of lines that a page aims at: rows may be a hundred times as large as others.
PAGE = 2**20
#: Bytes that the server gets at once.
CHUNK = 2**16
#: Streams that a process sends at once. Each keeps a thread, of which there are 256 to spare.
AT_ONCE = 64

#: What JSON may hold as it is, though ``str.splitlines`` and its like end a line there.
_BREAKS = tuple((chr(code).encode(), b"\\u%04x" % code) for code in (0x85, 0x2028, 0x2029))
#: What makes no sense where all of it is sent.
_PAGING = ("limit", "cursor", "page", "total")


def init_app(app: Flask) -> None:
    """Count the streams of ``app``."""
    app.extensions["signpost"].streams = BoundedSemaphore(AT_ONCE)


def answer(listing: Listing, kind: str, values: Mapping[str, Any], shape: Model) -> Response:
    """Return the answer that streams what a list's parameters match; HEAD reads one row.

    Raises:
        Invalid: a parameter of pages, or whatever a list would refuse.
        Unavailable: too many streams are being sent.
    """
    _refuse_paging()
    form = _form(kind, shape, values["fields"] or request.headers.get("X-Fields"))
    query = _query(values, 1 if request.method == "HEAD" else FIRST)
    source = _Source(listing, query)
    first = listing.read(lambda session: listing.service(session).list(query))
    body = iter(()) if request.method == "HEAD" else Stream(source, form, first)
    response = Response(body, content_type=form.content_type)
    if kind == CSV:
        name = f"{listing.spec.service.type}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@dataclass(frozen=True)
class Form:
    """How rows become lines."""

    content_type: str
    head: bytes
    line: Callable[[Any], bytes]


class Stream:
    """The body of an answer, as WSGI wants it: chunks of whole lines.

    Raises:
        Unavailable: too many are being sent.
    """

    def __init__(self, source: _Source, form: Form, first: Page) -> None:
        self._source, self._form = source, form
        self._started, self._rows, self._bytes = time.perf_counter(), 0, 0
        self._outcome = "left"
        self._chunks = self._write(first)
        self._slots: BoundedSemaphore | None = None
        slots: BoundedSemaphore = current_app.extensions["signpost"].streams
        if not slots.acquire(blocking=False):
            raise Unavailable("Too many streams are being sent; try again.", retry_after=5)
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """End it, whether all was sent or the client left; WSGI asks for this in any case."""
        slots, self._slots = self._slots, None
        if slots is None:
            return
        self._chunks.close()
        slots.release()
        self._source.note(self._outcome, self._rows, self._bytes, self._started)

    def __del__(self) -> None:
        self.close()

    def _write(self, page: Page) -> Generator[bytes, None, None]:
        head = self._form.head
        try:
            for lines in self._read(page):
                self._source.check()  # what was read for a caller is not for one who was locked out
                chunk, head = b"".join((head, *lines)), b""
                self._rows, self._bytes = self._rows + len(lines), self._bytes + len(chunk)
                if chunk:
                    yield chunk
            self._outcome = "complete"
        except Exception as exc:  # noqa: BLE001 - whatever it is, the last line tells
            self._outcome = "failed"
            yield dumps({"error": self._source.problem(exc)}) + b"\n"

    def _read(self, page: Page) -> Iterator[list[bytes]]:
        """Give the lines of this page and of all that follow, as many at once as make a chunk."""
        lines: list[bytes] = []
        size, limit = 0, FIRST
        while True:
            rows, length = iter(page.rows), 0
            while found := self._lines(rows, CHUNK - size):
                lines += found
                added = sum(map(len, found))
                size, length = size + added, length + added
                if size >= CHUNK:
                    yield lines
                    lines, size = [], 0
            if page.next is None:
                break
            limit = _next_limit(limit, length // len(page.rows))
            page = self._source.page(page.next, limit)
        yield lines

    def _lines(self, rows: Iterator[Any], room: int) -> list[bytes]:
        """Return the lines of the next rows, until there is no room for more."""
        lines = []
        with self._source.request():
            for row in rows:
                lines.append(self._form.line(row))
                room -= len(lines[-1])
                if room <= 0:
                    break
        return lines


class _Source:
    """Where the pages of one request come from, once the request itself is over."""

    def __init__(self, listing: Listing, query: Query) -> None:
        self._listing, self._query = listing, query
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._environ: WSGIEnvironment = request.environ
        self._known = {"request_id": g.get("request_id"), "actor": listing.actor}
        self._check = auth.watch()

    def page(self, after: Any, limit: int) -> Page:
        """Return the page after a position."""
        query = replace(self._query, after=after, limit=limit)
        with gate.place(self._environ), self._app.app_context():
            vars(g._get_current_object()).update(self._known)
            page: Page = self._listing.read(lambda session: self._service(session).list(query))
            return page

    def check(self) -> None:
        """Raise if the caller's token was revoked meanwhile."""
        with self._app.app_context():
            self._check()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Have the request again: what is rendered asks for its prefix and the settings."""
        with self._app.request_context(self._environ):
            vars(g._get_current_object()).update(self._known)
            yield

    def problem(self, exc: Exception) -> Any:
        """Return the problem that an exception would have been answered with."""
        with self.request():
            answer = self._app.make_response(self._app.handle_user_exception(exc))
            return orjson.loads(answer.get_data())

    def note(self, outcome: str, rows: int, size: int, started: float) -> None:
        """Log how a stream ended; the line of its request was written when it began."""
        structlog.get_logger("signpost").info(
            "stream",
            request_id=self._known["request_id"],
            path=self._environ["PATH_INFO"],
            outcome=outcome,
            rows=rows,
            bytes=size,
            duration_ms=round((time.perf_counter() - started) * 1000, 2),
        )

    def _service(self, session: Any) -> Any:
        return self._listing.service(session)


def _refuse_paging() -> None:
    message = "A stream has all that matches; leave this out."
    faults = [Fault(name, "conflict", message) for name in _PAGING if name in request.args]
    if faults:
        raise invalid(faults, what="parameter")


def _query(values: Mapping[str, Any], limit: int) -> Query:
    cursors: pagination.Cursors = current_app.extensions["signpost"].cursors
    query = pagination.query_of({**values, "limit": limit}, cursors, b"")
    return replace(query, is_whole=True)


def _form(kind: str, shape: Model, mask: str | None) -> Form:
    render = masked(shape, mask) if mask else plan(shape)
    if kind == NDJSON:
        return Form(NDJSON, b"", lambda row: _unbroken(dumps(render(row))) + b"\n")
    sheet = Sheet(shape, parse_mask(shape, mask) if mask else None)
    return Form(CSV_TYPE, sheet.header, lambda row: sheet.line(render(row)))


def _unbroken(line: bytes) -> bytes:
    """Return JSON whose line breaks of Unicode are escaped: many readers of lines end one there."""
    for character, escaped in _BREAKS:
        line = line.replace(character, escaped)
    return line


def _next_limit(limit: int, row: int) -> int:
    """Return how many rows to read next, after some of ``row`` bytes: at most twice as many."""
    return max(1, min(MOST, limit * 2, PAGE // max(1, row)))
