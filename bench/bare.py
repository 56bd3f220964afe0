"""The bare server: the same granian, and an app that only reads the body away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CHUNK = 2**16
#: What it answers to GET, in pieces of 64 KiB.
_PIECE = bytes(_CHUNK)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read a body away; answer GET /<bytes> with as many, rounded up to whole pieces."""
    while environ["wsgi.input"].read(_CHUNK):
        pass
    wanted = environ["PATH_INFO"].strip("/")
    pieces = -(-int(wanted) // _CHUNK) if wanted.isdecimal() else 0
    start_response("200 OK", [("Content-Length", str(pieces * _CHUNK))])
    return (_PIECE for _ in range(pieces))
