"""/extensions: what was added to this service, and how it went. Found by api/loading.py."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app
from flask_restx import Namespace

from api import fields, query
from api.describe import answers, page_of
from api.loading import Extension
from api.preconditions import conditional, list_tag
from api.resource import Endpoint, expose

ns = Namespace("Extensions", path="/v1", description="What was added to this service.")

extension = ns.model(
    "Extension",
    {
        "name": fields.String(
            required=True, description="Its URLs are below `/api/<name>`.", example="calculator"
        ),
        "package": fields.String(required=True, example="signpost-calculator"),
        "version": fields.String(required=True, example="0.1.0"),
        "state": fields.String(required=True, enum=["loaded", "failed", "disabled"]),
        "error": fields.String(
            required=True, nullable=True, description="Why it failed; told to admins only."
        ),
    },
)
page = page_of(ns, extension)


@expose(ns, "/extensions", get={"id": "listExtensions", **answers(200, page, 401)})
class ExtensionCollection(Endpoint):
    def get(self) -> Response:
        """List the extensions

        Those that were installed when the service started, in the order of their names.
        """
        query.refuse_any()
        found: list[Extension] = current_app.extensions["signpost"].extensions
        items = [self._told(each) for each in found]
        response = self.answer({"items": items, "next": None, "total": len(items)}, page)
        response.headers["ETag"] = list_tag(response.data)
        return conditional(response)

    def _told(self, found: Extension) -> dict[str, Any]:
        is_admin = self.actor is not None and self.actor.is_at_least("admin")
        return vars(found) | {"error": found.error if is_admin else None}
