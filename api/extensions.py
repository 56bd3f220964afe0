"""/extensions: what was added to this service, and how it went. Found by api/loading.py."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request
from flask_restx import Namespace

from api import arguments, fields, pagination, query
from api.describe import answers, page_of
from api.loading import Extension
from api.pagination import DEEPEST
from api.preconditions import conditional, list_tag
from api.resource import Endpoint, expose

ns = Namespace("Extensions", path="/v1", description="What was added to this service.")

extension = ns.model(
    "InstalledExtension",  # "Extension" is a word of its own in some languages
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
_query = arguments.parser()
_query.add_argument("limit", arguments.Whole(1, 100), default=20, help="Items a page.")
_query.add_argument("cursor", arguments.Cursor(), help="`next` of the page before.")
_further = "Follow the cursor in `next` to go deeper."
_query.add_argument("page", arguments.Whole(1, DEEPEST, _further), help="Page by number, from 1.")
_query.add_argument("total", arguments.flag, default=False, help="Count them all.")
_read = query.compile(_query)
_page = page_of(ns, extension)


@expose(
    ns,
    "/extensions",
    get={"id": "listExtensions", "expect": [_query], **answers(200, _page, 304, 401)},
)
class ExtensionCollection(Endpoint):
    def get(self) -> Response:
        """List the extensions

        Those that were installed when the service started, in the order of their names.
        """
        values = _read() | {"sort": None}
        own = current_app.extensions["signpost"]
        scope = pagination.scope_of(request.path, values)
        asked = pagination.query_of(values, own.cursors, scope)
        start = int(asked.after[0]) if asked.after else ((asked.page or 1) - 1) * asked.limit
        end, found = start + asked.limit, own.extensions
        following = own.cursors.write((end, 0), scope) if end < len(found) else None
        items = [self._told(each) for each in found[start:end]]
        total = len(found) if asked.total else None
        response = self.answer({"items": items, "next": following, "total": total}, _page)
        response.headers["ETag"] = list_tag(response.data)
        return conditional(response)

    def _told(self, found: Extension) -> dict[str, Any]:
        is_admin = self.actor is not None and self.actor.is_at_least("admin")
        return vars(found) | {"error": found.error if is_admin else None}
