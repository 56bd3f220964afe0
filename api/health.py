"""``/healthz``: the process lives. ``/readyz``: it can serve, or which part of it cannot.

Both stand outside the API and ask for nobody's token. The database is asked at most once a second
by each worker, over a connection of its own, and an answer never takes longer than 200 ms.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap

import sqlalchemy as sa
from flask import Blueprint, Flask, Response

from api.errors import problem_response
from config import Config
from models.engine import database_url, engine_options
from services import schema

#: Seconds for which a result stands.
FRESH = 1.0
#: Seconds that a caller waits for one.
PATIENCE = 0.18

#: Returns the parts that fail, each with what is wrong in words for strangers.
Check = Callable[[], dict[str, str]]


class Flag:
    """Something that one process says to all that were forked from it."""

    def __init__(self) -> None:
        self._page = mmap(-1, 1)

    def set(self) -> None:
        """Raise it, for good."""
        self._page[0] = 1

    def __bool__(self) -> bool:
        return self._page[0] == 1


def init_app(app: Flask, config: Config) -> None:
    """Add both URLs to ``app``; ``draining`` among its parts makes it unready."""
    draining = app.extensions["signpost"].draining = Flag()
    app.register_blueprint(_blueprint(Readiness(lambda: failing_parts(config)), draining))


def _blueprint(readiness: Readiness, draining: Flag) -> Blueprint:
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _ok()

    @blueprint.get("/readyz")
    def readyz() -> Response:
        failing = {"process": "it is about to end"} if draining else readiness.failing()
        if not failing:
            return _ok()
        return problem_response(
            "unavailable",
            f"Not ready: {', '.join(sorted(failing))}.",
            headers={"Retry-After": "1"},
            extra={"failing": failing},
        )

    return blueprint


def _ok() -> Response:
    response = Response(b'{"status":"ok"}', content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def failing_parts(config: Config) -> dict[str, str]:
    """Ask the database and compare its schema with ours; return what fails."""
    url = database_url(config.DATABASE_URL)
    given = engine_options(url, 1)["connect_args"]
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=given)
    try:
        with engine.connect() as connection:
            version = schema.current(connection)
    except schema.SchemaMismatch:
        return {"migrations": "the database is of a newer release"}
    except sa.exc.SQLAlchemyError:
        return {"database": "it cannot be reached"}
    if version != schema.head():
        return {"migrations": "the database needs an upgrade"}
    return {}


@dataclass
class _Result:
    failing: dict[str, str]
    at: float


class Readiness:
    """The latest result of a check, made anew in a thread of its own when it is stale."""

    def __init__(self, check: Check, clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._started = 0.0
        self._result: _Result | None = None

    def failing(self) -> dict[str, str]:
        """Return the parts that fail; a check that takes too long fails the database."""
        with self._lock:
            if self._result and self._clock() - self._result.at < FRESH:
                return self._result.failing
            if self._running is None:
                self._running, self._started = threading.Event(), self._clock()
                threading.Thread(target=self._run, args=(self._running,), daemon=True).start()
            running, left = self._running, self._started + PATIENCE - self._clock()
        if running.wait(max(0, left)) and self._result:
            return self._result.failing
        return {"database": "it does not answer in time"}

    def _run(self, done: threading.Event) -> None:
        failing = {"database": "the check itself failed"}
        try:
            failing = self._check()
        finally:
            with self._lock:
                self._result = _Result(failing, self._clock())
                self._running = None
            done.set()
