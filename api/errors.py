"""The one place where an exception becomes a response: RFC 9457 problems, whatever raised it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, g, request
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as WerkzeugResponse

from api import mounted
from api.output import dumps
from api.problems import CODES, Aborted, Challenge
from api.replies import reply
from services.errors import Fault, ServiceError
from services.transaction import meaning

#: Status of a Werkzeug error → our code, where the two differ or several codes share a status.
_BY_STATUS = {
    400: "malformed-json",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    412: "precondition-failed",
    413: "too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    416: "range",
    428: "precondition-required",
    429: "rate-limited",
    503: "unavailable",
    504: "timeout",
}

#: What may stand in a path as it is, beside letters and digits (RFC 3986, 3.3).
_PATH = "/:@!$&'()*+,;=~"


def problem_response(
    code: str,
    detail: str | None = None,
    *,
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    extra: Mapping[str, Any] | None = None,
    status: int | None = None,
) -> Response:
    """Return the problem document of ``code`` (RFC 9457), in the shape of whose path it is.

    Args:
        status: of the answer, if it is not that of the code.
    """
    body = _document(code, detail, faults) | dict(extra or {})
    if status is not None:
        body["status"] = status
    own = mounted.of(request.path)
    response = _shaped(body, own.shape) if own and own.shape else _plain(body)
    response.headers.extend(headers or {})
    response.headers["Cache-Control"] = "no-store"
    return response


def code_of(status: int) -> str:
    """Return the usual code of a status."""
    return _BY_STATUS.get(status, "validation" if status < 500 else "internal")


def document(error: ServiceError) -> dict[str, Any]:
    """Return the problem of one part of a request whose other parts went well."""
    return _document(error.public_code, error.public_message, error.faults) | error.extra


def _plain(body: dict[str, Any]) -> Response:
    response = Response(dumps(body), body["status"])
    response.content_type = "application/problem+json"
    return response


def _shaped(body: dict[str, Any], shape: mounted.Shape) -> Response:
    """Return a problem as an extension wants its own; as it was, if that fails."""
    try:
        made = shape(dict(body))
        shaped, status = made if isinstance(made, tuple) else (made, body["status"])
        response = Response(dumps(shaped), status)
    except BaseException:  # noqa: BLE001 - a stranger's code; who asked is to hear it
        structlog.get_logger("signpost").exception("crash", request_id=g.get("request_id"))
        return _plain(body)
    is_problem = {"type", "title", "status", "detail"} <= shaped.keys()
    response.content_type = "application/problem+json" if is_problem else "application/json"
    return response


def _document(code: str, detail: str | None, faults: Iterable[Fault]) -> dict[str, Any]:
    kind = CODES[code]
    body: dict[str, Any] = {
        "type": f"{current_app.config['SIGNPOST'].PUBLIC_URL or ''}/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "detail": detail or kind.explanation,
        "instance": quote(request.root_path.rstrip("/") + request.path, safe=_PATH),
        "request_id": g.get("request_id"),
    }
    if errors := [vars(fault) for fault in faults]:
        body["errors"] = errors
    return body


def init_app(app: Flask) -> None:
    """Answer every error of this app with a problem document."""
    handlers: dict[type[Exception], Callable[[Any], Response]] = {
        ServiceError: _service_error,
        HTTPException: _http_error,
        SQLAlchemyError: _database_error,
        JWTExtendedException: _token_error,
        PyJWTError: _token_error,
        Exception: _crash,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, _after_its_own(handler))


def _after_its_own(handler: Callable[[Any], Response]) -> Callable[[Any], WerkzeugResponse]:
    """Let the extension whose request failed say what its errors mean, then ``handler``."""

    def handle(exc: Exception) -> WerkzeugResponse:
        extension = mounted.of(request.path)
        own = extension and extension.handler_of(exc)
        if not own:
            return handler(exc)
        try:
            return reply(own(exc))
        except ServiceError as said:
            return _service_error(said)
        except Exception as failure:  # noqa: BLE001 - a stranger's code
            return _crash(failure)

    return handle


def _service_error(exc: ServiceError) -> Response:
    headers: dict[str, str] = {}
    if exc.retry_after is not None:
        headers["Retry-After"] = str(exc.retry_after)
    status = exc.status if isinstance(exc, Aborted) else CODES[exc.public_code].status
    if status == 401:
        error = exc.error if isinstance(exc, Challenge) else None
        headers["WWW-Authenticate"] = f'Bearer error="{error}"' if error else "Bearer"
    headers |= exc.headers
    if status >= 500 and exc.__cause__:
        _tell_why(exc.public_code, exc.__cause__)
    return problem_response(
        exc.public_code,
        exc.public_message,
        faults=exc.faults,
        headers=headers,
        extra=exc.extra,
        status=status,
    )


def _http_error(exc: HTTPException) -> Response:
    if isinstance(exc, RequestRedirect):
        return problem_response("not-found")  # one URL per object: never a redirect of the router's
    if exc.response is not None:
        return exc.response  # type: ignore[return-value]  # Werkzeug's base class of Flask's
    code = _BY_STATUS.get(exc.code or 500, "internal")
    headers = [
        (name, value)
        for name, value in exc.get_headers(request.environ)
        if name.lower() not in {"content-type", "content-length"}
    ]
    return problem_response(code, headers=headers)


def _token_error(exc: Exception) -> Response:
    return _service_error(Challenge("The access token is not valid.", error="invalid_token"))


def _database_error(exc: SQLAlchemyError) -> Response:
    try:
        error = meaning(exc)
    except SQLAlchemyError:
        return _crash(exc)
    error.__cause__ = exc
    return _service_error(error)


def _tell_why(code: str, cause: BaseException) -> None:
    """Log what is behind an answer that the caller can do nothing about: operators have to."""
    said = getattr(cause, "orig", None) or cause  # by the driver, without the statement
    line = str(said).partition("\n")[0]
    structlog.get_logger("signpost").warning(code, reason=f"{type(said).__name__}: {line}")


def _crash(exc: Exception) -> Response:
    """Log the traceback under the request's id; tell the caller nothing of it."""
    structlog.get_logger("signpost").exception("crash", request_id=g.get("request_id"))
    return problem_response("internal", "Something went wrong on our side.")
