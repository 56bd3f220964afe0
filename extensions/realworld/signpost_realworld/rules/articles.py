"""Rules about articles, which are published posts: no drafts, no former slugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from signpost import models, services
from signpost.services import ACTOR, NOW
from signpost_realworld.errors import about
from signpost_realworld.rules.people import author_of, followed

#: What an article may not be called: ``/articles/feed`` is another thing.
_RESERVED = "feed"
_ACTIVE = models.User.status == "active"
#: SQLite goes along this index where nothing narrows the list.
_BY_TIME = "INDEXED BY ix_posts_created_at_id"


class ArticleService(services.PostService):
    """Posts that everybody sees, to everybody as everybody sees them."""

    def visible(self) -> sa.Select[Any]:
        return super().visible().where(self.public_rows(NOW), _ACTIVE)

    def columns(self) -> tuple[Any, ...]:
        return (*self._of_card(), models.Post.body, models.Post.author_id)

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do the slow work; a new title makes a new slug."""
        made = super().prepare(data)
        if "title" in data:
            made["slug"] = None
            if made["auto_slug"] == _RESERVED:
                made["auto_slug"] += "-article"
        return made

    def may_write(self) -> None:
        """Raise Forbidden if the caller's role may not."""
        with about("article"):
            self.require("create", None)

    def article(self, slug: str) -> dict[str, Any]:
        """Return an article.

        Raises:
            NotFound: there is none of this slug.
        """
        with about("article"):
            return _shown(self.first(self.visible().where(models.Post.slug == slug)))

    def by_id(self, id: int) -> dict[str, Any]:
        """Return an article."""
        return _shown(self.row(id))

    def id_of(self, slug: str) -> int:
        """Return the id of an article. Raises as ``article``."""
        found = self.visible_ids().where(models.Post.slug == slug)
        with about("article"):
            if (id := self.session.scalar(found, self.params)) is None:
                raise services.NotFound()
        return int(id)

    def may_revise(self, slug: str) -> None:
        """Raise NotFound or Forbidden unless the caller may change an article."""
        id = self.id_of(slug)
        with about("article"):
            self.check("update", id)

    def write(self, data: Mapping[str, Any]) -> int:
        """Publish an article of prepared input; return its id."""
        with about("article"):
            return self.create({**data, "status": "published"})

    def revise(self, slug: str, changes: Mapping[str, Any]) -> int:
        """Change an article by prepared input; return its id. Raises as ``article``."""
        id, changes = self.id_of(slug), dict(changes)
        with about("article"):
            if changes.get("title") == self.row(id).title:
                changes = {name: value for name, value in changes.items() if name not in _NAMES}
            self.patch(id, changes, None)
        return id

    def discard(self, slug: str) -> None:
        """Move an article to the trash. Raises as ``article``."""
        id = self.id_of(slug)
        with about("article"):
            self.delete(id)

    def favorite(self, slug: str) -> int:
        """Have the caller like an article; return its id. Raises as ``article``."""
        id = self.id_of(slug)
        services.LikeService(self.session, self.actor, self.config).relate(id)
        return id

    def unfavorite(self, slug: str) -> int:
        """End that; as ``favorite``."""
        id = self.id_of(slug)
        services.LikeService(self.session, self.actor, self.config).part(id)
        return id

    def page(
        self, asked: Mapping[str, str], limit: int, offset: int, *, is_feed: bool = False
    ) -> dict[str, Any]:
        """Return cards, the newest first, and how many there are in all: two queries.

        Args:
            asked: what the list is narrowed to: ``tag``, ``author``, ``favorited``.
            is_feed: only articles of those whom the caller follows.
        """
        found = self.visible().where(*(_FILTERS[name](value) for name, value in asked.items()))
        if is_feed:
            found = found.where(followed(self, models.Post.author_id))
        if not asked:
            found = found.with_hint(models.Post, _BY_TIME, "sqlite")
        cards = found.with_only_columns(*self._of_card(), maintain_column_froms=True)
        cards = cards.order_by(models.Post.created_at.desc(), models.Post.id.desc())
        rows = self.session.execute(cards.limit(limit).offset(offset), self.params).all()
        count = found.with_only_columns(sa.func.count(), maintain_column_froms=True)
        total = self.session.scalar(count, self.params)
        return {"articles": [_shown(row) for row in rows], "articlesCount": total}

    def _of_card(self) -> Sequence[Any]:
        post, like = models.Post, models.Like
        likes = sa.exists().where(like.post_id == post.id, like.user_id == ACTOR).correlate(post)
        return (
            *(post.id, post.slug, post.title, post.excerpt, post.tags, post.likes_count),
            *(post.created_at, post.updated_at),
            (sa.false() if self.actor is None else likes).label("favorited"),
            *author_of(self),
        )


#: What names an article anew.
_NAMES = frozenset({"slug", "auto_slug"})


def _has_tag(tag: str) -> sa.ColumnElement[bool]:
    index = models.PostTag
    return sa.exists().where(index.post_id == models.Post.id, index.key == models.key_of(tag))


def _is_by(username: str) -> sa.ColumnElement[bool]:
    return models.User.username_key == username.casefold()


def _is_favorite_of(username: str) -> sa.ColumnElement[bool]:
    like, fan = models.Like, sa.orm.aliased(models.User)
    liked = sa.exists().where(like.post_id == models.Post.id, like.user_id == fan.id)
    return liked.where(fan.username_key == username.casefold(), fan.deleted_at.is_(None))


_FILTERS = {"tag": _has_tag, "author": _is_by, "favorited": _is_favorite_of}


def _shown(row: Any) -> dict[str, Any]:
    return {**row._asdict(), "tags": sorted(row.tags)}
