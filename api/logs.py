"""The log: a JSON object a line on stdout, for requests, commands, crashes and libraries alike.

Query strings and bodies are never logged: a token in a URL must not reach the log.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast

import click
import orjson
import structlog
from flask import Flask, g, has_request_context

from api.seen import Observer, Seen
from config import Config
from services.times import format_time

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Event], Event]

Renderer = Callable[[Any, str, Event], bytes]

_STDOUT, _STDERR = 1, 2
#: What JSON may hold as it is, though terminals obey it, or readers take it for the end of a line.
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(config: Config, descriptor: int | None = None) -> None:
    """Send what structlog and stdlib logging say to a file descriptor; may be repeated.

    Args:
        descriptor: by itself stdout, but stderr while a command runs: stdout has what it prints.
    """
    if descriptor is None:
        descriptor = _STDERR if click.get_current_context(silent=True) else _STDOUT
    level = _LEVELS[config.LOG_LEVEL]
    render = _RENDERERS[config.LOG_FORMAT]
    processors: list[Any] = [_name_request, structlog.processors.format_exc_info, render]
    if config.SENTRY_DSN:
        processors.insert(0, _reporter(config.SENTRY_DSN))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: _Lines(descriptor),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _FromLibraries)]
    root.addHandler(_FromLibraries())
    root.setLevel(level)
    for library in ("alembic", "werkzeug"):  # the latter logs query strings
        logging.getLogger(library).setLevel(logging.WARNING)
    sys.excepthook = _log_crash


def init_app(app: Flask, config: Config) -> None:
    """Log each request of ``app`` once, when it is answered."""
    configure(config)
    if _LEVELS[config.LOG_LEVEL] <= logging.INFO:
        app.extensions["signpost"].observers.append(_access_line(_RENDERERS[config.LOG_FORMAT]))


def _access_line(render: Renderer) -> Observer:
    """Return what writes it; it goes past structlog's pipeline, which costs more than the line."""
    lines = _Lines(_STDOUT)

    def access_line(seen: Seen) -> None:
        line = {
            "time": _now(),
            "level": "info",
            "event": "request",
            "request_id": seen.request_id,
            "method": seen.method,
            "route": seen.route,
            "path": seen.path,
            "status": seen.status,
            "duration_ms": round(seen.seconds * 1000, 2),
            "actor": seen.actor_id,
            "address": seen.address,
        }
        lines.msg(render(None, "info", line))

    return access_line


def _name_request(_logger: Any, level: str, event: Event) -> Event:
    """Put time, level, event and request id in front of the rest."""
    head = {"time": _now(), "level": "error" if level == "exception" else level}
    head["event"] = event.pop("event", "")
    if has_request_context():
        head["request_id"] = g.get("request_id")
    return head | dict(event)


def _now() -> str:
    return format_time(datetime.now(UTC))


def _json(_logger: Any, _level: str, event: Event) -> bytes:
    try:
        line = orjson.dumps(event, default=repr)
    except TypeError:  # a lone surrogate, or a key that is no text
        line = orjson.dumps({str(name): _utf8(value) for name, value in event.items()})
    if line.isascii() and b"\x7f" not in line:
        return line
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()


def _utf8(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _text(_logger: Any, _level: str, event: Event) -> bytes:
    """Return a line for people; what could move a cursor or forge a line is escaped."""
    trace = event.pop("exception", None)
    head = " ".join(_shown(event.pop(name, "")) for name in ("time", "level", "event"))
    rest = "".join(f" {name}={_shown(value)}" for name, value in event.items())
    lines = [head + rest, *(f"  | {_shown(line)}" for line in str(trace or "").splitlines())]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else ascii(text)


_RENDERERS: dict[str, Renderer] = {"json": _json, "text": _text}


class _Lines:
    """Where structlog's loggers write: whole lines, one system call each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def msg(self, line: bytes) -> None:
        with suppress(OSError):  # nobody reads, or the disk is full: no place is left to say so
            os.write(self._descriptor, line + b"\n")

    log = debug = info = warn = warning = error = critical = exception = failure = fatal = msg


class _FromLibraries(logging.Handler):
    """Pass on what libraries say by stdlib logging."""

    def emit(self, record: logging.LogRecord) -> None:
        method = getattr(structlog.get_logger(), record.levelname.lower(), None)
        if method is not None:
            method(record.getMessage(), logger=record.name, exc_info=record.exc_info or None)


def _log_crash(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    """Log what ends the process, unless a person at a terminal ended it."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, exc, trace)
        return
    structlog.get_logger().critical("crash", exc_info=(kind, exc, trace))


def _reporter(dsn: str) -> Processor:
    """Return a processor that reports crashes to Sentry: no bodies, no headers, no variables."""
    import sentry_sdk  # 120 ms, so only where it is used

    sentry_sdk.init(
        dsn,
        default_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
    )

    def report(_logger: Any, _level: str, event: Event) -> Event:
        if event.get("exc_info"):
            exc = event["exc_info"]
            sentry_sdk.set_tag("request_id", event.get("request_id"))
            sentry_sdk.capture_exception(cast("Any", None if exc is True else exc))
        return event

    return report
