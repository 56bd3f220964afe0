"""Random histories of users, posts and comments, made by the services.

They are seen by a model in plain Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Deletion, Post, User
from services import log
from services.actor import Actor
from services.changes import ChangeService, Cursor
from services.comments import CommentService
from services.errors import ServiceError
from services.posts import PostService
from services.transaction import reading, transact
from services.trash import TrashService
from services.users import UserService
from tests.factories import actor_of, make_user

#: (type, id)
Key = tuple[str, int]
START = datetime(2026, 11, 20, 6, tzinfo=UTC)
STATUSES = ("draft", "published", "published", "archived")


@dataclass
class Copy:
    """What a client keeps; it applies what the feed says and notes what it must never say."""

    actor: Actor | None
    since: Cursor | None = None
    items: dict[Key, int] = field(default_factory=dict)
    """Versions of what is there."""
    told: dict[Key, int] = field(default_factory=dict)
    """The last version of everything that was told."""
    pages: int = 0

    def read(self, session: Session, limit: int) -> bool:
        """Apply one page; return whether there are more."""
        with reading(session):
            page = ChangeService(session, self.actor).page(self.since, limit=limit)
        for item in page.items:
            key = (item.type, item.id)
            assert item.version >= self.told.get(key, 0), f"{key} out of order"
            self.told[key] = item.version
            if item.op == "upsert":
                assert item.data.id == item.id
                self.items[key] = item.version
            else:
                self.items.pop(key, None)
        assert len(page.items) <= limit
        self.since = page.next
        self.pages += 1
        return page.more

    def catch_up(self, session: Session, limit: int = 100) -> None:
        """Apply pages until there are no more."""
        while self.read(session, limit):
            pass


def world(session: Session) -> tuple[list[Any], list[Any], list[Any]]:
    """Return every row of users, posts and comments, whoever may see it."""
    session.rollback()
    rows = [list(session.execute(sa.select(model.__table__))) for model in (User, Post, Comment)]
    session.rollback()
    return rows[0], rows[1], rows[2]


def visible(
    users: list[Any], posts: list[Any], comments: list[Any], actor: Actor | None, time: datetime
) -> dict[Key, int]:
    """Return the versions of what ``actor`` may see, by the rules written anew."""
    me, role = (actor.id, actor.role) if actor else (None, None)
    authors = {user.id: user for user in users if user.deleted_at is None}
    seen = {}
    for user in authors.values():
        if user.status == "active" or user.id == me or role == "admin":
            seen["users", user.id] = user.version
    for post in posts:
        if post.deleted_at is None and (author := authors.get(post.author_id)):
            is_out = post.status == "published" and post.published_at <= time
            is_public = is_out and author.status == "active"
            if is_public or post.author_id == me or role in {"editor", "admin"}:
                seen["posts", post.id] = post.version
    for comment in comments:
        author = authors.get(comment.author_id)
        is_there = comment.deleted_at is None and ("posts", comment.post_id) in seen
        if is_there and author and (author.status == "active" or role in {"editor", "admin"}):
            seen["comments", comment.id] = comment.version
    return seen


def counted(users: list[Any], posts: list[Any], comments: list[Any]) -> dict[int, int]:
    """Return how many comments each post has, by the rules written anew."""
    there = {user.id for user in users if user.deleted_at is None and user.status == "active"}
    found = {post.id: 0 for post in posts if post.deleted_at is None}
    for comment in comments:
        if comment.deleted_at is None and comment.author_id in there:
            found[comment.post_id] += 1
    return found


class History:
    """One world whose clock is ours; ``step`` does something random in it."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.chance = random.Random(seed)
        self.time = START
        names = {"ada": "author", "mallory": "author", "bob": "reader"}
        names |= {"grace": "editor", "root": "admin"}
        self.users = {
            name: actor_of(make_user(session, f"{name}-{seed}", role=role))
            for name, role in names.items()
        }
        session.expunge_all()
        self.admin = self.users["root"]
        self.copies = [Copy(None), *map(Copy, self.users.values())]
        self.ever: dict[int, set[Key]] = {n: set() for n in range(len(self.copies))}

    def now(self) -> datetime:
        """Return this world's time."""
        return self.time

    def step(self) -> None:
        """Do one thing: a change, some time, or some reading by somebody."""
        self.chance.choice([self._change] * 5 + [self._wait, self._read, self._read])()
        self._look(self.session)
        for n, copy in enumerate(self.copies):
            assert copy.told.keys() <= self.ever[n], "told of what was never to be seen"

    def finish(self) -> None:
        """Have every copy catch up; each must be what its owner may see then; so must counts."""
        users, posts, comments = world(self.session)
        kept = {post.id: post.comments_count for post in posts if post.deleted_at is None}
        assert kept == counted(users, posts, comments)
        for copy in self.copies:
            copy.catch_up(self.session, self.chance.randint(1, 5))
            assert copy.items == visible(*world(self.session), copy.actor, self.time)

    def _wait(self) -> None:
        self.time += timedelta(seconds=self.chance.choice([1, 5, 30, 90]))

    def _read(self) -> None:
        copy = self.chance.choice(self.copies)
        limit = self.chance.randint(1, 4)
        if self.chance.random() < 0.5:
            copy.read(self.session, limit)
        else:
            copy.catch_up(self.session, limit)

    def _change(self) -> None:
        self.time += timedelta(milliseconds=self.chance.choice([0, 1, 400]))
        change = self.chance.choice(
            [
                *(self._create, self._create, self._patch, self._patch, self._patch, self._delete),
                *(self._restore, self._restore, self._suspend, self._delete_user, self._purge),
                *(self._comment, self._comment, self._comment, self._edit, self._delete_comment),
            ]
        )
        with suppress(ServiceError):
            transact(self.session, lambda: self._slowly(change))
        self.session.expunge_all()

    def _slowly(self, change: Callable[[], None]) -> None:
        """Let time pass, and sometimes somebody read, between a change and its commit."""
        change()
        self.time += timedelta(seconds=self.chance.choice([0, 0, 0.01, 3, 15]))
        if self.chance.random() < 0.3:
            with Session(self.session.get_bind()) as session:
                self._look(session)
                self.chance.choice(self.copies).read(session, limit=3)

    def _look(self, session: Session) -> None:
        """Note what each may see now, as far ahead as audiences look."""
        rows = world(session)
        for n, copy in enumerate(self.copies):
            self.ever[n] |= visible(*rows, copy.actor, self.time + log.FORESIGHT).keys()

    def _create(self) -> None:
        author = self.chance.choice(["ada", "mallory"])
        data = {"title": "T", "body": "B", **self._publication()}
        service = PostService(self.session, self.users[author])
        service.create(PostService.prepare(data))

    def _publication(self) -> dict[str, Any]:
        wait = self.chance.choice([None, -100, -1, 1, 10, 60, 100])
        moment = None if wait is None else self.time + timedelta(seconds=wait)
        return {"status": self.chance.choice(STATUSES), "published_at": moment}

    def _patch(self) -> None:
        changes = self.chance.choice(
            [{"title": f"T{self.chance.random()}"}, self._publication(), self._publication()]
        )
        PostService(self.session, self.admin).patch(self._any(Post), changes, None)

    def _delete(self) -> None:
        PostService(self.session, self.admin).delete(self._any(Post))

    def _comment(self) -> None:
        author = self.chance.choice(["ada", "mallory", "bob", "grace"])
        data = {"post_id": self._any(Post), "body": "C"}
        if self.chance.random() < 0.5:
            data["parent_id"] = self._any(Comment)
        CommentService(self.session, self.users[author]).create(data)

    def _edit(self) -> None:
        changes = {"body": f"C{self.chance.random()}"}
        CommentService(self.session, self.admin).patch(self._any(Comment), changes, None)

    def _delete_comment(self) -> None:
        CommentService(self.session, self.admin).delete(self._any(Comment))

    def _delete_user(self) -> None:
        UserService(self.session, self.admin).delete(self._somebody())

    def _suspend(self) -> None:
        id = self._somebody()
        status = self.session.scalar(sa.select(User.status).where(User.id == id))
        turned = "suspended" if status == "active" else "active"
        UserService(self.session, self.admin).patch(id, {"status": turned}, None)

    def _restore(self) -> None:
        root = self._root()
        TrashService(self.session, self.admin).restore(root.type, root.item_id)

    def _purge(self) -> None:
        root = self._root()
        if root.type != "users":  # of a user there is nobody left to tell
            TrashService(self.session, self.admin).purge(root.type, root.item_id)

    def _somebody(self) -> int:
        return self.users[self.chance.choice(["ada", "mallory", "bob"])].id

    def _any(self, model: type[Post] | type[Comment]) -> int:
        return int(self._pick(self.session.scalars(sa.select(model.id).order_by(model.id)).all()))

    def _root(self) -> Any:
        columns = sa.select(Deletion.type, Deletion.item_id).order_by(Deletion.id)
        return self._pick(self.session.execute(columns).all())

    def _pick(self, choices: Any) -> Any:
        if not choices:
            raise ServiceError
        return self.chance.choice(choices)
