"""Users who write, like and answer while others delete, restore, suspend and purge them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Deletion, File, Post, User
from services import clock, contents
from services.actor import Actor
from services.comments import CommentService
from services.errors import NotFound, ServiceError
from services.files import FileService
from services.likes import LikeService
from services.posts import PostService
from services.transaction import transact
from services.trash import TrashService
from services.users import UserService
from tests.services.writers import ADMIN, session_of

_CONTENTS = [f"{number:064x}" for number in range(4)]

Deed = Callable[[Session, Actor, random.Random], object]


def stir(url: str, author_id: int, seed: int, count: int) -> list[str]:
    """Do ``count`` random things to anybody; return codes of all that failed."""
    chance = random.Random(seed)
    author, failed = Actor(author_id, "author"), []
    deeds, weights = zip(*_DEEDS, strict=True)
    with session_of(url) as session:
        for _ in range(count):
            deed = chance.choices(deeds, weights)[0]
            try:
                transact(session, partial(deed, session, author, chance))
            except ServiceError as exc:
                failed.append(exc.public_code)
            session.expunge_all()
    return failed


def _publish(session: Session, author: Actor, chance: random.Random) -> None:
    data = {"title": f"T {chance.random()}", "body": "b", "status": "published", "tags": ["a"]}
    PostService(session, author).create(PostService.prepare(data))


def _comment(session: Session, author: Actor, chance: random.Random) -> None:
    data = {"post_id": _any(session, chance, Post), "body": "x"}
    CommentService(session, author).create(data)


def _answer(session: Session, author: Actor, chance: random.Random) -> None:
    comment = session.get_one(Comment, _any(session, chance, Comment))
    data = {"post_id": comment.post_id, "parent_id": comment.id, "body": "x"}
    CommentService(session, author).create(data)


def _edit(session: Session, _author: Actor, chance: random.Random) -> None:
    changes = {"body": str(chance.random())}
    CommentService(session, ADMIN).patch(_any(session, chance, Comment), changes, None)


def _like(session: Session, author: Actor, chance: random.Random) -> None:
    LikeService(session, author).relate(_any(session, chance, Post))


def _show(session: Session, author: Actor, chance: random.Random) -> None:
    sha256 = chance.choice(_CONTENTS)
    contents.confirm(session, contents.hold(session, {sha256: 1}))
    picture = {"media_type": "image/png", "width": 1, "height": 1}
    data = FileService.prepare({"name": "a.png", "size": 1, "sha256": sha256, **picture})
    id = FileService(session, author).create(data)
    editor = Actor(author.id, "admin")
    PostService(session, editor).patch(_any(session, chance, Post), {"cover_id": id}, None)


def _delete(session: Session, _author: Actor, chance: random.Random) -> None:
    service, model = chance.choice(
        ((UserService, User), (PostService, Post), (CommentService, Comment), (FileService, File))
    )
    service(session, ADMIN).delete(_any(session, chance, model))


def _suspend(session: Session, author: Actor, chance: random.Random) -> None:
    status = chance.choice(["suspended", "active", "active"])
    UserService(session, ADMIN).patch(author.id, {"status": status}, None)


def _restore(session: Session, _author: Actor, chance: random.Random) -> None:
    TrashService(session, ADMIN).restore(*_root(session, chance))


def _revive(session: Session, author: Actor, _chance: random.Random) -> None:
    TrashService(session, ADMIN).restore("users", author.id)


def _purge(session: Session, _author: Actor, chance: random.Random) -> None:
    type, id = _root(session, chance)
    if type == "users":
        raise NotFound()  # they are the ones who write
    TrashService(session, ADMIN).purge(type, id)


def _empty(session: Session, _author: Actor, _chance: random.Random) -> None:
    users = sa.select(Deletion.id).where(Deletion.type == "users")
    if session.scalar(users.limit(1)) is None:
        TrashService(session, ADMIN).purge_older(clock.now(), 2)


_DEEDS: tuple[tuple[Deed, int], ...] = (
    *((_publish, 6), (_comment, 8), (_answer, 4), (_edit, 4), (_like, 8), (_show, 4)),
    *((_delete, 8), (_suspend, 3), (_restore, 8), (_revive, 4), (_purge, 2), (_empty, 1)),
)


def _any(session: Session, chance: random.Random, model: Any) -> Any:
    return _one(chance, session.scalars(_ids(model)).all())


def _ids(model: Any) -> sa.Select[Any]:
    return sa.select(model.id).where(model.deleted_at.is_(None)).order_by(model.id)


def _root(session: Session, chance: random.Random) -> Any:
    roots = sa.select(Deletion.type, Deletion.item_id).order_by(Deletion.id)
    return _one(chance, session.execute(roots).all())


def _one(chance: random.Random, found: Any) -> Any:
    if not found:
        raise NotFound()
    return chance.choice(found)
