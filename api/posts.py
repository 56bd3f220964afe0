"""/posts: read and write posts. The rules are in services/posts.py."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_restx import Namespace

from api import arguments, fields
from api.describe import reads
from api.fields import patch_of
from api.item import Item
from api.preconditions import conditional
from api.resource import Collection, SpecEndpoint, expose
from api.rights import Rights, rights_of
from api.spec import Spec
from services.posts import STATUSES, PostService

ns = Namespace(
    "Posts", path="/v1", description="Texts in Markdown: drafted, scheduled, published, archived."
)

author = ns.model(
    "Author",
    {
        "id": fields.Integer(required=True, attribute="author_id", example=7),
        "username": fields.String(required=True, attribute="author_username", example="ada"),
        "name": fields.String(required=True, nullable=True, attribute="author_name", example="Ada"),
        "avatar_url": fields.FileContent(required=True, nullable=True, example=None),
    },
)


def _texts(*, required: bool) -> dict[str, Any]:
    return {
        "title": fields.String(required=True, min_length=1, max_length=200, example="Hello, world"),
        "body": fields.String(
            required=True,
            min_length=1,
            max_length=100_000,
            multiline=True,
            description="Markdown.",
            example="The *first* post.",
        ),
        "slug": fields.String(
            required=required,
            kind="slug",
            description="Made from the title if absent.",
            example="hello-world" if required else None,  # one that is free differs each time
        ),
        "excerpt": fields.String(
            required=required,
            max_length=500,
            multiline=True,
            resettable=True,
            description="Made from the body if absent.",
            example="The first post.",
        ),
    }


def _writable(*, required: bool) -> dict[str, Any]:
    """Return what may be written; in an answer all of it is present."""
    return {
        **_texts(required=required),
        "status": fields.String(
            required=required, enum=["draft", "published", "archived"], example="published"
        ),
        "published_at": fields.DateTime(
            required=required,
            nullable=True,
            description="In the future: scheduled. Now, if absent when it is published.",
        ),
        "tags": fields.List(
            fields.String(min_length=1, max_length=50, kind="tag"),
            required=required,
            max_items=20,
            resettable=True,
            description="Shown as written; the same whatever the case.",
            example=["python", "Flask"],
        ),
        "cover_id": fields.Integer(
            required=required,
            nullable=True,
            min=1,
            description="A picture among your own files, or null.",
            example=None,
        ),
    }


post = ns.model(
    "Post",
    {
        "id": fields.Integer(required=True, readonly=True, example=42),
        **_writable(required=True),
        "html": fields.String(
            required=True,
            readonly=True,
            description="Rendered, sanitised.",
            example="<p>The <em>first</em> post.</p>",
        ),
        "author": fields.Inline(author, required=True, readonly=True),
        "cover_url": fields.FileContent(
            required=True,
            readonly=True,
            nullable=True,
            description="Where the cover is; null without one, or while it is in the trash.",
            example=None,
        ),
        "comments_count": fields.Integer(required=True, readonly=True, example=0),
        "likes_count": fields.Integer(required=True, readonly=True, example=0),
        "snippet": fields.snippet(),
        "liked": fields.Boolean(
            required=True, readonly=True, nullable=True, description="Null when anonymous."
        ),
        "version": fields.Integer(required=True, readonly=True, example=1),
        "created_at": fields.DateTime(required=True, readonly=True),
        "updated_at": fields.DateTime(required=True, readonly=True),
    },
)
post_input = ns.model("PostInput", _writable(required=False))

posts = Spec(
    name="post",
    service=PostService,
    output=post,
    create=post_input,
    replace=post_input,
    patch=patch_of(ns, "PostPatch", post_input),
    filters={
        "status": {
            "type": arguments.choice(*STATUSES),
            "default": "published",
            "help": "Others than published: your own, all for editors.",
        },
        "author_id": {"type": arguments.identifier, "help": "Posts of this user."},
        "author": {"type": arguments.Text(40), "help": "Posts of the user with this name."},
        "tag": {
            "type": arguments.Text(50),
            "action": "append",
            "help": "Posts with this tag; several: with all of them.",
        },
        "published_after": {"type": arguments.timestamp, "help": "Published later than this."},
        "published_before": {"type": arguments.timestamp, "help": "Published before this."},
        "updated_after": {"type": arguments.timestamp, "help": "Changed later than this."},
        "ids": {"type": arguments.Identifiers(), "help": "Posts with one of these ids: `1,2,3`."},
    },
)


@expose(ns, "/posts")
class PostCollection(Collection):
    spec = posts


@expose(ns, "/posts/<id:id>")
class PostItem(Item):
    spec = posts


@expose(ns, "/posts/<id:id>/can", get=rights_of(ns, "getPostRights"))
class PostRights(Rights):
    spec = posts


@expose(ns, "/posts/by-slug/<slug>", get=reads(posts, "getPostBySlug", 301))
class PostBySlug(SpecEndpoint):
    spec = posts
    is_kept = True

    def get(self, slug: str) -> Response:
        """Get a post by its slug

        A slug that the post had before answers 301 to the present one.
        """
        mask = self.spec.read_item_query()["fields"]
        row, is_former = self.read(lambda session: self.service(session).by_slug(slug))
        if is_former:
            self.plan(self.spec.output, mask)  # a wrong one is refused here, too
            return self.moved(self.path("posts", "by-slug", row.slug))
        return conditional(self.shown(row, mask))

    def moved(self, path: str) -> Response:
        """Answer 301; it may be kept, but must be asked after."""
        query = request.query_string.decode("latin-1")
        where = f"{path}?{query}" if query else path
        response = Response(status=301, headers={"Location": where, "Cache-Control": "no-cache"})
        response.headers["Vary"] = "Authorization"  # a draft's is its author's to see
        del response.headers["Content-Type"]
        return response
