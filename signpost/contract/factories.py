"""Rows for tests, with defaults: ``ada`` writes, ``bob`` reads, ``mallory`` must not."""

from __future__ import annotations

import itertools
import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Content, File, Post, PostTag, Tag, User
from models.tag import key_of
from services import clock, counts
from services.actor import Actor
from services.base import Service
from services.posts import PostService
from services.users import UserService

#: The password of every user that ``make_user`` makes.
PASSWORD = "a long way to Tipperary"
#: Its hash as the product makes it, computed once: hashing for every user would take all the time.
PASSWORD_HASH = (
    "$argon2id$v=19$m=19456,t=3,p=1"
    "$lAbROMnsDrx5hGxY5LGpTw$rhgpA7VEik3upM7TODmUy1iv1R5nD3tNf46qv8GDC48"
)

_serial = itertools.count(1)


def make_user(session: Session, username: str | None = None, **changes: Any) -> User:
    """Insert an active author whose password is ``PASSWORD`` and commit."""
    username = username or f"user{next(_serial)}"
    email = changes.get("email", f"{username}@example.com")
    now = clock.now()
    given = {
        "username": username,
        "username_key": username.casefold(),
        "email": email,
        "email_key": email.casefold(),
        "email_verified": True,
        "password_hash": PASSWORD_HASH,
        "created_at": now,
        "updated_at": now,
    }
    user = User(**given | changes)
    session.add(user)
    session.flush()
    index(session, UserService, user)
    session.commit()
    return user


def make_post(session: Session, author: User, **changes: Any) -> Post:
    """Insert a published post by ``author`` and commit."""
    now = clock.now()
    body = changes.get("body", "It is *about* something.")
    given = {
        "author_id": author.id,
        "title": "About something",
        "body": body,
        "html": f"<p>{body}</p>\n",
        "slug": f"about-something-{next(_serial)}",
        "excerpt": body,
        "status": "published",
        "published_at": None if changes.get("status") == "draft" else now - timedelta(minutes=1),
        "created_at": now,
        "updated_at": now,
    }
    post = Post(**given | changes)
    session.add(post)
    session.flush()
    session.add_all(PostTag(post_id=post.id, key=key_of(tag)) for tag in post.tags or ())
    if post.status == "published" and author.status == "active" and post.deleted_at is None:
        _count_tags(session, post.tags or [])
    index(session, PostService, post)
    session.commit()
    return post


def _count_tags(session: Session, names: list[str]) -> None:
    for name in names:
        key = key_of(name)
        tag = session.scalar(sa.select(Tag).where(Tag.key == key))
        if tag is None:
            session.add(tag := Tag(key=key, name=name, posts_count=0))
        tag.posts_count += 1
        session.flush()


def make_comment(session: Session, post: Post, author: User, **changes: Any) -> Comment:
    """Insert a comment by ``author`` on ``post`` and commit; the post counts it."""
    now = clock.now()
    given = {
        "post_id": post.id,
        "author_id": author.id,
        "body": "Well said.",
        "created_at": now,
        "updated_at": now,
    }
    comment = Comment(**given | changes)
    session.add(comment)
    session.flush()
    counts.recount(session, counts.COMMENTS, sa.select(Post.id).where(Post.id == post.id))
    session.commit()
    return comment


def make_file(session: Session, author: User, **changes: Any) -> File:
    """Insert a private text file by ``author``, whose content no storage has, and commit."""
    now = clock.now()
    sha256 = changes.get("sha256") or secrets.token_hex(32)
    if session.get(Content, sha256) is None:
        session.add(Content(sha256=sha256, size=7, created_at=now, stored_at=now))
        session.flush()
    given = {
        "author_id": author.id,
        "name": "a.txt",
        "media_type": "text/plain",
        "size": 7,
        "sha256": sha256,
        "created_at": now,
        "updated_at": now,
    }
    file = File(**given | changes)
    session.add(file)
    session.commit()
    return file


def index(session: Session, service: type[Service[Any]], item: Any) -> None:
    """Have ``q`` find an item that was inserted past its service."""
    assert service.searched
    row = {"rowid": item.id, "words": service.searched.document(item, None)}
    session.execute(sa.insert(service.searched.table), row)


def actor_of(user: User) -> Actor:
    """Return the user as a caller."""
    return Actor(user.id, user.role)
