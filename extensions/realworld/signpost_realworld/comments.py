"""/articles/<slug>/comments: read, write and delete comments."""

from __future__ import annotations

from typing import Any

from signpost import expose, plan
from signpost_realworld import bodies, shapes
from signpost_realworld.endpoint import ConduitEndpoint
from signpost_realworld.namespace import ns
from signpost_realworld.rules.remarks import RemarkService
from signpost_realworld.shapes import answers


@expose(
    ns,
    "/articles/<slug>/comments",
    get=answers("listConduitComments", 200, shapes.CommentsAnswer, 401, 404),
    post=answers(
        "createConduitComment",
        201,
        shapes.CommentAnswer,
        *(401, 403, 404, 422),
        body=shapes.CommentRequest,
    ),
)
class CommentCollection(ConduitEndpoint):
    """Comments of an article."""

    access = {"GET": "anyone", "POST": "signed-in"}

    def get(self, slug: str) -> dict[str, Any]:
        """List the comments of an article (RealWorld)

        The newest first, up to 1,000.
        """
        found = self.look(RemarkService, lambda remarks: remarks.of_article(slug))
        return plan(shapes.CommentsAnswer)({"comments": found})

    def post(self, slug: str) -> tuple[dict[str, Any], int]:
        """Comment an article (RealWorld)"""
        with self.rights_first(RemarkService, lambda remarks: remarks.may_write(slug)):
            body = bodies.read(shapes.comment_input, "comment")["body"]
        id = self.change(RemarkService, lambda remarks: remarks.write(slug, body))
        row = self.look(RemarkService, lambda remarks: remarks.row(id))
        return plan(shapes.CommentAnswer)({"comment": row}), 201


@expose(
    ns,
    "/articles/<slug>/comments/<id:id>",
    delete=answers("deleteConduitComment", 204, None, 401, 403, 404),
)
class Comment(ConduitEndpoint):
    """One comment."""

    access = "signed-in"

    def delete(self, slug: str, id: int) -> tuple[None, int]:
        """Move a comment to the trash (RealWorld)"""
        self.change(RemarkService, lambda remarks: remarks.discard(slug, id))
        return None, 204
