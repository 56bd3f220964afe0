"""The gate: a request gets one of a process's places only once its whole body is there.

So a slow sender costs a sleeping thread and keeps nobody else waiting. Who finds every place taken
waits up to a second, then hears 503. Health and metrics pass without a place. What is too large is
answered first and read away then, outside of the place. Uploads are read as they come, without a
place, and take one for the work that follows.

Source: docs/decisions/0001-wsgi-server.md
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeAlias

from flask import Flask
from flask.globals import request_ctx

from api import stalled
from config import Config
from services.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds that a request waits for a place.
PATIENCE = 1.0
#: Seconds that an answer which has begun waits for a place to go on; silence ends it after 10.
LONG_PATIENCE = 8.0
#: Seconds that the rest of a body is read away.
LINGER = 10.0
#: Paths that operators ask; an overloaded process still answers them.
FREE = frozenset({"/healthz", "/readyz", "/metrics"})
#: End of the path that has places of its own, half as many: those who sign in mostly wait for their
#: turn to hash. In the same places 16 of them made reads wait 270 ms instead of 1 (median).
SIGN_IN = "/auth/token"
#: End of the path that files are sent to.
UPLOAD = "/files"
#: Uploads that a process receives at once. Each keeps a thread, of which there are 256 to spare.
UPLOADS_AT_ONCE = 64

_REFUSED = "signpost.refused"
_PLACES = "signpost.places"
_CHUNK = 2**16


def init_app(app: Flask, config: Config) -> None:
    """Put the gate in front of ``app``: as many places as THREADS."""
    app.before_request(_refuse)
    own = app.extensions["signpost"]
    base = f"{config.prefix}/api/"
    app.wsgi_app = Gate(  # type: ignore[method-assign]
        app.wsgi_app,
        config.THREADS,
        config.MAX_JSON_BYTES,
        [base + name for name in own.mounted],
        [config.prefix + path for path in own.uploads],
    )


class Gate:
    """WSGI middleware that holds back what is incomplete or one too many.

    Args:
        places: requests that are worked on at once.
        most: bodies up to this many bytes are read before a place is taken; ``app`` refuses larger
            ones unread, or reads them as they come.
        extensions: paths, below each of which requests get a quarter of the places at most.
        uploads: paths of extensions that files are sent to.
    """

    def __init__(
        self,
        app: WSGIApplication,
        places: int,
        most: int,
        extensions: Iterable[str] = (),
        uploads: Collection[str] = (),
    ) -> None:
        self.app = app
        self.most = most
        self.uploads = frozenset(uploads)
        self._places, self._sign_in_places = _queue(places), _queue(max(1, places // 2))
        self._extensions = {path: _Quarter(places, self._places) for path in extensions}
        self._depth = 1 + max((path.count("/") for path in self._extensions), default=0)
        self._uploads = BoundedSemaphore(UPLOADS_AT_ONCE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in FREE:
            return self.app(environ, start_response)
        if self._is_upload(environ):
            return self._receive(environ, start_response)
        body = environ["wsgi.input"]
        is_all = self._read_ahead(environ)
        answer = self._answer(environ, start_response)
        # Who expects a 100 sends the rest only if asked to, and reading would ask.
        return answer if is_all or "HTTP_EXPECT" in environ else _Lingering(answer, body)

    def _receive(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let an upload read its body by itself; api/stalled.py gives it time."""
        body = environ["wsgi.input"] = _Watched(environ["wsgi.input"])
        if not self._uploads.acquire(blocking=False):
            environ[_REFUSED] = True
            return _Lingering(self.app(environ, start_response), body)
        environ[_PLACES] = self._places_of(environ["PATH_INFO"])
        try:
            with stalled.patient(environ.get("REMOTE_ADDR", "")):
                answer = self.app(environ, start_response)
        finally:
            self._uploads.release()
        return answer if "HTTP_EXPECT" in environ and not body.is_read else _Lingering(answer, body)

    def _is_upload(self, environ: WSGIEnvironment) -> bool:
        path = environ["PATH_INFO"].rstrip("/")
        return environ.get("REQUEST_METHOD") == "POST" and (
            path.endswith(UPLOAD) or path in self.uploads
        )

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        places = self._places_of(environ["PATH_INFO"])
        try:
            places.get(timeout=PATIENCE)
        except Empty:
            environ[_REFUSED] = True
            return self.app(environ, start_response)
        environ[_PLACES] = places
        try:
            return self.app(environ, start_response)
        finally:
            places.put(None)

    def _places_of(self, path: str) -> Places:
        if self._extensions:
            base = "/".join(path.split("/", self._depth)[: self._depth])
            if base in self._extensions:
                return self._extensions[base]
        is_sign_in = path.rstrip("/").endswith(SIGN_IN)
        return self._sign_in_places if is_sign_in else self._places

    def _read_ahead(self, environ: WSGIEnvironment) -> bool:
        """Wait for the body; a cut one is shorter than its length, for ``app`` to notice.

        Returns: whether no more of it is to come.
        """
        if "HTTP_TRANSFER_ENCODING" in environ:
            wanted = self.most + 1
        else:
            length = environ.get("CONTENT_LENGTH") or "0"
            wanted = int(length) if length.isascii() and length.isdecimal() else 0
            if not 0 < wanted <= self.most:
                return wanted == 0
        body = environ["wsgi.input"].read(wanted)
        environ["wsgi.input"] = BytesIO(body)
        environ["wsgi.input_terminated"] = True
        return len(body) <= self.most


class _Quarter:
    """The places of an extension: who takes one takes one of all as well."""

    def __init__(self, places: int, all: Places) -> None:
        self._own, self._all = _queue(max(1, places // 4)), all

    def get(self, timeout: float) -> None:
        """Take a place. Raises ``Empty`` after ``timeout`` seconds, or twice that."""
        self._own.get(timeout=timeout)
        try:
            self._all.get(timeout=timeout)
        except Empty:
            self._own.put(None)
            raise

    def put(self, _: None) -> None:
        """Give it back."""
        self._all.put(None)
        self._own.put(None)


Places: TypeAlias = "SimpleQueue[None] | _Quarter"


class _Watched:
    """A body, and whether anybody has begun to read it."""

    def __init__(self, body: InputStream) -> None:
        self._body = body
        self.is_read = False

    def read(self, size: int = -1) -> bytes:
        self.is_read = True
        return self._body.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


class _Lingering:
    """An answer, then what the client still sends read away.

    Closing at once resets the connection, and who is still sending never sees the answer.
    Source: RFC 9112, section 9.6.
    """

    def __init__(self, answer: Iterable[bytes], body: InputStream | _Watched) -> None:
        self._answer, self._body = answer, body

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer
        deadline = time.monotonic() + LINGER
        while time.monotonic() < deadline and self._body.read(_CHUNK):
            pass

    def close(self) -> None:
        """Close the answer, as WSGI wants it."""
        if (close := getattr(self._answer, "close", None)) is not None:
            close()


@contextmanager
def place(environ: WSGIEnvironment) -> Iterator[None]:
    """Hold a place again while an answer that is being sent goes on; without a gate, none.

    Raises:
        Unavailable: every place was taken for ``LONG_PATIENCE`` seconds.
    """
    places: Places | None = environ.get(_PLACES)
    if places is None:
        yield
        return
    try:
        places.get(timeout=LONG_PATIENCE)
    except Empty as exc:
        raise Unavailable("The service is busy; try again.", retry_after=1) from exc
    try:
        yield
    finally:
        places.put(None)


def _queue(places: int) -> SimpleQueue[None]:
    queue: SimpleQueue[None] = SimpleQueue()
    for _ in range(places):
        queue.put(None)
    return queue


def _refuse() -> None:
    if _REFUSED in request_ctx.request.environ:
        raise Unavailable("The service is busy; try again.", retry_after=1)
