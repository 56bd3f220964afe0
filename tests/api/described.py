"""A small API with a bit of everything that can be described, for tests of the specifications."""

# mypy: disable-error-code="untyped-decorator"
# RESTX, whose decorators these are, is untyped.

from __future__ import annotations

from typing import Any

from flask_restx import Model, Namespace, Resource, reqparse
from flask_restx import fields as restx

from api import fields
from api.swagger import CONSUMES

PATCHES = ["application/merge-patch+json", "application/json", "application/json-patch+json"]
FORMS = ["application/x-www-form-urlencoded", "application/json"]


class Odd(restx.Raw):  # type: ignore[misc]  # RESTX is untyped
    """A field of an extension, in JSON Schema's words rather than Swagger 2.0's."""

    def schema(self) -> dict[str, Any]:
        return {"type": ["integer", "null"], "exclusiveMinimum": 0}


class Either(restx.Raw):  # type: ignore[misc]  # RESTX is untyped
    """Another one: an object or null."""

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"$ref": "#/definitions/Owner"}, {"type": "null"}]}


def things() -> Namespace:
    """Return the namespace."""
    ns = Namespace("things", path="/v1/things", description="Things.")
    thing = _thing(ns)
    ns.add_resource(_collection(ns, thing), "")
    ns.add_resource(_item(ns, thing), "/<int:id>")
    return ns


def _thing(ns: Namespace) -> Model:
    owner = fields.shape(ns, "Owner", name=fields.String(required=True))
    return fields.shape(
        ns,
        "Thing",
        id=fields.Integer(required=True, min=1, readonly=True),
        name=fields.String(required=True, max_length=10, example="hammer"),
        colour=fields.String(enum=("red", "blue"), nullable=True),
        at=fields.DateTime(nullable=True),
        owner=fields.Nested(owner, nullable=True, description="Who has it."),
        tags=fields.List(fields.String(max_length=5), max_items=3),
        more=fields.Raw(),
    )


def _collection(ns: Namespace, thing: Model) -> type[Resource]:
    query = reqparse.RequestParser()
    query.add_argument("colour", action="append", choices=("red", "blue"), location="args")
    query.add_argument("limit", type=int, location="args", required=True)

    class Things(Resource):  # type: ignore[misc]  # RESTX is untyped
        @ns.doc(id="listThings")
        @ns.expect(query)
        @ns.response(200, "OK", [thing], headers={"Link": {"type": "string", "description": "x"}})
        def get(self) -> None:
            """List things"""

        @ns.doc(id="createThing", security="bearer")
        @ns.expect(thing)
        @ns.response(201, "Created", thing)
        @ns.response(409, "Taken")
        def post(self) -> None:
            """Create a thing"""

    return Things


def _item(ns: Namespace, thing: Model) -> type[Resource]:
    odd = ns.model("Odd", {"odd": Odd(), "either": Either()})
    form = reqparse.RequestParser()
    form.add_argument("username", location="form", required=True, help="Or email.")
    form.add_argument("scope", location="form")

    class ThingItem(Resource):  # type: ignore[misc]  # RESTX is untyped
        @ns.doc(id="patchThing", security="bearer", vendor={CONSUMES: PATCHES})
        @ns.expect(thing)
        @ns.response(200, "OK", odd)
        def patch(self, id: int) -> None:
            """Change a thing"""

        @ns.doc(id="signIn", security=[], vendor={CONSUMES: FORMS})
        @ns.expect(form)
        def post(self, id: int) -> None:
            """Sign in"""

    return ThingItem
