"""Rules about posts: who sees them, who may change them, what follows from a title and a body."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from models import POST_WORDS, Deletion, Like, Post, PostTag, User
from models.prepared import Command
from models.tag import key_of
from services import counts, log, markdown, slugs, tags
from services.authored import Authored
from services.base import ACTOR, NOW, Service
from services.errors import Conflict, Fault, NotFound
from services.listing import Filter, Sort, after, any_of, before, equals, equals_folded
from services.pictures import shown
from services.search import Searched
from services.transaction import Retry, explain_conflict

#: What a list may be narrowed to; ``scheduled`` is published with a time to come.
STATUSES = ("published", "draft", "archived", "scheduled", "any")


def _has_status(service: Service[Any], status: str) -> sa.ColumnElement[bool]:
    if status == "published":
        return sa.and_(Post.status == "published", Post.published_at <= NOW)
    wanted = {
        "any": sa.true(),
        "scheduled": sa.and_(Post.status == "published", Post.published_at > NOW),
    }.get(status, Post.status == status)
    return wanted if service.is_at_least("editor") else sa.and_(wanted, Post.author_id == ACTOR)


def _has_tags(_service: Service[Any], tags: list[str]) -> sa.ColumnElement[bool]:
    return sa.and_(
        *(
            sa.exists().where(PostTag.post_id == Post.id, PostTag.key == sa.bindparam(f"tag_{n}"))
            for n in range(len(tags))
        )
    )


class PostService(Authored[Post]):
    """Published posts are public; all others are their author's and the editors'."""

    model = Post
    type = "posts"
    sorts = {
        "published_at": Sort(Post.published_at, nullable=True),
        "created_at": Sort(Post.created_at, index="ix_posts_created_at_id"),
        "updated_at": Sort(Post.updated_at, index="ix_posts_updated_at_id"),
        "title": Sort(Post.title, index="ix_posts_title_id"),
        "likes_count": Sort(Post.likes_count, index="ix_posts_likes_count_id"),
    }
    default_sort = "-published_at"
    filters = {
        "status": Filter(
            _has_status,
            shape=lambda status: status,
            rules_out_nulls={"published": frozenset({"published_at"})},
            wide=frozenset({"published"}),
        ),
        "author_id": equals(Post.author_id),
        "author": equals_folded(User.username_key),
        "tag": Filter(
            _has_tags,
            shape=len,
            params=lambda tags: {f"tag_{n}": key_of(tag.strip()) for n, tag in enumerate(tags)},
        ),
        "published_after": after(Post.published_at),
        "published_before": before(Post.published_at),
        "updated_after": after(Post.updated_at),
        "ids": any_of(Post.id),
    }
    searched = Searched(POST_WORDS, heads=("title", "tags"), text="body")
    defaults = {"excerpt": None, "tags": [], "cover_id": None}
    appears_at = Post.published_at
    history = ("title", "body", "slug", "excerpt", "status", "published_at", "tags", "cover_id")

    def public_rows(self, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
        return sa.and_(Post.status == "published", Post.published_at <= moment)

    def is_public(self, item: Post, moment: datetime) -> bool:
        published = item.published_at if item.status == "published" else None
        return published is not None and published <= moment

    def columns(self) -> tuple[Any, ...]:
        likes = sa.exists().where(Like.post_id == Post.id, Like.user_id == ACTOR)
        liked = sa.null() if self.actor is None else likes.correlate(Post)
        cover = shown.living(Post.cover_id)
        return (*super().columns(), liked.label("liked"), cover.label("cover_url"))

    def created(self, id: int) -> Any:
        row = super().created(id)
        row.liked, row.cover_url = False, row.cover_id
        return row

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Render the body, and spell the title, while no transaction is open."""
        made = super().prepare(data)
        if "body" in data:
            made["html"] = markdown.render(data["body"])
            made["auto_excerpt"] = markdown.excerpt(made["html"])
        if "title" in data and data.get("slug") is None:
            made["auto_slug"] = slugs.from_title(data["title"])
        return made

    def build(self, data: Mapping[str, Any]) -> Post:
        return super().build({"status": "draft", "slug": None, **data})

    def store(self, item: Post) -> None:
        super().store(item)
        self._index_tags(item.id, item.tags)
        if item.deleted_at is None:
            tags.shift(self.session, self._counted(item), 1)

    def apply(self, item: Post, changes: Mapping[str, Any]) -> None:
        is_stored = item.id is not None
        if is_stored:
            tags.shift(self.session, self._counted(item), -1)
        self._apply(item, changes)
        if is_stored:
            tags.shift(self.session, self._counted(item), 1)

    def _apply(self, item: Post, changes: Mapping[str, Any]) -> None:
        for name in ("title", "body", "html", "status", "published_at"):
            if name in changes:
                setattr(item, name, changes[name])
        if "tags" in changes:
            self._tag(item, changes["tags"] or [])
        if "cover_id" in changes:
            item.cover_id = shown.chosen(self, item, "cover_id", changes["cover_id"])
        if "excerpt" in changes:
            item.has_own_excerpt = bool(changes["excerpt"])
            item.excerpt = changes["excerpt"] or ""
        if not item.has_own_excerpt:
            item.excerpt = changes.get("auto_excerpt") or markdown.excerpt(item.html)
        if "slug" in changes:
            self._name(item, changes["slug"], changes.get("auto_slug"))
        if item.status == "published" and item.published_at is None:
            item.published_at = self.now

    def by_slug(self, slug: str) -> tuple[Any, bool]:
        """Return the visible post of a slug, and whether the slug is a former one.

        Raises:
            NotFound: no such slug, or its post is not visible to this actor.
        """
        found = self.visible_ids().where(Post.slug == slug)
        id = self.session.scalar(found, self.params)
        former = slugs.owner(self.session, slug) if id is None else None
        if id is None and former is None:
            raise NotFound()
        return self.row(id or former or 0), id is None

    def make_room(self, deletion: Deletion) -> None:
        """Give returning posts whose slug is taken by now one that surely is not; count tags."""
        other = aliased(Post)
        taken = sa.exists().where(other.slug == Post.slug, other.deleted_at.is_(None))
        posts = sa.select(Post).where(Post.deletion_id == deletion.id, taken)
        for post in self.session.scalars(posts):
            post.slug = slugs.unlike_any(post.slug)
        self.session.flush()
        explain_conflict(self.session, Retry)  # another one was taken just now
        active = sa.select(User.id).where(User.status == "active")
        returning = sa.and_(Post.deletion_id == deletion.id, Post.author_id.in_(active))
        tags.shift_each(self.session, returning, 1)

    def settle(self, item: Post, by: int) -> None:
        tags.shift(self.session, self._counted(item), by)
        if by > 0:  # those who commented may have gone meanwhile
            itself = sa.select(Post.id).where(Post.id == item.id)
            counts.recount(self.session, counts.COMMENTS, itself)

    def readmit(self, item: Post, slug: str | None) -> None:
        """Let a post come back under ``slug`` or its own, unless another one has it by now."""
        super().readmit(item, slug)
        item.slug = slug or item.slug
        wanted, id = item.slug, item.id
        if slugs.is_taken(self.session, wanted, id):
            raise slug_taken(slugs.free(self.session, wanted, id))
        explain_conflict(self.session, lambda: slug_taken(slugs.free(self.session, wanted, id)))

    def _counted(self, post: Post) -> list[str]:
        """Return the tags that a living post counts for: those that everyone sees, or will."""
        is_counted = post.status == "published" and post.author.status == "active"
        return post.tags if is_counted else []

    def _tag(self, post: Post, wanted: list[str]) -> None:
        """Keep each tag once, as it was written first; index them if the post has its id."""
        had, post.tags, is_stored = post.tags, tags.once(wanted), post.id is not None
        if is_stored and tags.keys_of(had) != tags.keys_of(post.tags):
            log.run_before(self.session, _UNTAG, {"id": post.id})
            self._index_tags(post.id, post.tags)

    def _name(self, post: Post, wanted: str | None, auto: str | None) -> None:
        """Give a post its slug: the wanted one, or a free one made from its title."""
        former = post.slug
        if wanted is None:
            made = auto or slugs.from_title(post.title)
            is_crowded = self.session.info.get("attempt", 1) > 1
            post.slug = (
                slugs.unlike_any(made) if is_crowded else slugs.free(self.session, made, post.id)
            )
            explain_conflict(self.session, Retry)  # somebody was faster
        else:
            post.slug = wanted
            explain_conflict(self.session, lambda: slug_taken(slugs.free(self.session, wanted)))
        if former and former != post.slug:
            slugs.remember(self.session, post.id, former)

    def _index_tags(self, id: int, wanted: list[str]) -> None:
        if wanted:
            rows = ({"post_id": id, "key": key} for key in tags.keys_of(wanted))
            log.run_before(self.session, _TAG, *rows)


_TAG = Command(sa.insert(PostTag), ("post_id", "key"))
_UNTAG = Command(sa.delete(PostTag).where(PostTag.post_id == sa.bindparam("id")))


def slug_taken(suggestion: str) -> Conflict:
    """Return the error of a slug that another post has, with a free one beside it."""
    return Conflict(
        "Another post has this slug.",
        code="slug-taken",
        faults=[Fault("slug", "taken", "Another post has this slug.")],
        extra={"suggestion": suggestion},
    )
