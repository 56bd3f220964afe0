"""Plain functions of a Flask blueprint as an extension: who may call them, what they return."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Flask
from flask_restx.swagger import extract_path, extract_path_params

from api import auth
from api.access import ANYONE, needed
from api.loading import Extension
from api.replies import reply

Document = dict[str, Any]
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def mount(app: Flask, blueprint: Blueprint, name: str) -> None:
    """Register a blueprint below ``/api/<name>``, its functions guarded as resources are."""
    app.register_blueprint(blueprint, url_prefix=f"/api/{name}", name=name)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{name}."):
            app.view_functions[endpoint] = auth.guard(_replying(view))


def _replying(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def replying(*args: Any, **kwargs: Any) -> Any:
        return reply(view(*args, **kwargs))

    return replying


def described(app: Flask, name: str) -> dict[str, Document]:
    """Return what RESTX would say about the functions of an extension: path → its operations."""
    paths: dict[str, Document] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{name}."):
            view = app.view_functions[rule.endpoint]
            path = extract_path(rule.rule.removeprefix("/api"))
            known = paths.setdefault(path, {"parameters": _parameters(rule.rule)})
            for verb in sorted((rule.methods or set()) & set(_VERBS)):
                known[verb.lower()] = _operation(name, verb, view)
    return paths


def heading(extension: Extension) -> Document:
    """Return the heading of its group."""
    told = getattr(sys.modules[extension.module], "__doc__", None) or ""
    return {"name": extension.name, "description": told.strip().partition("\n")[0]}


def _parameters(rule: str) -> list[Document]:
    return [
        {**told, "name": key, "in": "path", "required": True}
        for key, told in extract_path_params(rule).items()
    ]


def _operation(name: str, verb: str, view: Callable[..., Any]) -> Document:
    first, _, rest = (view.__doc__ or f"{verb.title()} {view.__name__}").strip().partition("\n")
    operation: Document = {
        "summary": first,
        "operationId": f"{name}_{verb.lower()}_{view.__name__}",
        "tags": [name],
        "responses": {"200": {"description": "OK"}},
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if needed(view, verb) != ANYONE:
        operation["security"] = [{"bearer": []}]
    return operation
