"""The resources that are declared, found by their classes, and one of each to try things on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, NamedTuple

from flask.testing import FlaskClient

from api import fields
from api.item import Item
from api.namespaces import CORE
from api.resource import Listing
from api.spec import ByRole, Shape, Spec, declared

API = "/api/v1"
PASSWORD = "a violin in Oslo"


class Declared(NamedTuple):
    """A class of an endpoint that is declared, and its rule."""

    cls: type[Any]
    rule: str

    def __str__(self) -> str:
        return self.rule


def _of(kind: type[Any]) -> Iterator[Declared]:
    for namespace in CORE:
        for found in namespace.resources:
            if issubclass(found.resource, kind):
                yield Declared(found.resource, f"/api{namespace.path}{found.urls[0]}")


LISTS = list(_of(Listing))
ITEMS: dict[str, Spec] = {each.cls.spec.service.type: each.cls.spec for each in _of(Item)}


def filled(rule: str, ids: dict[str, int]) -> str:
    """Return a rule with the id of what its first segment names."""
    noun = rule.removeprefix(f"{API}/").split("/")[0]
    return re.sub(r"<\w+:id>", lambda _: str(ids[noun]), rule)


def members(shape: Shape | None) -> dict[str, fields.Field]:
    """Return what admins may send."""
    model = declared(shape)
    return dict(model.admins if isinstance(model, ByRole) else model)


def change_of(spec: Spec) -> dict[str, Any]:
    """Return a patch that changes an item: the first text that may be anything."""
    for name, field in members(spec.patch).items():
        if isinstance(field, fields.String) and not field.enum:
            return {name: "changed"}
    raise LookupError(f"{spec.name} has no text to change")


def make(caller: FlaskClient, type: str) -> str:
    """Make a new item; return its URL. By a POST of examples, unless it is known to differ."""
    answer = MAKERS.get(type, _by_examples)(caller, type)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def _by_examples(caller: FlaskClient, type: str) -> Any:
    required = {n: f.example for n, f in members(ITEMS[type].create).items() if f.required}
    return caller.post(f"{API}/{type}", json=required)


def _user(caller: FlaskClient, type: str) -> Any:
    body = {"username": "declared", "email": "declared@example.com", "password": PASSWORD}
    return caller.post(f"{API}/{type}", json=body)


def _comment(caller: FlaskClient, type: str) -> Any:
    post = caller.post(f"{API}/posts", json={"title": "T", "body": "b", "status": "published"})
    return caller.post(f"{post.headers['Location']}/{type}", json={"body": "Well said."})


def _file(caller: FlaskClient, type: str) -> Any:
    data = {"files": (BytesIO(b"Hello, world.\n"), "hello.txt")}
    return caller.post(f"{API}/{type}", data=data, content_type="multipart/form-data")


#: Type → makes one by a request, where that takes more than the examples of its shape.
MAKERS: dict[str, Callable[[FlaskClient, str], Any]] = {
    "users": _user,
    "comments": _comment,
    "files": _file,
}
