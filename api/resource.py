"""The generic half of every endpoint: who calls, parse, one transaction, render.

A resource file declares a ``Spec`` (api/spec.py) and classes; see api/posts.py. What a class
inherits from ``Collection`` or ``Item`` (api/item.py) is everything that it does. Documentation:
api/describe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from flask import Response, current_app, request
from flask_restx import Model, Resource
from sqlalchemy.orm import Session

from api import accept, output, pagination, query, streams
from api.auth import current_actor
from api.database import db, reader
from api.describe import expose
from api.input import read_body
from api.preconditions import conditional, item_tag, last_modified, list_tag
from api.spec import Shape, Spec, declared, shape_for
from config import Config
from services.actor import Actor
from services.base import Service
from services.errors import ServiceError, Unauthenticated
from services.transaction import reading, transact

__all__ = ["Collection", "Endpoint", "Listing", "SpecEndpoint", "expose"]

T = TypeVar("T")
MERGE_PATCH = ("application/merge-patch+json", "application/json")


class Endpoint(Resource):  # type: ignore[misc]  # RESTX is untyped
    """One request: one caller, one transaction at most, one answer."""

    anonymous: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD"})
    """Verbs that need nobody signed in."""
    base: ClassVar[str] = "/api/v1"
    """Where its namespace is mounted."""
    is_kept: ClassVar[bool] = False
    """Whether what GET answers depends on caller, URL and database alone (api/cache.py)."""

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Response:
        """Ask for a caller, then run the verb; RESTX would validate and marshal here."""
        if self.actor is None and request.method not in self.anonymous:
            raise Unauthenticated()
        if kwargs.get("id") == "me":
            kwargs["id"] = self.caller.id
        verb = "get" if request.method == "HEAD" else request.method.lower()
        response: Response = getattr(self, verb)(*args, **kwargs)
        return response

    @property
    def actor(self) -> Actor | None:
        """The caller; None when anonymous."""
        return current_actor()

    @property
    def caller(self) -> Actor:
        """The caller.

        Raises:
            Unauthenticated: nobody is signed in.
        """
        if (actor := current_actor()) is None:
            raise Unauthenticated()
        return actor

    @property
    def config(self) -> Config:
        """The settings."""
        config: Config = current_app.config["SIGNPOST"]
        return config

    @property
    def session(self) -> Session:
        """The request's database session; ``read`` and ``write`` open what it needs."""
        return db.session()

    def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on a session that only reads."""
        session = reader()
        with reading(session):
            return work(session)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction."""
        return transact(self.session, lambda: work(self.session))

    def see(self, service: type[Service[Any]], id: int) -> None:
        """Ask whether the caller sees an item that the URL names, beside what it is about.

        Raises:
            NotFound: it isn't there, or is hidden from this caller.
        """
        self.read(lambda session: service(session, self.actor, self.config).see(id))

    def answer(
        self,
        data: Any,
        shape: Model,
        status: int = 200,
        headers: dict[str, str] | None = None,
        cache: str | None = None,
    ) -> Response:
        """Render ``data`` in ``shape``; ``cache`` is a Cache-Control value but the usual one."""
        body = output.dumps(output.plan(shape)(data))
        response = Response(body, status, headers, content_type="application/json")
        if cache:
            response.headers["Cache-Control"] = cache
        return response

    def nothing(self) -> Response:
        """Answer 204."""
        response = Response(status=204)
        del response.headers["Content-Type"]
        return response

    def path(self, *parts: object) -> str:
        """Return the URL path of ``parts`` below where this is mounted, as clients see it."""
        return "/".join((f"{request.root_path}{self.base}", *map(str, parts)))

    def core_path(self, *parts: object) -> str:
        """Return the URL path of ``parts`` of the core, as clients see it."""
        return "/".join((f"{request.root_path}{Endpoint.base}", *map(str, parts)))


class SpecEndpoint(Endpoint):
    """An endpoint of a declared resource."""

    spec: ClassVar[Spec]

    def service(self, session: Session) -> Any:
        """Return the resource's service, acting for the caller."""
        return self.spec.service(session, self.actor, self.config)

    def body(self, shape: Shape, action: str, id: int | None = None) -> dict[str, Any]:
        """Return the checked body; who may not do ``action`` hears that first."""
        model = shape_for(self.actor, shape)
        types = MERGE_PATCH if request.method == "PATCH" else ("application/json",)
        with self.rights_first(action, id):
            return read_body(model, media_types=types)

    @contextmanager
    def rights_first(self, action: str, id: int | None) -> Iterator[None]:
        """Let a refusal of the request wait until it is clear that the caller may do ``action``."""
        try:
            yield
        except ServiceError:
            self.read(lambda session: self.service(session).check(action, id))
            raise

    def refuse_parameters(self, action: str, id: int) -> None:
        """Refuse a query string, where there is none to read. Raises as ``rights_first``."""
        with self.rights_first(action, id):
            query.refuse_any()

    def plan(self, model: Model, mask: str | None) -> Callable[[Any], dict[str, Any]]:
        """Return how rows become JSON values: all of ``model``, or what the mask leaves."""
        mask = mask or request.headers.get("X-Fields")
        return output.masked(model, mask) if mask else output.plan(model)

    def mask(self) -> str | None:
        """Return the mask for the answer to a write; a wrong one is refused before the write."""
        mask: str | None = self.spec.read_item_query()["fields"]
        self.plan(self.spec.output, mask)
        return mask

    def shown(
        self, row: Any, mask: str | None = None, status: int = 200, model: Model | None = None
    ) -> Response:
        """Render one row as an item with its ETag, in ``model`` or as the caller may see it."""
        model = model or self.spec.shown_to(self.actor, row)
        body = output.dumps(self.plan(model, mask)(row))
        response = Response(body, status, content_type="application/json")
        response.headers["ETag"] = item_tag(row.version, body)
        response.headers["Vary"] = "X-Fields"
        if "updated_at" in model:
            last_modified(response, row.updated_at.timestamp())
        return response


class Listing(SpecEndpoint):
    """``GET`` a page, or all pages as a stream (api/streams.py)."""

    is_kept = True

    def get(self, **fixed: Any) -> Response:
        """List {plural}

        `next` is the `cursor` of the page after this one, null on the last. A walk by cursor sees
        everything once, however deep it goes. `total` is counted only when asked for.
        """
        kind = accept.best(accept.LISTS)
        values = self.spec.read_list_query() | fixed
        shape = self.spec.shown_to(self.actor, None)
        if kind == accept.JSON:
            response = self._page(values, shape)
        else:
            response = streams.answer(self, kind, values, shape)
        response.headers["Vary"] = "Accept, X-Fields"
        return response

    def _page(self, values: dict[str, Any], shape: Model) -> Response:
        render = self.plan(shape, values["fields"])
        cursors: pagination.Cursors = current_app.extensions["signpost"].cursors
        scope = pagination.scope_of(request.path, values)
        asked = pagination.query_of(values, cursors, scope)
        page = self.read(lambda session: self.service(session).list(asked))
        cursor = cursors.write(page.next, scope) if page.next else None
        items = [render(row) for row in page.rows]
        body = output.dumps({"items": items, "next": cursor, "total": page.total})
        response = Response(body, content_type="application/json")
        url = f"{request.root_path}{request.path}"
        response.headers["ETag"] = list_tag(body)
        response.headers["Link"] = pagination.links(url, request.args.to_dict(False), page, cursor)
        return conditional(response)


class Collection(Listing):
    """``GET`` a page; ``POST`` a new item if the spec has a ``create`` shape."""

    def post(self, **fixed: Any) -> Response:
        """Create {a}

        Answers what was made, with its URL in `Location`. What is wrong with the body is listed
        completely, field by field.
        """
        self.service(self.session).require("create", None)
        mask = self.mask()
        body = self.body(declared(self.spec.create), "create")
        self.service(self.session).confirm(None, body)
        data = self.spec.service.prepare(body | fixed)

        def work(session: Session) -> Any:
            service = self.service(session)
            return service.created(service.create(data))

        row = self.write(work)
        response = self.shown(row, mask, 201, self.spec.output)  # its maker sees it whole
        response.headers["Location"] = self.path(self.spec.service.type, row.id)
        return response
