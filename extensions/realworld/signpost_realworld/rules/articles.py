"""Rules about articles, which are published posts: no drafts, no former slugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from signpost import models, services
from signpost.services import ACTOR, NOW
from signpost_realworld.errors import about
from signpost_realworld.rules.people import author_of

#: What an article may not be called: ``/articles/feed`` is another thing.
_RESERVED = "feed"
_ACTIVE = models.User.status == "active"


class ArticleService(services.PostService):
    """Posts that everybody sees, to everybody as everybody sees them."""

    def visible(self) -> sa.Select[Any]:
        return super().visible().where(self.public_rows(NOW), _ACTIVE)

    def columns(self) -> tuple[Any, ...]:
        return (*self.of_card(), models.Post.body, models.Post.author_id)

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
            return shown(self.first(self.visible().where(models.Post.slug == slug)))

    def by_id(self, id: int) -> dict[str, Any]:
        """Return an article."""
        return shown(self.row(id))

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

    def of_card(self) -> Sequence[Any]:
        """Return the columns of an article in a list: all but its text."""
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


def shown(row: Any) -> dict[str, Any]:
    """Return a row with its tags in order."""
    return {**row._asdict(), "tags": sorted(row.tags)}
