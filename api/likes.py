"""/posts/{id}/like, /posts/{id}/likes: like a post, see who does. Rules: services/likes.py."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_restx import Namespace

from api.describe import lists
from api.relations import FILTERS, Link, People, changes, person
from api.resource import expose
from api.spec import Spec
from services.likes import LikeService

ns = Namespace("Likes", path="/v1", description="What people like.")

likes = Spec(
    name="like",
    service=LikeService,
    output=person(ns, "Liker", "liked_at"),
    filters=FILTERS,
)


@expose(ns, "/posts/<id:id>/like", **changes("likePost", "unlikePost"))
class PostLike(Link):
    spec = likes

    def put(self, id: int) -> Response:
        """Like a post

        Yours too. Once more changes nothing: you count once in `likes_count`.
        """
        return self.enter(id)

    def delete(self, id: int) -> Response:
        """Like a post no longer

        If you did not, nothing changes.
        """
        return self.leave(id)


@expose(ns, "/posts/<id:id>/likes", get=lists(ns, likes, "listPostLikes", 404))
class PostLikes(People):
    spec = likes
    anonymous = frozenset()

    def get(self, **path: Any) -> Response:
        """List the users who like a post

        The newest likes first. Suspended users are absent, as they are from `likes_count`.
        """
        return super().get(**path)
