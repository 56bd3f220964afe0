"""/trash: what was deleted; bring it back or remove it for good. Rules: services/trash.py."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app
from flask_restx import Namespace
from sqlalchemy.orm import Session

from api import arguments, fields, query
from api.describe import answers, reads
from api.output import dumps
from api.preconditions import conditional, last_modified, list_tag
from api.resource import Listing, SpecEndpoint, expose
from api.spec import Spec, with_fields
from services.registry import TYPES
from services.trash import TrashService

ns = Namespace(
    "Trash", path="/v1", description="What was deleted: bring it back, or remove it for good."
)

deletion = ns.model(
    "Deletion",
    {
        "type": fields.String(required=True, example="posts"),
        "id": fields.Integer(required=True, attribute="item_id", example=42),
        "title": fields.String(required=True, example="Hello, world"),
        "deleted_at": fields.DateTime(required=True),
        "deleted_by": fields.Integer(
            required=True,
            nullable=True,
            description="A user's id; null: the command line.",
            example=7,
        ),
        "children_count": fields.Integer(
            required=True,
            description="How many items went with it, and would come back.",
            example=0,
        ),
    },
)
restored = ns.model(
    "Restored",
    {
        "id": fields.Integer(required=True, example=42),
        "version": fields.Integer(required=True, description="And what else it shows.", example=3),
    },
)
trash = Spec(
    name="deletion",
    service=TrashService,
    output=deletion,
    filters={
        # Extensions may add types still.
        "types": {"type": arguments.Choices(TYPES), "help": "Only of these types."},
    },
)
_SIGNED_IN: frozenset[str] = frozenset()
_LIST = """List what you may bring back

Only the roots of deletions: what went with one comes back with it.
"""
_URL = "/trash/<kind:kind>/<id:id>"
_slug = arguments.parser()
_slug.add_argument(
    "slug", arguments.Slug(), help="For a post whose slug is taken by now; see `suggestion`."
)
read_restoration = query.compile(with_fields(_slug))


@expose(ns, "/trash", get={"summary": _LIST})
class Trash(Listing):
    spec = trash
    anonymous = _SIGNED_IN


@expose(
    ns,
    _URL,
    get=reads(trash, "getDeletion", 409),
    delete={"id": "purgeItem", **answers(204, None, 401, 403, 404, 409)},
)
class TrashItem(SpecEndpoint):
    spec = trash
    anonymous = _SIGNED_IN

    def get(self, kind: str, id: int) -> Response:
        """Get the root of a deletion

        `kind` and `id` are those of the item that was deleted.
        """
        render = self.plan(deletion, self.spec.read_item_query()["fields"])
        row = self.read(lambda session: self.service(session).find(kind, id))
        body = dumps(render(row))
        headers = {"ETag": list_tag(body), "Vary": "X-Fields"}
        response = Response(body, headers=headers, content_type="application/json")
        last_modified(response, row.deleted_at.timestamp())
        return conditional(response)

    def delete(self, kind: str, id: int) -> Response:
        """Remove a deleted item for good

        With all that went with it, its history too. This cannot be undone.
        """
        query.refuse_any()
        self.write(lambda session: self.service(session).purge(kind, id))
        return self.nothing()


@expose(
    ns,
    f"{_URL}/restoration",
    post={
        "id": "restoreItem",
        "expect": [_slug],
        **answers(200, restored, 401, 403, 404, 409, 507),
    },
)
class Restoration(SpecEndpoint):
    spec = trash
    anonymous = _SIGNED_IN

    def post(self, kind: str, id: int) -> Response:
        """Bring back an item

        With all that its deletion took. If another post has its slug by now, `slug` gives it a new
        one. Answers the item.
        """
        values = read_restoration()
        spec: Spec = current_app.extensions["signpost"].specs[kind]
        model = spec.shown_to(self.actor, None)
        self.plan(model, values["fields"])  # a wrong mask is refused before anything comes back

        def work(session: Session) -> Any:
            self.service(session).restore(kind, id, values["slug"])
            return spec.service(session, self.actor, self.config).row(id)

        return self.shown(self.write(work), values["fields"], model=model)
