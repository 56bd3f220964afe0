"""Rules about lists of articles: what narrows them, their order, how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from signpost import models
from signpost.services import ACTOR
from signpost_realworld.rules.articles import ArticleService, shown

#: Ways into the posts for SQLite, which by itself looks at all that are published.
_BY_TIME = "INDEXED BY ix_posts_created_at_id"
_BY_AUTHOR = "INDEXED BY ix_posts_author_id_status_published_at_id"
_BY_ID = "NOT INDEXED"
#: Whom the caller follows.
_FOLLOWED = sa.select(models.Follow.followed_id).where(models.Follow.follower_id == ACTOR)


class ArticlePages(ArticleService):
    """Pages of articles."""

    def page(self, asked: Mapping[str, str], limit: int, offset: int) -> dict[str, Any]:
        """Return cards, the newest first, and how many there are in all: two queries.

        Args:
            asked: what the list is narrowed to: ``tag``, ``author``, ``favorited``.
        """
        found = self.visible().where(*(_FILTERS[name](value) for name, value in asked.items()))
        if asked.keys() & {"tag", "favorited"}:
            return self._page(found, limit, offset, _BY_ID, _BY_ID)
        way = _BY_AUTHOR if asked else _BY_TIME
        return self._page(found, limit, offset, way, _BY_AUTHOR)

    def feed(self, limit: int, offset: int) -> dict[str, Any]:
        """Return a page of articles of those whom the caller follows, as ``page``."""
        found = self.visible().where(models.Post.author_id.in_(_FOLLOWED))
        return self._page(found, limit, offset, _BY_AUTHOR, _BY_AUTHOR)

    def _page(
        self, found: sa.Select[Any], limit: int, offset: int, to_cards: str, to_count: str
    ) -> dict[str, Any]:
        post = models.Post
        cards = found.with_only_columns(*self.of_card(), maintain_column_froms=True)
        cards = cards.order_by(post.created_at.desc(), post.id.desc()).limit(limit).offset(offset)
        count = found.with_only_columns(sa.func.count(), maintain_column_froms=True)
        rows = self.session.execute(cards.with_hint(post, to_cards, "sqlite"), self.params)
        total = self.session.scalar(count.with_hint(post, to_count, "sqlite"), self.params)
        return {"articles": [shown(row) for row in rows], "articlesCount": total}


def _has_tag(tag: str) -> sa.ColumnElement[bool]:
    index = models.PostTag
    return models.Post.id.in_(sa.select(index.post_id).where(index.key == models.key_of(tag)))


def _is_by(username: str) -> sa.ColumnElement[bool]:
    return models.User.username_key == username.casefold()


def _is_favorite_of(username: str) -> sa.ColumnElement[bool]:
    like, fan = models.Like, aliased(models.User)
    liked = sa.select(like.post_id).join(fan, fan.id == like.user_id)
    by_name = liked.where(fan.username_key == username.casefold(), fan.deleted_at.is_(None))
    return models.Post.id.in_(by_name)


_FILTERS = {"tag": _has_tag, "author": _is_by, "favorited": _is_favorite_of}
