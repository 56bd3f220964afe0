"""Routes and documentation of an endpoint class, from what it declares."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from flask_restx import Model, Namespace

from api import fields
from api.accept import LISTS
from api.problems import CODES
from api.swagger import CONSUMES, EXAMPLE, JSON_PATCH, MERGE_PATCH_TYPES
from services.registry import TYPES

if TYPE_CHECKING:
    from api.spec import Shape, Spec

R = TypeVar("R", bound=type[Any])

_ETAG = {
    "description": 'Version and variant: `"3-9f86d081"`; send it back in `If-Match`.',
    "type": "string",
}
_LINK = {"description": "Further pages (RFC 8288).", "type": "string"}
_MODIFIED = {"description": "When it changed last.", "type": "string"}
_ITEM_HEADERS = {"ETag": _ETAG, "Last-Modified": _MODIFIED}
_IF_MATCH = {
    "in": "header",
    "type": "string",
    "description": "ETag that you read last: 412 if it has changed since.",
}
_IF_NONE_MATCH = {"in": "header", "type": "string", "description": "304 if it is still that one."}
_ID = {
    "in": "path",
    "type": "integer",
    "minimum": 1,
    "maximum": 2**53 - 1,
    "description": "Its id. The console offers the newest; the first one made is 1.",
    EXAMPLE: 1,
}
USER_ID = {
    "in": "path",
    "type": "string",
    "pattern": "^(me|[1-9][0-9]{0,15})$",
    "description": "Its id, or `me` for your own.",
    EXAMPLE: "2",
}
#: What parameters in a path may look like, by name.
_LOOKS = {"slug": "hello-world", "username": "ada", "name": "harbour.jpg"}


def expose(ns: Namespace, *urls: str, **docs: dict[str, Any]) -> Callable[[R], R]:
    """Register an endpoint class under ``urls`` and document its verbs.

    Args:
        docs: verb → what is to be said beside what the spec implies (``summary`` comes from the
            docstring of the verb).
    """

    def decorate(cls: R) -> R:
        spec: Spec | None = getattr(cls, "spec", None)
        inherited = _implied(ns, cls, spec) if spec else {}
        cls.methods = {verb for verb in cls.methods if _exists(cls, verb)}
        for verb in (verb.lower() for verb in cls.methods):
            said = _base(cls, verb, spec) | inherited.get(verb, {}) | docs.get(verb, {})
            _attach(cls, verb, said)
        ns.doc(params=_path_params(urls[0]))(cls)
        ns.route(*urls)(cls)
        return cls

    return decorate


def answers(success: int, model: Model | None, *failures: int, **headers: Any) -> dict[str, Any]:
    """Return the documentation of a verb's answers; failures are problems."""
    said: dict[str, Any] = {}
    if headers:
        said["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    listed: dict[str, Any] = {str(success): (HTTPStatus(success).phrase, model, said)}
    listed |= {
        str(status): (_titles(status), None, {}) for status in sorted({*failures, 400, 500, 503})
    }
    return {"responses": listed}


def page_of(ns: Namespace, item: Model) -> Model:
    """Return the model of a page of ``item``."""
    return ns.model(
        f"{item.name}Page",
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(
                required=True, nullable=True, description="`cursor` of the next page."
            ),
            "total": fields.Integer(
                required=True, nullable=True, description="All matches, with `total=true`."
            ),
        },
    )


def _titles(status: int) -> str:
    titles = [kind.title for kind in CODES.values() if kind.status == status]
    return " / ".join(titles) or HTTPStatus(status).phrase


def _exists(cls: type[Any], verb: str) -> bool:
    spec: Spec | None = getattr(cls, "spec", None)
    shape = {"POST": "create", "PUT": "replace", "PATCH": "patch"}.get(verb)
    own = verb.lower() in cls.__dict__
    return own or spec is None or shape is None or getattr(spec, shape) is not None


def _attach(cls: type[Any], verb: str, said: dict[str, Any]) -> None:
    """Give the class a method of its own, since inherited ones would share their documentation."""
    method = getattr(cls, verb)

    def handler(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *args, **kwargs)

    handler.__name__, handler.__qualname__ = verb, f"{cls.__qualname__}.{verb}"
    handler.__doc__ = said.pop("summary")
    handler.__apidoc__ = {**getattr(method, "__apidoc__", {}), **said}  # type: ignore[attr-defined]
    setattr(cls, verb, handler)


def _base(cls: type[Any], verb: str, spec: Spec | None) -> dict[str, Any]:
    said: dict[str, Any] = {"summary": getattr(cls, verb).__doc__}
    if spec:
        article = "an" if spec.name[0] in "aeio" else "a"
        said["summary"] = said["summary"].format(
            a=f"{article} {spec.name}", plural=spec.service.type
        )
    if verb.upper() not in cls.anonymous:
        said["security"] = "bearer"
    elif not getattr(cls, "takes_token", True):
        said["security"] = []
    return said


def lists(ns: Namespace, spec: Spec, id: str, *failures: int) -> dict[str, Any]:
    """Return the documentation of a verb that answers a page of a resource."""
    statuses = (304, 401, 406, *failures)
    said = answers(200, page_of(ns, spec.output), *statuses, ETag=_ETAG, Link=_LINK)
    return {
        "id": id,
        "produces": [*LISTS, "application/problem+json"],
        "expect": [spec.list_parser],
        "params": {"If-None-Match": _IF_NONE_MATCH},
    } | said


def reads(spec: Spec, id: str, *others: int) -> dict[str, Any]:
    """Return the documentation of a verb that answers one item of a resource."""
    said = answers(200, spec.output, 304, 401, 404, *others, **_headers())
    return {
        "id": id,
        "expect": [spec.item_parser],
        "params": {"If-None-Match": _IF_NONE_MATCH},
    } | said


def creates(spec: Spec, *failures: int) -> dict[str, Any]:
    """Return the documentation of a verb that makes one item of a resource."""
    statuses = (401, 403, 409, 413, 415, 507, *failures)
    return {
        "id": f"create{_name(spec)}",
        "expect": [*_expect(spec.create), spec.item_parser],
        **answers(201, spec.output, *statuses, **_headers()),
    }


def _name(spec: Spec) -> str:
    return spec.name.title().replace(" ", "")


def _implied(ns: Namespace, cls: type[Any], spec: Spec) -> dict[str, dict[str, Any]]:
    from api.item import Item
    from api.resource import Collection, Listing

    listed = {"get": lists(ns, spec, f"list{spec.service.type.title()}")}
    if issubclass(cls, Collection):
        return listed | {"post": creates(spec)}
    if issubclass(cls, Listing):
        return listed
    return _item(spec, _name(spec)) if issubclass(cls, Item) else {}


def _item(spec: Spec, name: str) -> dict[str, dict[str, Any]]:
    changed = answers(200, spec.output, 401, 403, 404, 409, 412, 413, 415, 428, 507, **_headers())
    matched = {"params": {"If-Match": _IF_MATCH}}
    merged = {"vendor": {CONSUMES: [*MERGE_PATCH_TYPES, JSON_PATCH]}}
    deleted = answers(204, None, 401, 403, 404, 409, 412, 428, 507, Link=_LINK)
    return {
        "get": reads(spec, f"get{name}"),
        "put": {
            "id": f"replace{name}",
            "expect": [*_expect(spec.replace), spec.item_parser],
            **matched,
            **changed,
        },
        "patch": {
            "id": f"patch{name}",
            "expect": [*_expect(spec.patch), spec.item_parser],
            **matched,
            **merged,
            **changed,
        },
        "delete": {"id": f"delete{name}", **matched, **deleted},
    }


def _headers() -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in _ITEM_HEADERS.items()}


def _expect(shape: Shape | None) -> list[Any]:
    """Document the widest shape: what an admin may send."""
    if shape is None:
        return []
    return [shape if isinstance(shape, Model) else shape.admins]


def _path_params(url: str) -> dict[str, dict[str, Any]]:
    """Describe what stands in a URL: ``<id:id>``, ``<slug>``, ``<kind:kind>``."""
    params = {name: _told(name) for name in re.findall(r"<(\w+)>", url)}
    if "<kind:kind>" in url:
        params["kind"] = _told("kind") | {"enum": TYPES, EXAMPLE: next(iter(TYPES))}
    if "<id:id>" in url:
        params["id"] = _ID
    return params | ({"id": USER_ID} if "<user_id:id>" in url else {})


def _told(name: str) -> dict[str, Any]:
    looks = {EXAMPLE: _LOOKS[name]} if name in _LOOKS else {}
    return {"in": "path", "type": "string", "description": f"Its {name}."} | looks
