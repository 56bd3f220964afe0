"""Declared resources for tests of what holds for all of them: one of each is made and changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api import fields
from api.spec import ByRole, Shape, Spec, declared
from models import Change
from signpost.contract.answers import data
from signpost.contract.subject import Declared, Subject

API = "/api/v1"

#: Makes one of a type by a request and returns the answer: ``make(caller, type)``.
Maker: TypeAlias = Callable[[FlaskClient, str], Any]


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


def make(caller: FlaskClient, subject: Subject, type: str, makers: Mapping[str, Maker]) -> str:
    """Make a new item; return its URL. By a POST of examples, unless a maker is named."""
    maker = makers.get(type)
    answer = maker(caller, type) if maker else make_by_examples(caller, subject, type)
    assert answer.status_code == 201, f"{type}, named in makers? {answer.text}"
    return str(answer.headers["Location"])


def make_by_examples(caller: FlaskClient, subject: Subject, type: str) -> Any:
    """Post what a collection needs, as its shape's examples have it."""
    spec = subject.items[type].cls.spec
    required = {n: f.example for n, f in members(spec.create).items() if f.required}
    (url,) = (each.rule for each in subject.lists if is_collection_of(each, spec))
    return caller.post(url, json=required)


def is_collection_of(each: Declared, spec: Spec) -> bool:
    """Whether a list takes new items of a resource, at a URL without variables."""
    return each.cls.spec is spec and "POST" in each.cls.methods and "<" not in each.rule


def fill(rule: str, ids: Mapping[str, int]) -> str:
    """Return a rule with the id of what the segment before it names."""
    return re.sub(r"(\w+)/<\w+:id>", lambda found: f"{found[1]}/{ids[found[1]]}", rule)


def id_of(url: str) -> int:
    """Return the id at the end of a URL."""
    return int(url.rsplit("/", 1)[1])


def lived(caller: FlaskClient, url: str, type: str, spec: Spec) -> None:
    """Change an item, delete it and bring it back."""
    data(caller.patch(url, json=change_of(spec)))
    assert caller.delete(url).status_code == 204
    data(caller.post(f"{API}/trash/{type}/{id_of(url)}/restoration"))


def logged(session: Session, type: str, url: str) -> list[tuple[str, int]]:
    """Return what the log says of an item: operation and version, in order."""
    rows = sa.select(Change.op, Change.version).order_by(Change.seq)
    found = session.execute(rows.where(Change.type == type, Change.id == id_of(url))).all()
    session.rollback()
    return [(op, version) for op, version in found]


def unversioned(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without what every change changes."""
    return {name: value for name, value in item.items() if name not in {"version", "updated_at"}}


def body_of(spec: Spec, verb: str, seen: dict[str, Any]) -> dict[str, Any]:
    """Return a body that changes what was seen once more."""
    change = change_of(spec)
    if verb == "patch":
        return {name: f"{text}-again" for name, text in change.items()}
    required = [name for name, field in members(spec.replace).items() if field.required]
    return {name: seen[name] for name in required} | {n: f"{t}-again" for n, t in change.items()}
