"""Answers that are kept: what is asked again and again is rendered once, and never told when old.

An answer is sent again only if nothing at all was committed since it was made, which the database
itself is asked each time (services/moments.py), and nothing has appeared by the mere passing of its
time. It goes to who sends the same request, token included, if that is still good. Only declared
lists and items are kept, and a request with a header that is not known to make no difference goes
past. So there is nothing to configure and nothing to clear.

Source: docs/decisions/0013-kept-answers.md
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import FIFOCache
from flask import Flask, Response, current_app
from flask.globals import request_ctx

from api.database import engine_of
from api.headers import request_id
from api.preconditions import names
from api.seen import Seen
from config import shell_names
from services import clock
from services.errors import ServiceError
from services.moments import Moments

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.routing import Rule

#: Bytes that a process keeps, and of the longest answer among them.
ROOM, LONGEST = 2 * 2**20, 2**18
#: Requests of a URL that go past at most, after its answer was never as it had been.
REST_MAX = 63

_NOTE, _FAILURE = "signpost.note", "signpost.failure"
_OF_BODY = frozenset({"Content-Type", "Content-Length", "Last-Modified"})
_PREFIX = "/api/"
#: An entry without an answer, and the key and headers of one, in bytes.
_OVERHEAD = 1_000
#: What of a request an answer depends on.
_ASKED = (
    *("PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "wsgi.url_scheme", "SERVER_PROTOCOL"),
    *("HTTP_HOST", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ORIGIN", "HTTP_X_FIELDS"),
    "HTTP_AUTHORIZATION",
)
#: What servers and middleware say of every request.
_WSGI = frozenset(
    (
        *("wsgi.version", "wsgi.input", "wsgi.input_terminated", "wsgi.errors", "wsgi.multithread"),
        *("wsgi.multiprocess", "wsgi.run_once", "werkzeug.proxy_fix.orig", "werkzeug.socket"),
        *("REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_SOFTWARE", "GATEWAY_INTERFACE"),
        *("REMOTE_ADDR", "REMOTE_PORT", "REQUEST_URI", "RAW_URI", "CONTENT_TYPE", "CONTENT_LENGTH"),
        "signpost.places",
    )
)
#: Headers, beside those, that make no difference, or that are looked at here.
_HARMLESS = frozenset(
    f"HTTP_{name}"
    for name in (
        *("USER_AGENT", "ACCEPT_LANGUAGE", "CONNECTION", "KEEP_ALIVE", "CACHE_CONTROL", "PRAGMA"),
        *("REFERER", "DNT", "PRIORITY", "UPGRADE_INSECURE_REQUESTS", "SEC_GPC", "PROXY"),
        *("SEC_FETCH_DEST", "SEC_FETCH_MODE", "SEC_FETCH_SITE", "SEC_FETCH_USER"),
        *("SEC_CH_UA", "SEC_CH_UA_MOBILE", "SEC_CH_UA_PLATFORM", "TRACEPARENT", "TRACESTATE"),
        *("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT"),
        *("X_REAL_IP", "X_REQUEST_ID", "IF_NONE_MATCH"),
    )
)


@dataclass(frozen=True)
class _Answer:
    """What is sent, and for how long it is right."""

    moment: Hashable
    made_at: datetime
    until: datetime
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    tag: str
    route: str

    def holds(self, moment: Hashable) -> bool:
        """Whether it is what would be made now."""
        return self.moment == moment and self.made_at <= clock.now() < self.until


class _Entry:
    """What is known of one question."""

    def __init__(self, key: tuple[str | None, ...]) -> None:
        self.key = key
        self.answer: _Answer | None = None
        self.was_used = True
        self.rest = self.longest_rest = 0

    def size(self) -> int:
        """About how many bytes it keeps in memory."""
        asked = sum(len(part) for part in self.key if part)
        return _OVERHEAD + asked + (len(self.answer.body) if self.answer else 0)

    def is_resting(self) -> bool:
        """Whether this request goes past: the answers before were made in vain."""
        self.rest -= 1
        return self.rest >= 0

    def replace(self, answer: _Answer) -> None:
        """Take a newer answer; was the one before never used, the next one is made later."""
        self.longest_rest = 0 if self.was_used else min(2 * self.longest_rest + 1, REST_MAX)
        self.answer, self.was_used, self.rest = answer, False, self.longest_rest


@dataclass(frozen=True)
class _Note:
    """Comes with a request whose answer is to be kept."""

    entry: _Entry
    moment: Hashable
    made_at: datetime


class Cache:
    """WSGI middleware next to the app; its hook sees what the app answers."""

    def __init__(self, app: Flask) -> None:
        self.app: WSGIApplication = app.wsgi_app
        self._extension = app.extensions["signpost"]
        self._moments = Moments(engine_of(app))
        self._entries: FIFOCache[Hashable, _Entry] = FIFOCache(ROOM, _Entry.size)
        self._lock = threading.Lock()
        # Servers put their environment variables among the request's.
        shell = {name for name in shell_names() if not name.startswith("HTTP_")}
        self._known = _HARMLESS.union(_ASKED, _WSGI, shell)

    @property
    def kept_bytes(self) -> int:
        """About how much of its room is taken."""
        return int(self._entries.currsize)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._may_be_kept(environ):
            return self.app(environ, start_response)
        started, actor = time.perf_counter(), None
        answer = self._find(environ)
        if answer is not None and (token := environ.get("HTTP_AUTHORIZATION")) is not None:
            actor = self._extension.auth.recognise(token)
            answer = answer if actor else None
        if answer is None:
            return self.app(environ, start_response)
        status, headers, body = answer.status, answer.headers, [answer.body]
        if (wanted := environ.get("HTTP_IF_NONE_MATCH")) and names(wanted, answer.tag):
            status, body = "304 NOT MODIFIED", []
            headers = [each for each in headers if each[0] not in _OF_BODY]
        seen = Seen(
            request_id(environ),
            "GET",
            answer.route,
            environ["PATH_INFO"],
            int(status[:3]),
            time.perf_counter() - started,
            actor.id if actor else None,
            environ.get("REMOTE_ADDR"),
        )
        for observe in self._extension.observers:
            observe(seen)
        start_response(status, [*headers, ("X-Request-Id", seen.request_id)])
        return body

    def _find(self, environ: WSGIEnvironment) -> _Answer | None:
        """Return an answer that is right now; None: make one, to be kept if it is noted so."""
        key = tuple(map(environ.get, _ASKED))
        with self._lock:  # between two of its steps another thread may put it in its place anew
            entry = self._entries.get(key)
        if entry is None:
            self._keep(_Entry(key))  # who asks once doesn't cost the others their room
            return None
        if entry.is_resting():
            return None
        try:
            moment = self._moments.now()
        except ServiceError as exc:
            environ[_FAILURE] = exc  # the app would wait as long once more to say the same
            return None
        if moment is None:
            return None
        if entry.answer is not None and entry.answer.holds(moment):
            entry.was_used = True
            return entry.answer
        environ[_NOTE] = _Note(entry, moment, clock.now())
        return None

    def remember(self, response: Response) -> Response:
        """Keep an answer that was asked for a second time."""
        asked = request_ctx.request
        note: _Note | None = asked.environ.get(_NOTE)
        if note is None or asked.url_rule is None or not _is_kept(asked.url_rule, response):
            return response
        headers = response.get_wsgi_headers(asked.environ).to_wsgi_list()
        answer = _Answer(
            moment=note.moment,
            made_at=note.made_at,
            until=self._moments.until(note.made_at),
            status=response.status,
            headers=[(name, value) for name, value in headers if name != "X-Request-Id"],
            body=response.get_data(),
            tag=response.headers["ETag"],
            route=asked.url_rule.rule,
        )
        if len(answer.body) <= LONGEST:
            note.entry.replace(answer)
            self._keep(note.entry)
        return response

    def _may_be_kept(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "GET"
            and environ["PATH_INFO"].startswith(_PREFIX)
            and environ["PATH_INFO"].isascii()
            and self._known.issuperset(environ)
            and not environ.get("CONTENT_LENGTH")
        )

    def _keep(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.pop(entry.key, None)  # its size has changed
            self._entries[entry.key] = entry


def init_app(app: Flask) -> None:
    """Keep answers of ``app``; install before what changes requests or answers."""
    kept = Cache(app)
    app.wsgi_app = kept  # type: ignore[method-assign]
    app.after_request(kept.remember)


def tell_failure() -> None:
    """Before a view: say what went wrong when the database was asked for its moment."""
    if (failure := request_ctx.request.environ.get(_FAILURE)) is not None:
        raise failure


def _is_kept(rule: Rule, response: Response) -> bool:
    """Whether this is the answer of a view that says ``is_kept``."""
    view = current_app.view_functions[rule.endpoint]
    says_so: bool = getattr(getattr(view, "view_class", None), "is_kept", False)
    return says_so and response.status_code == 200 and response.is_sequence
