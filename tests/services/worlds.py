"""Random worlds of users, posts and talk with a past, made by the services; and how they move."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Deletion, Post, User
from services.actor import Actor
from services.comments import CommentService
from services.errors import ServiceError
from services.follows import FollowerService
from services.likes import LikeService
from services.posts import PostService
from services.text import LENGTHS, Text
from services.transaction import transact
from services.transfer import Line, Options, Refusal, Report, Shapes, export, import_records
from services.trash import TrashService
from services.users import UserService
from services.validation import Many, Member, Moment, Record, Whole
from tests.factories import PASSWORD_HASH
from tests.services.direct import Clock

ADMIN = Actor(0, "admin", via="command")
NAMES = ("Ada", "bob-2", "Grace_H", "mallory", "Zoë", "root")
TITLES = ("Hello", "Żółw & co", "日本語", "Ünïcödé", "About <b>it</b>", "'; DROP TABLE posts --")
BODIES = (
    "It is *about* something.",
    "# Größe\n\n<script>alert(1)</script> & `code` \u2028 \U0001f600",
    "e&#x301; " + "&#x301;" * 40 + "\ttab\r\nline\x01\x85",
    "word " * 80,
)
TAGS = ("python", "Flask", "straße", "ÉTÉ", "数学")


def _of(kind: Any) -> Text:
    least, most = LENGTHS[kind]
    return Text(kind=kind, min_length=least, max_length=most)


#: As api/users.py, api/posts.py and api/comments.py declare them; a test compares the two.
SHAPES = Shapes(
    user=Record(
        {
            "username": Member(_of("username"), required=True),
            "email": Member(_of("email"), required=True),
            "name": Member(Text(max_length=100), nullable=True),
            "bio": Member(Text(kind="text", max_length=500), nullable=True),
            "role": Member(Text(choices=("reader", "author", "editor", "admin"))),
            "password": Member(_of("password"), required=True),
        }
    ),
    post=Record(
        {
            "title": Member(Text(min_length=1, max_length=200), required=True),
            "body": Member(Text(kind="text", min_length=1, max_length=100_000), required=True),
            "slug": Member(_of("slug")),
            "excerpt": Member(Text(kind="text", max_length=500)),
            "status": Member(Text(choices=("draft", "published", "archived"))),
            "published_at": Member(Moment(), nullable=True),
            "tags": Member(Many(_of("tag"), max_items=20)),
        }
    ),
    comment=Record(
        {
            "parent_id": Member(Whole(minimum=1), nullable=True),
            "body": Member(Text(kind="text", min_length=1, max_length=5_000), required=True),
        }
    ),
)


#: Lines as people write them, and of an export.
ADA: dict[str, Any] = {"type": "user", "username": "Ada", "email": "ada@example.com"}
NOTE: dict[str, Any] = {
    "type": "post",
    "author": "ada",
    "slug": "note",
    "title": "Note",
    "body": "*Note*",
}
HEADER = {"type": "header", "format": "signpost", "version": 1}
DAY = "2026-01-02T03:04:05.678Z"
REVISION: dict[str, Any] = {
    "type": "revision",
    "post": "note",
    "version": 1,
    "at": DAY,
    "by": "ada",
    "contents": {
        "title": "Draft",
        "body": "Old",
        "slug": "note",
        "excerpt": "Old",
        "status": "draft",
        "published_at": None,
        "tags": [],
    },
}
KEPT = NOTE | {"version": 2, "has_revisions": True}


class World:
    """Users and posts that change at random; the clock is ours."""

    def __init__(self, session: Session, clock: Clock, seed: int) -> None:
        self._session, self._clock = session, clock
        self._chance = random.Random(seed)
        for name in NAMES:
            ascii_name = name.encode("ascii", "replace").decode().replace("?", "-")
            self._do(partial(self._make_user, name, ascii_name))

    def live(self, steps: int) -> None:
        """Let that many things happen; some of them are refused."""
        for _ in range(steps):
            self._clock.advance(milliseconds=self._chance.choice([0, 1, 400, 90_000]))
            self._do(self._chance.choice(self._deeds()))

    def _deeds(self) -> list[Callable[[], object]]:
        return [
            *[self._write] * 4,
            *[self._edit] * 4,
            *[self._comment] * 6,
            *[self._like, self._like, self._follow, self._edit_comment, self._delete_comment],
            *[self._delete, self._delete, self._restore, self._suspend, self._promote],
            *[self._delete_user, self._set_password, self._purge],
        ]

    def _do(self, deed: Callable[[], object]) -> None:
        with suppress(ServiceError):
            transact(self._session, deed)
        self._session.expunge_all()

    def _make_user(self, name: str, key: str) -> None:
        data = {"username": key, "email": f"{key}@example.com", "name": name}
        role = "admin" if name == "root" else self._chance.choice(["reader", "author", "editor"])
        data |= {"role": role, "password_hash": PASSWORD_HASH, "bio": f"I am\n{name}."}
        UserService(self._session, ADMIN).create(data)

    def _write(self) -> None:
        author = self._user()
        actor = Actor(author.id, "editor")
        data = {**self._contents(), "status": "draft", "slug": None} | self._publication()
        PostService(self._session, actor).create(PostService.prepare(data))

    def _contents(self) -> dict[str, Any]:
        pick = self._chance.choice
        tags = self._chance.sample(TAGS, self._chance.randint(0, 3))
        data = {"title": pick(TITLES), "body": pick(BODIES), "tags": tags}
        return data | pick([{}, {"excerpt": "An own one, ø"}])

    def _publication(self) -> dict[str, Any]:
        wait = self._chance.choice([None, -100, 3_600])
        moment = None if wait is None else self._clock.time + timedelta(seconds=wait)
        return {"status": self._chance.choice(["draft", "published", "archived"])} | {
            "published_at": moment
        }

    def _edit(self) -> None:
        changes = self._chance.choice(
            [
                self._contents(),
                self._publication(),
                {"slug": f"slug-{self._chance.randint(1, 9)}"},
                {"excerpt": None},
            ]
        )
        actor = Actor(self._user().id, "editor")
        post = self._any(sa.select(Post.id))
        PostService(self._session, actor).patch(post, PostService.prepare(changes), None)

    def _comment(self) -> None:
        data: dict[str, Any] = {"body": self._chance.choice(BODIES)}
        parent = self._chance.choice([None, *self._session.scalars(sa.select(Comment.id))])
        if parent is not None:
            of_it = sa.select(Comment.post_id).where(Comment.id == parent)
            data |= {"parent_id": parent, "post_id": self._session.scalars(of_it).one()}
        else:
            data["post_id"] = self._any(sa.select(Post.id))
        CommentService(self._session, Actor(self._user().id, "editor")).create(data)

    def _edit_comment(self) -> None:
        service = CommentService(self._session, Actor(self._user().id, "editor"))
        changes = {"body": self._chance.choice(BODIES)}
        service.patch(self._any(sa.select(Comment.id)), changes, None)

    def _delete_comment(self) -> None:
        actor = self._chance.choice([ADMIN, Actor(self._user().id, "editor")])
        CommentService(self._session, actor).delete(self._any(sa.select(Comment.id)))

    def _like(self) -> None:
        service = LikeService(self._session, Actor(self._user().id, "editor"))
        service.relate(self._any(sa.select(Post.id)))

    def _follow(self) -> None:
        service = FollowerService(self._session, Actor(self._user().id, "reader"))
        service.relate(self._user().id)

    def _delete(self) -> None:
        actor = self._chance.choice([ADMIN, Actor(self._user().id, "editor")])
        PostService(self._session, actor).delete(self._any(sa.select(Post.id)))

    def _delete_user(self) -> None:
        actor = self._chance.choice([ADMIN, Actor(self._user().id, "admin")])
        UserService(self._session, actor).delete(self._user().id)

    def _suspend(self) -> None:
        user = self._user()
        status = "suspended" if user.status == "active" else "active"
        UserService(self._session, ADMIN).patch(user.id, {"status": status}, None)

    def _promote(self) -> None:
        role = self._chance.choice(["reader", "author", "editor", "admin"])
        actor = replace(ADMIN, id=self._user().id)
        UserService(self._session, actor).patch(self._user().id, {"role": role}, None)

    def _set_password(self) -> None:
        UserService(self._session, ADMIN).set_password(self._user().id, PASSWORD_HASH)

    def _restore(self) -> None:
        root = self._root()
        slug = self._chance.choice([None, f"slug-{self._chance.randint(1, 9)}"])
        TrashService(self._session, ADMIN).restore(root.type, root.item_id, slug)

    def _purge(self) -> None:
        root = self._root()
        if root.type != "users" or self._chance.random() < 0.2:  # else few users are left
            TrashService(self._session, ADMIN).purge(root.type, root.item_id)

    def _user(self) -> User:
        return self._session.get_one(User, self._any(sa.select(User.id)))

    def _root(self) -> Deletion:
        return self._session.get_one(Deletion, self._any(sa.select(Deletion.id)))

    def _any(self, ids: sa.Select[Any]) -> int:
        found = sorted(self._session.scalars(ids))
        if not found:
            raise ServiceError
        return int(self._chance.choice(found))


def exported(engine: sa.Engine, **options: Any) -> bytes:
    """Return an export as a whole."""
    return b"".join(export(engine, **options))


def imported(
    engine: sa.Engine, records: Iterable[dict[str, Any]] | bytes, **options: Any
) -> tuple[Report, list[Refusal]]:
    """Import records, or the lines of an export; return what became of them, and the refused."""
    if isinstance(records, bytes):
        records = [orjson.loads(line) for line in records.splitlines()]
    lines = [Line(number, "test", record) for number, record in enumerate(records, 1)]
    refused: list[Refusal] = []
    chosen = Options(SHAPES, refused=refused.append, **options)
    return import_records(engine, lines, chosen), refused


def faults(refused: Iterable[Refusal]) -> list[tuple[int, str, str]]:
    """Return line, field and code of everything that was wrong."""
    return [(each.number, fault.field, fault.code) for each in refused for fault in each.faults]


def rows(session: Session, model: type[Any]) -> list[Any]:
    """Return all rows of a table."""
    session.expunge_all()
    found = list(session.scalars(sa.select(model).order_by(*sa.inspect(model).primary_key)))
    session.expunge_all()  # before the rollback, after which they would be read anew
    session.rollback()
    return found
