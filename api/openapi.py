"""The two specifications: built and checked once at the start, then served as ready bytes.

api/swagger.py completes what Flask-RESTX generates (Swagger 2.0), api/openapi31.py converts that to
OpenAPI 3.1. Both describe the core and all extensions, with ``/api`` as the server.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, request
from flask_restx import Api
from flask_restx.swagger import Swagger, extract_path

from api.examples import exemplify
from api.functions import described, heading
from api.mounted import all_of
from api.openapi31 import convert
from api.swagger import METHODS, Document, complete, offer_password, operations
from config import Config

#: Path under which RESTX mounts every namespace.
BASE = "/api"
TOKEN = f"{BASE}/v1/auth/token"


class SpecError(RuntimeError):
    """The API cannot be described; the start ends here, naming every fault."""


def install(app: Flask, api: Api, config: Config) -> None:
    """Describe the API and serve both descriptions.

    Raises:
        SpecError: an operation or a model is not fit to be published.
    """
    swagger = complete(_described(app, api), config.prefix + BASE)
    swagger = exemplify(swagger, config.PUBLIC_URL)
    _check(api, swagger)
    path = config.prefix + TOKEN
    documents = {"openapi.json": convert(offer_password(swagger, path)), "swagger.json": swagger}
    if config.PUBLIC_URL:
        documents["swagger.json"] = offer_password(swagger, config.PUBLIC_URL + TOKEN)
    for name, document in documents.items():
        view = _serve(orjson.dumps(document))
        app.add_url_rule(f"{BASE}/v1/{name}", endpoint=name.replace(".", "_"), view_func=view)


def _described(app: Flask, api: Api) -> Document:
    """Return what RESTX generates. Its own ``api.__schema__`` would turn a failure into data."""
    with app.test_request_context():
        document: Document = Swagger(api).as_dict()
    # RESTX sorts the paths by name; people read them as they are declared.
    declared = (
        extract_path(url)
        for namespace in api.namespaces
        for resource in namespace.resources
        for url in api.ns_urls(namespace, resource.urls)
    )
    paths = document["paths"]
    found = {path: paths[path] for path in declared}
    for name, mounted in all_of(app).items():
        if isinstance(mounted.extension.namespace, Blueprint):
            found |= described(app, name)
            document["tags"].append(heading(mounted.extension))
    _tell_apart(found, set(all_of(app)))
    return document | {"paths": found}


def _tell_apart(paths: Document, extensions: set[str]) -> None:
    """Give operations of one class of an extension, at several URLs, an id each."""
    seen: Counter[str] = Counter()
    for path, item in paths.items():
        if path.split("/", 2)[1] in extensions:
            for operation in (item[method] for method in METHODS if method in item):
                seen[operation["operationId"]] += 1
                if (count := seen[operation["operationId"]]) > 1:
                    operation["operationId"] += str(count)


def _check(api: Api, document: Document) -> None:
    found = list(operations(document))
    ids = Counter(operation["operationId"] for _, _, operation in found)
    faults = [f"{count} operations are called {name}" for name, count in ids.items() if count > 1]
    faults += [
        f"{method.upper()} {path} has no summary: its handler needs a docstring"
        for method, path, operation in found
        if not operation.get("summary")
    ]
    faults += _clashes(api)
    if faults:
        raise SpecError("The API cannot be described: " + "; ".join(faults))


def _clashes(api: Api) -> list[str]:
    """Find models of one name that differ: RESTX would publish, and use, the last one for both."""
    seen: dict[str, tuple[str, Any]] = {}
    faults = []
    for namespace in api.namespaces:
        for name, model in namespace.models.items():
            owner, other = seen.setdefault(name, (namespace.name, model))
            if model is not other and model.__schema__ != other.__schema__:
                faults.append(f"{owner} and {namespace.name} both have a model {name}")
    return faults


def _serve(body: bytes) -> Callable[[], Response]:
    etag = hashlib.sha256(body).hexdigest()[:32]

    def specification() -> Response:
        response = Response(body, content_type="application/json")
        response.set_etag(etag)
        response.headers["Cache-Control"] = "public, no-cache"
        response.make_conditional(request)
        return response

    return specification
