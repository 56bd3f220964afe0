"""What the processes of the concurrency tests do; each connects by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Deletion, Post
from services.actor import Actor
from services.errors import ServiceError, Stale
from services.hooks import hooks
from services.posts import PostService
from services.transaction import transact
from services.trash import TrashService
from tests import databases
from tests.processes import running

ADMIN = Actor(0, "admin", via="system")


@contextmanager
def session_of(url: str) -> Iterator[Session]:
    """Give a session like that of a request."""
    engine = databases.connect(url)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session
    engine.dispose()


def write_posts(url: str, author_id: int, seed: int, count: int) -> int:
    """Do ``count`` random things to posts, anybody's; return how many succeeded."""
    chance = random.Random(seed)
    author = Actor(author_id, "author")
    done = 0
    with session_of(url) as session:
        for _ in range(count):
            with suppress(ServiceError):
                transact(session, _something(session, author, chance))
                done += 1
            session.expunge_all()
    return done


@contextmanager
def writing(
    url: str, author_id: int, *, processes: int, count: int
) -> Iterator[Callable[[], bool]]:
    """Run ``write_posts`` in processes; gives a function that tells whether all have ended."""
    each = [(url, author_id, seed, count) for seed in range(processes)]
    with running(write_posts, each) as results, ThreadPoolExecutor(1) as waiter:
        ended = waiter.submit(results)
        yield ended.done
        assert sum(ended.result()) > processes * count / 3


def _something(session: Session, author: Actor, chance: random.Random) -> Callable[[], object]:
    kind = chance.choice(["create", "patch", "patch", "publish", "hide", "delete", "restore"])
    if kind == "create":
        status = chance.choice(["draft", "published"])
        data = PostService.prepare(
            {"title": f"Post {chance.random()}", "body": "x", "status": status}
        )
        return lambda: PostService(session, author).create(data)
    if kind == "restore":
        return lambda: _restore(session, chance)
    changes = {
        "patch": {"title": f"Title {chance.random()}"},
        "publish": {"status": "published"},
        "hide": {"status": "draft"},
    }.get(kind)
    return lambda: _change(session, chance, changes)


def _change(session: Session, chance: random.Random, changes: dict[str, Any] | None) -> None:
    living = sa.select(Post.id).where(Post.deleted_at.is_(None)).order_by(Post.id)
    if not (ids := session.scalars(living).all()):
        return
    service, id = PostService(session, ADMIN), chance.choice(ids)
    if changes is None:
        service.delete(id)
    else:
        service.patch(id, changes, None)


def _restore(session: Session, chance: random.Random) -> None:
    roots = session.scalars(sa.select(Deletion.item_id).order_by(Deletion.id)).all()
    if roots:
        TrashService(session, ADMIN).restore("posts", chance.choice(roots))


def count_up(url: str, id: int, times: int) -> float:
    """Add 1 to the number in a post's title ``times`` times; return the longest wait in s."""
    longest = 0.0
    with session_of(url) as session:
        for _ in range(times):
            started = time.monotonic()
            transact(session, lambda: count_once(session, id))
            longest = max(longest, time.monotonic() - started)
            session.expunge_all()
    return longest


def count_once(session: Session, id: int) -> None:
    """Add 1 to the number in a post's title: read it, then write it."""
    service = PostService(session, ADMIN)
    post = service.load(id, "update")
    service.patch(id, {"title": str(int(post.title) + 1)}, None)


def change_version_1(url: str, id: int, title: str) -> bool:
    """Change a post whose version is expected to be 1; return whether that succeeded."""
    with session_of(url) as session:
        try:
            transact(
                session,
                lambda: PostService(session, ADMIN).patch(id, {"title": title}, frozenset({1})),
            )
        except Stale:
            return False
    return True


def count_up_heard(url: str, id: int, times: int) -> list[int]:
    """Do as ``count_up``; return the versions that a hook in this process is told of."""
    heard: list[int] = []
    hooks.configure([lambda changes: heard.extend(each.version for each in changes)])
    count_up(url, id, times)
    return heard
