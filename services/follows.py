"""Rules about follows: everybody sees who follows whom; nobody follows themselves."""

from __future__ import annotations

from models import Follow
from services.errors import Conflict
from services.listing import Sort
from services.relations import Related, Relating, Relation
from services.users import UserService


class FollowerService(Relating):
    """Users who follow somebody."""

    type = "followers"
    relation = Relation(Follow.follower_id, Follow.followed_id, UserService)
    sorts = {"followed_at": Sort(Follow.id)}
    default_sort = "-followed_at"

    def relate(self, id: int) -> bool:
        """Have the caller follow a user. Raises as ``Relating.relate``.

        Raises:
            Conflict: that is the caller.
        """
        if self.actor is not None and self.actor.id == id:
            raise Conflict("You can't follow yourself.")
        return super().relate(id)


class FollowingService(Related):
    """Users whom somebody follows."""

    type = "following"
    relation = Relation(Follow.followed_id, Follow.follower_id, UserService)
    sorts = FollowerService.sorts
    default_sort = FollowerService.default_sort
