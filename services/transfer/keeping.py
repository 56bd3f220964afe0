"""Stores users, posts and comments as they were elsewhere, through the hooks of all writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from config import Config
from models import Comment, Deletion, Post, PostTag, Revision, User
from services import log, slugs
from services.authored import Authored
from services.comments import CommentService
from services.posts import PostService
from services.tags import keys_of
from services.transfer.lines import OPERATOR
from services.users import UserService


@dataclass(frozen=True)
class Origin:
    """What a line says beside the contents: the life that an item has had."""

    version: int
    created_at: datetime
    updated_at: datetime
    has_revisions: bool
    deleted_at: datetime | None = None
    deleted_by: int | None = None
    deletion_id: int | None = None
    """The deletion of its author, or of its post, if that took it."""

    @classmethod
    def of(cls, data: Mapping[str, Any], now: datetime, **more: Any) -> Origin:
        """Read a line; what it leaves out is as of an item that is made now."""
        created_at = data.get("created_at", now)
        given = {"deleted_at": data.get("deleted_at")} | more
        return cls(
            version=data.get("version", 1),
            created_at=created_at,
            updated_at=data.get("updated_at", created_at),
            has_revisions=data.get("has_revisions", False),
            **given,
        )


class Users(UserService):
    """Stores one user with a past."""

    def __init__(self, session: Session, config: Config | None, origin: Origin) -> None:
        super().__init__(session, OPERATOR, config)
        self._origin = origin

    def build(self, data: Mapping[str, Any]) -> User:
        user = super().build(data)
        user.email_verified = data.get("email_verified", False)
        user.version = self._origin.version
        user.created_at, user.updated_at = self._origin.created_at, self._origin.updated_at
        self._user = user
        return user

    def keep(self, data: Mapping[str, Any]) -> User:
        """Store the user and return it."""
        self.create(data)
        return self._user

    def store(self, item: User) -> None:
        super().store(item)
        if self._origin.deleted_at is not None:
            deletion = _deletion(self, item, self._origin)
            deletion.item_id = deletion.owner_id = item.id
            self.session.add(deletion)
            self.session.flush()
            item.deleted_at, item.deletion_id = self._origin.deleted_at, deletion.id
            self.session.flush()

    def record(self, op: str, item: User, *, was: int, group_id: int | None = None) -> None:
        _record(self, self._origin, item)


class Posts(PostService):
    """Stores one post with a past, of any author."""

    def __init__(
        self,
        session: Session,
        config: Config | None,
        origin: Origin,
        author: User,
        tags: list[dict[str, Any]],
    ) -> None:
        super().__init__(session, OPERATOR, config)
        self._origin, self._author, self._tags = origin, author, tags

    def build(self, data: Mapping[str, Any]) -> Post:
        origin = self._origin
        post = Post(author_id=self._author.id, version=origin.version)
        set_committed_value(post, "author", self._author)
        post.created_at, post.updated_at = origin.created_at, origin.updated_at
        self.apply(post, {"status": "draft", **self.defaults, **data})
        post.deleted_at, post.deletion_id = origin.deleted_at, origin.deletion_id
        self._post = post
        return post

    def store(self, item: Post) -> None:
        with _deleted(self, item, self._origin):
            super().store(item)

    def record(self, op: str, item: Post, *, was: int, group_id: int | None = None) -> None:
        _record(self, self._origin, item)

    def keep(self, data: Mapping[str, Any], slug: str) -> Post:
        """Store the post, under ``slug``, with its former slugs; return it.

        Its tags are indexed with those of the other lines, by ``index``.
        """
        id = self.create({**data, "slug": slug})
        for former in data.get("former_slugs", []):
            slugs.remember(self.session, id, former)
        return self._post

    def _index_tags(self, id: int, wanted: list[str]) -> None:
        self._tags.extend({"post_id": id, "key": key} for key in keys_of(wanted))


class Comments(CommentService):
    """Stores one comment with a past, of any author; who uses it counts them."""

    def __init__(
        self, session: Session, config: Config | None, origin: Origin, post: Post, author: User
    ) -> None:
        super().__init__(session, OPERATOR, config)
        self._origin, self._post, self._author = origin, post, author

    def build(self, data: Mapping[str, Any]) -> Comment:
        origin = self._origin
        comment = Comment(
            post_id=self._post.id,
            author_id=self._author.id,
            parent_id=data["parent_id"],
            body=data["body"],
            version=origin.version,
            created_at=origin.created_at,
            updated_at=origin.updated_at,
            deleted_at=origin.deleted_at,
            deletion_id=origin.deletion_id,
        )
        set_committed_value(comment, "author", self._author)
        set_committed_value(comment, "post", self._post)
        self._comment = comment
        return comment

    def store(self, item: Comment) -> None:
        with _deleted(self, item, self._origin):
            Authored.store(self, item)

    def record(self, op: str, item: Comment, *, was: int, group_id: int | None = None) -> None:
        _record(self, self._origin, item)

    def keep(self, data: Mapping[str, Any]) -> Comment:
        """Store the comment and return it."""
        self.create(data)
        return self._comment


def index(session: Session, tags: list[dict[str, Any]]) -> None:
    """Index tags that wait for it."""
    if tags:
        session.execute(sa.insert(PostTag), tags)
        tags.clear()


def keep(session: Session, rows: list[dict[str, Any]]) -> None:
    """Store revisions that were made elsewhere."""
    if rows:
        session.execute(sa.insert(Revision), rows)


@contextmanager
def _deleted(service: Posts | Comments, item: Any, origin: Origin) -> Iterator[None]:
    """Make the deletion of an item that is stored meanwhile, if it was deleted by itself."""
    if item.deleted_at is None or item.deletion_id is not None:
        yield
        return
    deletion = _deletion(service, item, origin)
    service.session.add(deletion)
    service.session.flush()
    item.deletion_id = deletion.id
    yield
    deletion.item_id = item.id
    service.session.flush()


def _deletion(service: Users | Posts | Comments, item: Any, origin: Origin) -> Deletion:
    """Return the deletion of which ``item`` is the root; of one without an id yet, to be named."""
    return Deletion(
        type=service.type,
        item_id=item.id or 0,
        owner_id=0 if isinstance(item, User) else item.author_id,
        title=service.title_of(item),
        deleted_at=origin.deleted_at,
        deleted_by=origin.deleted_by,
        children_count=0,
    )


def _record(service: Users | Posts | Comments, origin: Origin, item: Any) -> None:
    """Log an item as one change, which nobody could see before.

    One in the trash is logged as deleted: a restoration looks there for what the deletion took.
    """
    is_gone = item.deleted_at is not None
    entry = log.Entry(
        type=service.type,
        id=item.id,
        op="delete" if is_gone else "create",
        version=item.version,
        was=log.NOBODY,
        now=log.NOBODY if is_gone else service.audience(item),
        actor_id=OPERATOR.user_id,
        via=OPERATOR.via,
        owner_id=service.insider_of(item),
        group_id=item.deletion_id,
    )
    log.record(service.session, entry, None if origin.has_revisions else service.snapshot(item))
