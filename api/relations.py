"""Relations between users and something: entered and left by PUT and DELETE, listed as users."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_restx import Model, Namespace

from api import arguments, fields
from api.describe import answers
from api.resource import Listing, SpecEndpoint
from api.users import profile

#: What lists of users can be narrowed by.
FILTERS = {
    "ids": {"type": arguments.Identifiers(), "help": "Of these users only: `1,2,3`."},
}


def person(ns: Namespace, name: str, since: str) -> Model:
    """Return the shape of a user in a list, with the time called ``since`` when it began."""
    public = {each: field for each, field in profile.items() if each != "snippet"}
    began = fields.DateTime(required=True, attribute="since")
    return ns.model(name, {**public, since: began})


def changes(enter: str, leave: str, *failures: int) -> dict[str, Any]:
    """Return the documentation of both verbs of a ``Link``, whose operation ids these are."""
    said = answers(204, None, 401, 404, 507, *failures)
    return {"put": {"id": enter, **said}, "delete": {"id": leave, **said}}


class Link(SpecEndpoint):
    """The caller's own relation; both of its verbs may be repeated."""

    def enter(self, id: int) -> Response:
        """Make it; who may not see what has this id hears that before all else."""
        self.refuse_parameters("read", id)
        self.write(lambda session: self.service(session).relate(id))
        return self.nothing()

    def leave(self, id: int) -> Response:
        """End it."""
        self.refuse_parameters("read", id)
        self.write(lambda session: self.service(session).part(id))
        return self.nothing()


class People(Listing):
    """``GET`` the users in a relation to what the URL names."""

    def get(self, **path: Any) -> Response:
        """List {plural}"""
        with self.rights_first("read", path["id"]):
            return super().get(of=path["id"])
