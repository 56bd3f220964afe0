"""/feed: posts of those whom the caller follows. The rules are in services/feed.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response
from flask_restx import Namespace

from api.describe import lists
from api.posts import posts
from api.resource import Listing, expose
from services.feed import FeedService

ns = Namespace("Feed", path="/v1", description="What those whom you follow write.")

#: All of it is published.
feed = replace(
    posts,
    service=FeedService,
    filters={name: each for name, each in posts.filters.items() if name != "status"},
)


@expose(ns, "/feed", get=lists(ns, feed, "listFeed"))
class Feed(Listing):
    spec = feed
    anonymous = frozenset()

    def get(self, **_: Any) -> Response:
        """List the posts of those whom you follow

        Published ones, the newest first. Filters and sorts are those of the list of all posts.
        """
        return super().get(status="published")
