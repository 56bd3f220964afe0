"""/profiles: people, and whom one follows."""

from __future__ import annotations

from typing import Any

from signpost import expose, plan
from signpost_realworld import shapes
from signpost_realworld.endpoint import ConduitEndpoint
from signpost_realworld.namespace import ns
from signpost_realworld.rules.people import ProfileService
from signpost_realworld.shapes import answers


@expose(
    ns,
    "/profiles/<username>",
    get=answers("getConduitProfile", 200, shapes.ProfileAnswer, 401, 404),
)
class Profile(ConduitEndpoint):
    """Somebody."""

    access = "anyone"

    def get(self, username: str) -> dict[str, Any]:
        """Get a profile (RealWorld)"""
        row = self.look(ProfileService, lambda people: people.profile(username))
        return plan(shapes.ProfileAnswer)({"profile": row})


@expose(
    ns,
    "/profiles/<username>/follow",
    post=answers("followConduitProfile", 200, shapes.ProfileAnswer, 401, 404, 409),
    delete=answers("unfollowConduitProfile", 200, shapes.ProfileAnswer, 401, 404),
)
class Following(ConduitEndpoint):
    """Whether the caller follows somebody."""

    access = "signed-in"

    def post(self, username: str) -> dict[str, Any]:
        """Follow somebody (RealWorld)"""
        return self._shown(self.change(ProfileService, lambda people: people.follow(username)))

    def delete(self, username: str) -> dict[str, Any]:
        """Follow somebody no longer (RealWorld)"""
        return self._shown(self.change(ProfileService, lambda people: people.unfollow(username)))

    def _shown(self, id: int) -> dict[str, Any]:
        row = self.look(ProfileService, lambda people: people.row(id))
        return plan(shapes.ProfileAnswer)({"profile": row})
