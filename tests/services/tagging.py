"""What tags must be, counted anew from users and posts by rules of its own; who changes them."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Deletion, Post, PostTag, Tag, User
from services.actor import Actor
from services.errors import ServiceError
from services.listing import Page, Query
from services.posts import PostService
from services.tags import TagService
from services.transaction import reading, transact
from services.trash import TrashService
from services.users import UserService
from tests.services.writers import ADMIN, session_of

NAMES = ("python", "Python", "PYTHON", "Flask", "flask", "Straße", "STRASSE", "ÉTÉ", "été", "数学")


def folded(tag: str) -> str:
    """Return a tag without its case."""
    return unicodedata.normalize("NFC", tag.casefold())


def recounted(session: Session, now: datetime | None = None) -> dict[str, int]:
    """Count the posts of each tag, by key; those that are to appear after ``now`` don't count."""
    posts = sa.select(Post.tags, Post.published_at).join(User, User.id == Post.author_id)
    posts = posts.where(Post.status == "published", Post.deleted_at.is_(None))
    found: Counter[str] = Counter()
    for row in session.execute(posts.where(User.status == "active", User.deleted_at.is_(None))):
        if now is None or row.published_at <= now:
            found.update({folded(tag) for tag in row.tags})
    return dict(found)


def stored(session: Session) -> dict[str, int]:
    """Return what the table says; scheduled posts are among it."""
    return {row.key: row.posts_count for row in session.execute(sa.select(Tag.__table__))}


def listed(session: Session, sort: str = "name") -> dict[str, int]:
    """Return what lists say, by key; page by page."""
    found: dict[str, int] = {}
    after = None
    while True:
        with reading(session):
            page: Page = TagService(session).list(Query(limit=3, sort=sort, after=after))
        assert not found.keys() & {folded(row.name) for row in page.rows}, "twice"
        found |= {folded(row.name): row.posts_count for row in page.rows}
        if (after := page.next) is None:
            return found


def indexed(session: Session) -> set[tuple[int, str]]:
    """Return what posts are found by, post and key."""
    return {(row.post_id, row.key) for row in session.execute(sa.select(PostTag.__table__))}


def disturb(url: str, author_id: int, seed: int, count: int) -> list[str]:
    """Do ``count`` random things to tags of anybody's posts; return codes of all that failed."""
    chance = random.Random(seed)
    failed = []
    with session_of(url) as session:
        for _ in range(count):
            deed = _deed(session, Actor(author_id, "author"), chance)
            try:
                transact(session, deed)
            except ServiceError as exc:
                failed.append(exc.public_code)
            session.expunge_all()
    return failed


def _deed(session: Session, author: Actor, chance: random.Random) -> Callable[[], object]:
    deeds = [_create, _create, _retag, _retag, _turn, _delete, _restore, _restore, _suspend]
    deed = chance.choice(deeds)
    return lambda: deed(session, author, chance)


def _some(chance: random.Random) -> list[str]:
    return chance.sample(NAMES, chance.randint(1, 5))


def _create(session: Session, author: Actor, chance: random.Random) -> None:
    data = {"title": f"T {chance.random()}", "body": "b", "status": "published"}
    PostService(session, author).create(PostService.prepare({**data, "tags": _some(chance)}))


def _retag(session: Session, _author: Actor, chance: random.Random) -> None:
    with suppress(IndexError):
        PostService(session, ADMIN).patch(_any(session, chance), {"tags": _some(chance)}, None)


def _turn(session: Session, _author: Actor, chance: random.Random) -> None:
    changes = {"status": chance.choice(["draft", "published"]), "tags": _some(chance)}
    with suppress(IndexError):
        PostService(session, ADMIN).patch(_any(session, chance), changes, None)


def _delete(session: Session, _author: Actor, chance: random.Random) -> None:
    with suppress(IndexError):
        PostService(session, ADMIN).delete(_any(session, chance))


def _restore(session: Session, _author: Actor, chance: random.Random) -> None:
    roots = session.scalars(sa.select(Deletion.item_id).order_by(Deletion.id)).all()
    with suppress(IndexError):
        TrashService(session, ADMIN).restore("posts", chance.choice(roots))


def _suspend(session: Session, author: Actor, chance: random.Random) -> None:
    status = chance.choice(["suspended", "active", "active"])
    UserService(session, ADMIN).patch(author.id, {"status": status}, None)


def _any(session: Session, chance: random.Random) -> Any:
    living = sa.select(Post.id).where(Post.deleted_at.is_(None)).order_by(Post.id)
    return chance.choice(session.scalars(living).all())
