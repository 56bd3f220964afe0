"""/tags: what public posts are about. The rules are in services/tags.py."""

from __future__ import annotations

from flask_restx import Namespace

from api import arguments, fields
from api.resource import Listing, expose
from api.spec import Spec
from services.tags import TagService

ns = Namespace("Tags", path="/v1", description="What posts are about, and how many each.")

tag = ns.model(
    "Tag",
    {
        "name": fields.String(
            required=True, description="As it was written first.", example="Python"
        ),
        "posts_count": fields.Integer(
            required=True, description="Posts that everyone sees.", example=3
        ),
    },
)

tags = Spec(
    name="tag",
    service=TagService,
    output=tag,
    filters={
        "prefix": {"type": arguments.Text(50), "help": "Tags that start so, whatever the case."},
    },
)


@expose(ns, "/tags")
class Tags(Listing):
    spec = tags
