"""What every request and every answer has in common: its id, host, prefix and headers.

Installed before everything else, so that its ``after_request`` runs last and sees what the view
chose. Cross-origin rules are Flask-CORS's; this module only tells it which origins there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from random import getrandbits
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, Response
from flask.globals import app_ctx, request_ctx
from flask_cors import CORS
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from api.problems import UnknownHost, UnsupportedMediaType, UriTooLong
from config import Config
from services.errors import ServiceError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Longest path and query that is read, in bytes as sent.
URI_MAX = 4096

#: Asked by load balancers, which call a process by its address.
ANY_HOST = frozenset({"/healthz", "/readyz"})

ALLOW_HEADERS = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Fields",
    "Last-Event-ID",
]
EXPOSE_HEADERS = [
    "ETag",
    "Link",
    "Location",
    "Last-Modified",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotency-Replayed",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

#: How long a browser may remember a preflight, in seconds.
PREFLIGHT_MAX_AGE = 7200

#: Policy of whatever is not one of our own pages: it may load nothing and be framed by nobody.
NOTHING = "default-src 'none'; frame-ancestors 'none'"

#: What may be the host of a URL, with a port or not, of whatever kind (RFC 3986, 3.2.2).
_HOST = re.compile(r"[\w.~%!$&'()*+;=:\[\]-]+", re.ASCII)
_LOCAL_ORIGIN = r"http://(?:localhost|127\.0\.0\.1)(?::[0-9]{1,5})?"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_REQUEST_ID_KEY = "signpost.request_id"
_PLAIN_PATH = "/:@!$&'()*+,;=~-._"


def init_app(app: Flask, config: Config) -> None:
    """Install the request and answer hooks, CORS and the handling of proxies."""
    app.before_request(_check_request(config.hosts))
    app.after_request(_finish_answer(is_https=config.PUBLIC_URL.startswith("https://")))
    _allow_origins(app, config)
    app.wsgi_app = _Prefixed(app.wsgi_app, config.prefix)  # type: ignore[method-assign]
    if config.TRUSTED_PROXIES:
        count = config.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=0, x_prefix=0
        )


class _Prefixed:
    """Set ``SCRIPT_NAME`` to the prefix of ``PUBLIC_URL`` and nothing else, ever.

    A proxy may strip the prefix or leave it; both give the same request.
    """

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix, path = self.prefix, environ["PATH_INFO"]
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            environ["PATH_INFO"] = path[len(prefix) :] or "/"
        environ["SCRIPT_NAME"] = prefix
        return self.app(environ, start_response)


def _check_request(hosts: frozenset[str]) -> Callable[[], None]:
    def check_request() -> None:
        asked = request_ctx.request
        environ = asked.environ
        app_ctx.g.request_id = environ[_REQUEST_ID_KEY] = request_id(environ)
        if not _has_one_host(environ) or (hosts and not _is_meant(environ, hosts)):
            raise _last(UnknownHost())
        if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
            raise _last(UnsupportedMediaType("The only transfer coding is chunked."))
        if not environ["REQUEST_METHOD"].isupper() and asked.url_rule:
            raise MethodNotAllowed(asked.url_rule.methods)  # Werkzeug would take get for GET
        if isinstance(asked.routing_exception, MethodNotAllowed):
            raise asked.routing_exception  # comes before all that is wrong with the request
        if _uri_length(environ) > URI_MAX:
            raise UriTooLong()
        if environ["PATH_INFO"].startswith("//"):
            raise NotFound()  # the router would drop all but one: a second URL of everything

    return check_request


def request_id(environ: dict[str, Any]) -> str:
    """Return the id that the client gave its request, or a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    # Not a secret; to ask the system for random bytes costs 9 us.
    return given if _REQUEST_ID.fullmatch(given) else f"{getrandbits(128):032x}"


def _has_one_host(environ: dict[str, Any]) -> bool:
    """Whether exactly one host is named; HTTP/1.0 may leave it out. Source: RFC 9112, 3.2."""
    host = environ.get("HTTP_HOST", "")
    return bool(_HOST.fullmatch(host)) if host else environ["SERVER_PROTOCOL"] != "HTTP/1.1"


def _last(exc: ServiceError) -> ServiceError:
    """Have the connection closed: what else came on it may be meant otherwise."""
    exc.headers["Connection"] = "close"
    return exc


def _is_meant(environ: dict[str, Any], hosts: frozenset[str]) -> bool:
    host = environ.get("HTTP_HOST", "").lower()
    known = host in hosts or re.sub(r":[0-9]*\Z", "", host) in hosts
    return known or environ["PATH_INFO"] in ANY_HOST


def _uri_length(environ: dict[str, Any]) -> int:
    """Return the length of path and query as sent, in bytes (WSGI hands the path decoded)."""
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if (len(path) * 3 + len(query)) > URI_MAX:
        path = quote(path.encode("latin-1"), safe=_PLAIN_PATH)
    return len(environ["SCRIPT_NAME"]) + len(path) + len(query) + (1 if query else 0)


def _finish_answer(*, is_https: bool) -> Callable[[Response], Response]:
    fixed = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
    secure = [*fixed, ("Strict-Transport-Security", "max-age=31536000")]

    def finish_answer(response: Response) -> Response:
        environ, headers = request_ctx.request.environ, response.headers
        present = {name.lower() for name, _ in headers}
        new = list(secure if is_https or environ["wsgi.url_scheme"] == "https" else fixed)
        new.append(("X-Request-Id", environ[_REQUEST_ID_KEY]))
        if "content-security-policy" not in present:
            new.append(("Content-Security-Policy", NOTHING))
        vary = _take_vary(headers) if "vary" in present else []
        if "cache-control" not in present:
            new.append(("Cache-Control", _caching(environ, response.status_code)))
            vary += ["Authorization"] * ("Authorization" not in vary)
        vary += ["Origin"] * ("Origin" not in vary)
        new.append(("Vary", ", ".join(vary)))
        headers.extend(new)
        return response

    return finish_answer


def _take_vary(headers: Headers) -> list[str]:
    """Remove the lines of ``Vary`` and return their words."""
    lines = headers.getlist("Vary")
    del headers["Vary"]
    return [word.strip() for line in lines for word in line.split(",")]


def _caching(environ: dict[str, Any], status: int) -> str:
    """Say how an answer may be kept whose view did not say."""
    if status >= 400:
        return "no-store"
    if "HTTP_AUTHORIZATION" in environ:
        return "private, no-cache"
    return "public, no-cache" if environ["REQUEST_METHOD"] in ("GET", "HEAD") else "no-store"


def _allow_origins(app: Flask, config: Config) -> None:
    """Let Flask-CORS answer for the origins that are configured; in development for local ones.

    Every origin becomes an anchored expression: Flask-CORS itself takes text for one as soon as it
    has a bracket in it, matches prefixes only, and sends the whole list when no Origin came.
    """
    patterns = [re.escape(origin) for origin in config.CORS_ORIGINS]
    if config.is_development:
        patterns.append(_LOCAL_ORIGIN)
    if not patterns:
        return
    CORS(
        app,
        origins=[re.compile(f"(?:{'|'.join(patterns)})\\Z", re.ASCII)],
        methods=METHODS,
        allow_headers=ALLOW_HEADERS,
        expose_headers=EXPOSE_HEADERS,
        max_age=PREFLIGHT_MAX_AGE,
        supports_credentials=False,
        allow_private_network=False,
        intercept_exceptions=False,
        always_send=False,
    )
