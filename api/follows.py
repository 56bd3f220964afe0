"""/users/{id}/follow, /followers, /following: who follows whom. Rules: services/follows.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response
from flask_restx import Namespace

from api.describe import lists
from api.relations import FILTERS, Link, People, changes, person
from api.resource import expose
from api.spec import Spec
from services.follows import FollowerService, FollowingService

ns = Namespace("Follows", path="/v1", description="Who follows whom.")

followers = Spec(
    name="follower",
    service=FollowerService,
    output=person(ns, "Follower", "followed_at"),
    filters=FILTERS,
)
following = replace(followers, service=FollowingService)


@expose(ns, "/users/<user_id:id>/follow", **changes("followUser", "unfollowUser", 409))
class UserFollow(Link):
    spec = followers

    def put(self, id: int) -> Response:
        """Follow a user

        Their posts are in your feed from then on. Once more changes nothing. To follow yourself is
        409.
        """
        return self.enter(id)

    def delete(self, id: int) -> Response:
        """Follow a user no longer

        If you did not, nothing changes.
        """
        return self.leave(id)


@expose(ns, "/users/<user_id:id>/followers", get=lists(ns, followers, "listFollowers", 404))
class UserFollowers(People):
    spec = followers

    def get(self, **path: Any) -> Response:
        """List the users who follow a user

        The newest first. Suspended users are absent.
        """
        return super().get(**path)


@expose(ns, "/users/<user_id:id>/following", get=lists(ns, following, "listFollowing", 404))
class UserFollowing(People):
    spec = following

    def get(self, **path: Any) -> Response:
        """List the users whom a user follows

        The newest first. Suspended users are absent. `/users/me/following?ids=7` tells whether you
        follow somebody.
        """
        return super().get(**path)
