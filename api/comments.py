"""/posts/{id}/comments and /comments: talk about posts. The rules are in services/comments.py."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_restx import Namespace

from api import arguments, fields
from api.describe import creates, lists
from api.fields import patch_of
from api.item import Item
from api.posts import author
from api.resource import Collection, expose
from api.rights import Rights, rights_of
from api.spec import Spec
from services.comments import CommentService
from services.posts import PostService

ns = Namespace("Comments", path="/v1", description="What readers say about posts, in threads.")


def _body() -> dict[str, Any]:
    body = fields.String(
        required=True,
        min_length=1,
        max_length=5_000,
        multiline=True,
        description="Plain text.",
        example="Well said.",
    )
    return {"body": body}


def _parent(*, required: bool) -> dict[str, Any]:
    parent = fields.Integer(
        required=required,
        nullable=True,
        readonly=required,
        min=1,
        description="The comment that it answers, on the same post; null: the post itself.",
        example=None,
    )
    return {"parent_id": parent}


comment = ns.model(
    "Comment",
    {
        "id": fields.Integer(required=True, readonly=True, example=42),
        "post_id": fields.Integer(required=True, readonly=True, example=1),
        **_parent(required=True),
        **_body(),
        "author": fields.Inline(author, required=True, readonly=True),
        "version": fields.Integer(required=True, readonly=True, example=1),
        "created_at": fields.DateTime(required=True, readonly=True),
        "updated_at": fields.DateTime(required=True, readonly=True),
    },
)
comment_input = ns.model("CommentInput", {**_parent(required=False), **_body()})
comment_replacement = ns.model("CommentReplacement", _body())

comments = Spec(
    name="comment",
    service=CommentService,
    output=comment,
    create=comment_input,
    replace=comment_replacement,
    patch=patch_of(ns, "CommentPatch", comment_replacement),
    filters={
        "parent_id": {"type": arguments.identifier, "help": "Answers to this comment."},
        "author_id": {"type": arguments.identifier, "help": "Comments of this user."},
        "ids": {
            "type": arguments.Identifiers(),
            "help": "Comments of these ids: `1,2,3`.",
        },
    },
)


@expose(
    ns,
    "/posts/<id:id>/comments",
    get=lists(ns, comments, "listComments", 404),
    post=creates(comments, 404),
)
class PostComments(Collection):
    spec = comments

    def get(self, **path: Any) -> Response:
        """List the comments of a post

        The oldest first. Answers to a comment name it as `parent_id`, also when it is gone.
        """
        self.see(PostService, path["id"])
        return super().get(post_id=path["id"])

    def post(self, **path: Any) -> Response:
        """Comment on a post

        Whoever is signed in and sees the post may. `parent_id` makes it the answer to another
        comment on the same post.
        """
        self.see(PostService, path["id"])
        return super().post(post_id=path["id"])


@expose(ns, "/comments/<id:id>")
class CommentItem(Item):
    spec = comments


@expose(ns, "/comments/<id:id>/can", get=rights_of(ns, "getCommentRights"))
class CommentRights(Rights):
    spec = comments
