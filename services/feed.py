"""The feed: published posts of those whom the caller follows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models import Follow, Post
from services.base import ACTOR
from services.posts import PostService


class FeedService(PostService):
    """Posts as everybody sees them."""

    def visible(self) -> sa.Select[Any]:
        follows = sa.exists().where(
            Follow.follower_id == ACTOR, Follow.followed_id == Post.author_id
        )
        return super().visible().where(follows)
