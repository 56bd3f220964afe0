"""The application factory. Read it top to bottom: that is the whole start-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import CO_COROUTINE
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from flask_restx import Api
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

from api import (
    assets,
    auth,
    cache,
    commands,
    console,
    converters,
    database,
    downloads,
    errors,
    headers,
    health,
    hooks,
    jwks,
    logs,
    metrics,
    mounting,
    namespaces,
    openapi,
    pages,
    seen,
    streams,
    transfers,
)
from api.answers import Answer
from api.loading import Extension, load
from api.pagination import Cursors
from api.replies import Json
from config import Config
from services import pictures, registry


class _NoSessions(SessionInterface):
    """Nobody has a session: who calls is in the token."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the one that refuses every change."""
        return self._none


class Signpost(Flask):
    """Flask whose routes do not depend on the host: it is not decoded for each request."""

    response_class = Answer
    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return at once what is plainly not asynchronous (Flask looks nine times a request)."""
        # Nothing is remembered: a view's method is another object with each request.
        code = getattr(func, "__code__", None)
        if code is not None and not code.co_flags & CO_COROUTINE:
            return func
        return super().ensure_sync(func)

    def full_dispatch_request(self, *args: Any) -> Response:
        """Have ``sys.exit()`` and its like answered as a crash."""
        try:
            return super().full_dispatch_request(*args)
        except Exception:
            raise
        except BaseException as exc:
            raise RuntimeError(f"{type(exc).__name__} while a request was answered") from exc

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what matches the request's path (8 % of reading a post, as Flask does it)."""
        if request is None:
            return super().create_url_adapter(None)
        request.host = get_host(request.environ)  # raises for what is no host at all
        return MapAdapter(
            self.url_map,
            request.host,
            request.root_path,
            "",
            request.scheme,
            request.path,
            request.method,
            request.query_string.decode("latin-1"),
        )


class ProblemApi(Api):  # type: ignore[misc]  # RESTX is untyped
    """RESTX without its error handling: errors go to the handlers of api/errors.py."""

    def error_router(self, original_handler: Any, *args: Any) -> Any:
        """Hand the error on. Flask 3.1 passes the error, 3.2 a context before it."""
        return original_handler(*args)

    def _register_apidoc(self, app: Flask) -> None:
        """Leave out RESTX's own copy of Swagger UI; ours is api/console.py."""


def create_app(config: Config, extensions: Sequence[Extension] | None = None) -> Flask:
    """Build the service from its settings; opens no connection and reads no database.

    Args:
        extensions: what ``load`` returned, if it was asked already. One that cannot be mounted is
            left out: its failure is its own problem.
    """
    if extensions is None:
        logs.configure(config)  # loading may have something to say
        extensions = load(config)
    found = list(extensions)
    try:
        return _assemble(config, found)
    except Exception:
        bare = [each for each in found if each.state != "loaded"]
        if len(bare) == len(found):
            raise
    _assemble(config, bare)  # raises if the fault is not with any of them
    rest = _without_faulty(config, found)
    registry.reset()
    return _assemble(config, rest)


def _without_faulty(config: Config, extensions: Sequence[Extension]) -> list[Extension]:
    """Return them all, those marked as failed that cannot be mounted beside those before."""
    good: list[Extension] = []
    for each in extensions:
        registry.reset()  # one that failed may have left its types
        try:
            _assemble(config, [*good, each])
        except Exception as exc:  # noqa: BLE001 - whatever a stranger's code raises
            each = each.failed(exc)
        good.append(each)
    return good


def _assemble(config: Config, extensions: Sequence[Extension]) -> Flask:
    app = Signpost(__name__, static_folder=None)
    app.debug = False  # whatever FLASK_DEBUG says: a traceback is for the log
    app.config.from_mapping(
        SIGNPOST=config,
        ERROR_INCLUDE_MESSAGE=False,  # RESTX: add no "message" of its own
        RESTX_ERROR_404_HELP=False,  # RESTX: do not guess at URLs in the answer
        RESTX_MASK_HEADER="",  # masks are api/output.py's
        RESTX_MASK_SWAGGER=False,
        RESTX_INCLUDE_ALL_MODELS=True,
    )
    app.json = Json(app)
    app.extensions["signpost"] = SimpleNamespace(
        cursors=Cursors(config.SECRET_KEY), extensions=extensions, mounted={}, uploads=set()
    )
    seen.init_app(app)
    logs.init_app(app, config)
    metrics.init_app(app, config)
    cache.init_app(app)
    headers.init_app(app, config)
    app.before_request(cache.tell_failure)
    errors.init_app(app)
    converters.init_app(app)
    database.init_app(app, config)
    auth.init_app(app, config)
    streams.init_app(app)
    downloads.init_app(app)
    pictures.settings.configure(lock=config.DATA_DIR / "pictures.lock")
    for page in (assets, console, pages):
        page.init_app(app)
    health.init_app(app, config)
    jwks.init_app(app)
    openapi.install(app, _api(app, extensions), config)
    commands.init_app(app)
    transfers.init_app(app)
    commands.add(app, extensions)
    hooks.init_app(config, extensions)
    return app


def _api(app: Flask, extensions: Sequence[Extension]) -> Api:
    """Mount everything declared under ``/api``; RESTX's own pages and specs stay off."""
    blueprint = Blueprint("api", __name__, url_prefix=openapi.BASE)
    api = ProblemApi(
        title="Signpost",
        version="1",
        description="Posts and users: nothing is lost, and it explains itself.",
        doc=False,
        decorators=[auth.guard],
        authorizations={"bearer": {"type": "oauth2", "flow": "password", "tokenUrl": ""}},
    )
    api.init_app(blueprint, add_specs=False)
    app.extensions["signpost"].specs = namespaces.mount(api)
    mounting.mount(app, api, extensions)
    app.register_blueprint(blueprint)
    return api
