"""Rules about likes: who sees a post may like it, their own too; each user counts once."""

from __future__ import annotations

from models import Like
from services import counts
from services.listing import Sort
from services.posts import PostService
from services.relations import Relating, Relation


class LikeService(Relating):
    """Users who like a post."""

    type = "likes"
    relation = Relation(Like.user_id, Like.post_id, PostService)
    sorts = {"liked_at": Sort(Like.id)}
    default_sort = "-liked_at"
    changes = True

    def relate(self, id: int) -> bool:
        is_new = super().relate(id)
        if is_new:
            counts.shift(self.session, counts.LIKES, id, 1)
        return is_new

    def part(self, id: int) -> bool:
        was_there = super().part(id)
        if was_there:
            counts.shift(self.session, counts.LIKES, id, -1)
        return was_there
