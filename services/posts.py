"""Rules about posts: who sees them, who may change them, what follows from a title and a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, contains_eager
from sqlalchemy.orm.attributes import set_committed_value

from models import Deletion, Post, PostTag, User
from services import log, markdown, slugs
from services.base import ACTOR, NOW, ROLE, SIGNED_OUT, YES, Service, Verdict
from services.errors import Conflict, Fault, NotFound, Unauthenticated
from services.listing import Filter, Sort, after, any_of, before, equals
from services.transaction import Retry, explain_conflict

NOT_AUTHOR = Verdict(False, "not-author")

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


class PostService(Service[Post]):
    """Published posts are public; all others are their author's and the editors'."""

    model = Post
    type = "posts"
    sorts = {
        "published_at": Sort(Post.published_at, nullable=True),
        "created_at": Sort(Post.created_at),
        "updated_at": Sort(Post.updated_at),
        "title": Sort(Post.title),
        "likes_count": Sort(Post.likes_count),
    }
    default_sort = "-published_at"
    filters = {
        "status": Filter(
            _has_status,
            shape=lambda status: status,
            rules_out_nulls={"published": frozenset({"published_at"})},
        ),
        "author_id": equals(Post.author_id),
        "author": equals(User.username_key),
        "tag": Filter(
            _has_tags,
            shape=len,
            params=lambda tags: {f"tag_{n}": tag.casefold() for n, tag in enumerate(tags)},
        ),
        "published_after": after(Post.published_at),
        "published_before": before(Post.published_at),
        "updated_after": after(Post.updated_at),
        "ids": any_of(Post.id),
    }
    defaults = {"excerpt": None, "tags": []}
    history = ("title", "body", "slug", "excerpt", "status", "published_at", "tags")
    loads = (contains_eager(Post.author),)

    def visible(self) -> sa.Select[Any]:
        statement = (
            sa.select(Post)
            .join(User, User.id == Post.author_id)
            .where(Post.deleted_at.is_(None), User.deleted_at.is_(None))
        )
        public = sa.and_(
            Post.status == "published", Post.published_at <= NOW, User.status == "active"
        )
        if self.is_at_least("editor"):
            return statement
        if self.actor is None:
            return statement.where(public)
        return statement.where(sa.or_(public, Post.author_id == ACTOR))

    def columns(self) -> tuple[Any, ...]:
        liked = sa.null() if self.actor is None else sa.false()
        return (
            *(column for column in Post.__table__.columns if column.name not in _UNREAD),
            User.username.label("author_username"),
            User.name.label("author_name"),
            sa.null().label("avatar_url"),
            liked.label("liked"),
        )

    def allows(self, action: str, item: Any) -> Verdict:
        if action == "read":
            return YES
        if self.actor is None:
            return SIGNED_OUT
        if not self.is_at_least("author"):
            return ROLE
        if item is None or item.author_id == self.actor.id or self.is_at_least("editor"):
            return YES
        return NOT_AUTHOR

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Render the body while no transaction is open."""
        if "body" not in data:
            return dict(data)
        html = markdown.render(data["body"])
        return {**data, "html": html, "auto_excerpt": markdown.excerpt(html)}

    def build(self, data: Mapping[str, Any]) -> Post:
        post = Post(author=self._author(), created_at=self.now, updated_at=self.now)
        post.author_id, post.version, post.status = post.author.id, 1, "draft"
        self._apply(post, {**self.defaults, **data, "slug": data.get("slug")})
        return post

    def create(self, data: Mapping[str, Any]) -> int:
        id = super().create(data)
        self._index_tags(id, data.get("tags") or [])
        return id

    def apply(self, item: Post, changes: Mapping[str, Any]) -> None:
        self._apply(item, changes)
        if "tags" in changes:
            self.session.execute(sa.delete(PostTag).where(PostTag.post_id == item.id))
            self._index_tags(item.id, item.tags)

    def audience(self, item: Post) -> int:
        soon = self.now + log.FORESIGHT
        shown = item.status == "published" and item.published_at and item.published_at <= soon
        return log.EVERYONE if shown and item.author.status == "active" else log.OWNER_AND_STAFF

    def audience_of_rows(self) -> sa.ColumnElement[int]:
        author = sa.select(User.status).where(User.id == Post.author_id).scalar_subquery()
        shown = sa.and_(
            Post.status == "published",
            Post.published_at <= sa.literal(self.now + log.FORESIGHT, Post.published_at.type),
            author == "active",
        )
        return sa.case((shown, log.EVERYONE), else_=log.OWNER_AND_STAFF)

    def by_slug(self, slug: str) -> tuple[Any, bool]:
        """Return the visible post of a slug, and whether the slug is a former one.

        Raises:
            NotFound: no such slug, or its post is not visible to this actor.
        """
        statement = self.visible().with_only_columns(Post.id, maintain_column_froms=True)
        id = self.session.scalar(statement.where(Post.slug == slug), self.params)
        former = slugs.owner(self.session, slug) if id is None else None
        if id is None and former is None:
            raise NotFound()
        return self.row(id or former or 0), id is None

    def make_room(self, deletion: Deletion) -> None:
        """Give returning posts whose slug is taken by now one that ends in their id."""
        other = aliased(Post)
        taken = sa.exists().where(other.slug == Post.slug, other.deleted_at.is_(None))
        self.session.execute(
            sa.update(Post)
            .where(Post.deletion_id == deletion.id, taken)
            .values(slug=Post.slug + "-" + sa.cast(Post.id, sa.Text))
            .execution_options(synchronize_session=False)
        )

    def lock_author(self, post: Post) -> User:
        """Return the author's row, deleted or not, kept from a deletion at the same time."""
        author = self.session.scalars(
            sa.select(User)
            .where(User.id == post.author_id)
            .with_for_update(read=True, key_share=True)
        ).one()
        set_committed_value(post, "author", author)
        return author

    def _author(self) -> User:
        """Return the caller's row, locked against a deletion at the same time."""
        if self.actor is None:
            raise Unauthenticated()
        author = self.session.scalars(_AUTHOR, {"id": self.actor.id}).one_or_none()
        if author is None:
            raise Unauthenticated()
        return author

    def _apply(self, post: Post, changes: Mapping[str, Any]) -> None:
        for name in ("title", "body", "html", "status", "published_at"):
            if name in changes:
                setattr(post, name, changes[name])
        if "tags" in changes:
            post.tags = list(
                {tag.casefold(): tag for tag in reversed(changes["tags"] or [])}.values()
            )[::-1]
        if "excerpt" in changes:
            post.has_own_excerpt = bool(changes["excerpt"])
            post.excerpt = changes["excerpt"] or ""
        if not post.has_own_excerpt:
            post.excerpt = changes.get("auto_excerpt") or markdown.excerpt(post.html)
        if "slug" in changes:
            self._name(post, changes["slug"])
        if post.status == "published" and post.published_at is None:
            post.published_at = self.now

    def _name(self, post: Post, wanted: str | None) -> None:
        """Give a post its slug: the wanted one, or a free one made from its title."""
        former = post.slug
        if wanted is None:
            post.slug = slugs.free(self.session, slugs.from_title(post.title), post.id)
            explain_conflict(self.session, Retry)  # somebody was faster: look for another one
        else:
            post.slug = wanted
            explain_conflict(self.session, lambda: slug_taken(slugs.free(self.session, wanted)))
        if former and former != post.slug:
            slugs.remember(self.session, post.id, former)

    def _index_tags(self, id: int, tags: list[str]) -> None:
        if keys := {tag.casefold() for tag in tags}:
            self.session.execute(
                sa.insert(PostTag), [{"post_id": id, "key": key} for key in sorted(keys)]
            )


def slug_taken(suggestion: str) -> Conflict:
    """Return the error of a slug that another post has, with a free one beside it."""
    return Conflict(
        "Another post has this slug.",
        code="slug-taken",
        faults=[Fault("slug", "taken", "Another post has this slug.")],
        extra={"suggestion": suggestion},
    )


#: Built once: building it takes longer than running it.
_AUTHOR = (
    sa.select(User)
    .where(User.id == sa.bindparam("id"), User.deleted_at.is_(None), User.status == "active")
    .with_for_update(read=True, key_share=True)
)

_UNREAD = frozenset({"deleted_at", "deletion_id", "has_own_excerpt"})
