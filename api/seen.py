"""What each answered request is told as: to the access log, to the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask, Response
from flask.globals import app_ctx, request_ctx


class Seen(NamedTuple):
    """One answered request."""

    request_id: str
    method: str
    route: str | None
    """The rule of the URL; None: there is none."""
    path: str
    status: int
    seconds: float
    """From the first hook to the answer."""
    actor_id: int | None
    address: str | None


Observer = Callable[[Seen], None]


def init_app(app: Flask) -> None:
    """Tell ``observers`` of each answer of ``app``; install before other hooks."""
    observers: list[Observer] = []
    app.extensions["signpost"].observers = observers

    def tell(response: Response) -> Response:
        asked, known = request_ctx.request, app_ctx.g  # each use of a proxy costs a microsecond
        rule, actor = asked.url_rule, known.get("actor")
        seen = Seen(
            known.get("request_id", ""),
            asked.method,
            rule.rule if rule else None,
            asked.path,
            response.status_code,
            time.perf_counter() - known.started,
            actor.id if actor else None,
            asked.remote_addr,
        )
        for observe in observers:
            observe(seen)
        return response

    app.before_request(_start_clock)
    app.after_request(tell)


def _start_clock() -> None:
    app_ctx.g.started = time.perf_counter()
