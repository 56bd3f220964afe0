"""Exports users, posts, what is said about them and the trash, a page at a time, as lines of JSON.

All of it is as of one moment. Memory does not grow with the number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from models import Change, Comment, Deletion, Follow, Like, Post, PostSlug, Revision, User
from services.comments import CommentService
from services.posts import PostService
from services.times import format_time
from services.transaction import meaning
from services.transfer import talk_lines as talk
from services.transfer.lines import FORMAT, NO_PASSWORD, VERSIONS
from services.transfer.shapes import LOCAL
from services.users import UserService

#: Rows of one statement.
PAGE = 200
_FIELDS = {
    "user": UserService.history,
    "post": PostService.history,
    "comment": CommentService.history,
}


def export(engine: sa.Engine, *, passwords: bool = True) -> Iterator[bytes]:
    """Yield the lines of an export, each with its line break.

    Args:
        passwords: with their hashes.

    Raises:
        Unavailable: the database is away or too slow.
    """
    count = 0
    yield _line({"type": "header", "format": FORMAT, "version": VERSIONS[-1]})
    with _snapshot(engine) as connection:
        pages = _Pages(connection, passwords)
        users = (pages.users(), pages.deletions(), pages.histories())
        for part in (*users, pages.posts(), pages.follows()):
            for record in part:
                count += 1
                yield _line(record)
    yield _line({"type": "end", "records": count})


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect so that all statements see the same moment, and nobody has to wait for them."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            # Whoever reads the lines may be slow.
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        else:
            connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        except SQLAlchemyError as exc:
            raise meaning(exc) from exc
        finally:
            connection.rollback()


class _Pages:
    """The rows of one moment, by id, as records."""

    def __init__(self, connection: sa.Connection, passwords: bool) -> None:
        self._connection, self._passwords = connection, passwords

    def users(self) -> Iterator[dict[str, Any]]:
        """Yield all users, those in the trash too."""
        for page in self._pages(sa.select(User.__table__), User.id):
            yield from (self._user(row) for row in page)

    def deletions(self) -> Iterator[dict[str, Any]]:
        """Yield who deleted the users in the trash."""
        by = sa.orm.aliased(User)
        statement = (
            sa.select(User.id, User.username, by.username.label("by"))
            .join(Deletion, Deletion.id == User.deletion_id)
            .join(by, by.id == Deletion.deleted_by)
        )
        for page in self._pages(statement, User.id):
            for row in page:
                yield {"type": "deletion", "user": row.username, "by": row.by}

    def histories(self) -> Iterator[dict[str, Any]]:
        """Yield the revisions of all users."""
        statement = sa.select(User.id, User.username, User.updated_at)
        for page in self._pages(statement, User.id):
            users = {row.id: row for row in page}
            for row in self._revisions("users", list(users)):
                user = users[row.id]
                yield _revision("user", user.username, user, row)

    def posts(self) -> Iterator[dict[str, Any]]:
        """Yield all posts, those in the trash too, each with its revisions after it."""
        by = sa.orm.aliased(User)
        statement = (
            sa.select(
                *(c for c in Post.__table__.columns if c.key != "html"),
                User.username.label("author"),
                Deletion.type.label("deletion_type"),
                by.username.label("deleted_by"),
            )
            .join(User, User.id == Post.author_id)
            .outerjoin(Deletion, Deletion.id == Post.deletion_id)
            .outerjoin(by, by.id == Deletion.deleted_by)
        )
        for page in self._pages(statement, Post.id):
            ids = [row.id for row in page]
            former = self._former(ids)
            revisions = Merged((row.id, row) for row in self._revisions("posts", ids))
            comments, likes = Merged(self._comments(ids)), Merged(self._likes(ids))
            for row in page:
                yield _post(row, former.get(row.id, []))
                for revision in revisions.of(row.id):
                    yield _revision("post", row.slug, row, revision)
                yield from comments.of(row.id)
                yield from likes.of(row.id)

    def follows(self) -> Iterator[dict[str, Any]]:
        """Yield who follows whom."""
        for page in self._pages(talk.FOLLOWS, Follow.id):
            yield from (talk.follow(row) for row in page)

    def _comments(self, posts: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the comments on some posts, each with its revisions after it."""
        for page in self._streamed(talk.COMMENTS.where(Comment.post_id.in_(posts))):
            revisions = defaultdict(list)
            for revision in self._revisions("comments", sorted(row.id for row in page)):
                revisions[revision.id].append(revision)
            for row in page:
                yield row.post_id, talk.comment(row) | _life(row) | talk.end_of(row)
                for revision in revisions[row.id]:
                    yield row.post_id, _revision("comment", row.slug, row, revision)

    def _likes(self, posts: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        for page in self._streamed(talk.LIKES.where(Like.post_id.in_(posts))):
            yield from ((row.post_id, talk.like(row)) for row in page)

    def _streamed(self, statement: Any) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement whose order no index has, sorted once."""
        found = self._connection.execute(
            statement, execution_options={"stream_results": True, "yield_per": PAGE}
        )
        yield from found.partitions()

    def _pages(self, statement: Any, id: Any) -> Iterator[Sequence[Any]]:
        last = 0
        while True:
            page = statement.where(id > last).order_by(id).limit(PAGE)
            rows = self._connection.execute(page).all()
            if rows:
                yield rows
                last = rows[-1].id
            if len(rows) < PAGE:
                return

    def _revisions(self, type: str, ids: list[int]) -> Iterator[Any]:
        """Yield the revisions of some items, in their order; who made each, and when."""
        # Begun and ended by the key, or SQLite looks through those of all items before.
        last = (ids[0], 0)
        own = sa.and_(Revision.type == type, Revision.id.in_(ids), Revision.id <= ids[-1])
        key = sa.tuple_(Revision.id, Revision.version)
        while True:
            page = _REVISIONS.where(own, key > last).limit(PAGE)
            rows = self._connection.execute(page).all()
            yield from rows
            if len(rows) < PAGE:
                return
            last = (rows[-1].id, rows[-1].version)

    def _former(self, ids: list[int]) -> dict[int, list[str]]:
        statement = sa.select(PostSlug.post_id, PostSlug.slug).where(PostSlug.post_id.in_(ids))
        found: dict[int, list[str]] = {}
        for post_id, slug in self._connection.execute(statement.order_by(PostSlug.id)):
            found.setdefault(post_id, []).append(slug)
        return found

    def _user(self, row: Any) -> dict[str, Any]:
        names = ("username", "email", "email_verified", "name", "bio", "role", "status")
        record = {"type": "user", **{name: getattr(row, name) for name in names}}
        if self._passwords and row.password_hash != NO_PASSWORD:
            record["password_hash"] = row.password_hash
        record |= _life(row)
        if row.deleted_at is not None:
            record["deleted_at"] = format_time(row.deleted_at)
        return record


class Merged:
    """Records in the order of what they belong to, taken by that."""

    def __init__(self, records: Iterable[tuple[int, Any]]) -> None:
        self._records = iter(records)
        self._next = next(self._records, None)

    def of(self, id: int) -> Iterator[Any]:
        """Yield those that are next, as long as they belong to ``id``."""
        while self._next is not None and self._next[0] == id:
            yield self._next[1]
            self._next = next(self._records, None)


def _post(row: Any, former: list[str]) -> dict[str, Any]:
    names = ("author", "slug", "title", "body")
    record = {"type": "post", **{name: getattr(row, name) for name in names}}
    if row.has_own_excerpt:
        record["excerpt"] = row.excerpt
    record |= {"status": row.status, "published_at": _time(row.published_at), "tags": row.tags}
    if former:
        record["former_slugs"] = former
    record |= _life(row)
    if row.deletion_type == "posts":
        record |= {"deleted_at": format_time(row.deleted_at), "deleted_by": row.deleted_by}
    elif row.deletion_type is not None:
        record["deleted_with_author"] = True
    return record


def _life(row: Any) -> dict[str, Any]:
    return {
        "version": row.version,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
        "has_revisions": True,
    }


def _revision(kind: str, name: str, item: Any, row: Any) -> dict[str, Any]:
    contents = {field: row.snapshot.get(field) for field in _FIELDS[kind] if field not in LOCAL}
    if published_at := contents.get("published_at"):
        contents["published_at"] = format_time(datetime.fromisoformat(published_at))
    return {
        "type": "revision",
        kind: name,
        "version": row.version,
        "at": format_time(row.at or item.updated_at),  # the log may not reach back to it
        "by": row.by,
        "contents": contents,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _line(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _first(column: Any) -> sa.ScalarSelect[Any]:
    """Select of the change that made a version: later ones may only tell of its audience."""
    made = (Change.type == Revision.type, Change.id == Revision.id)
    statement = sa.select(column).where(*made, Change.version == Revision.version)
    return statement.order_by(Change.seq).limit(1).scalar_subquery()


_MAKER = sa.case((Revision.made_at.is_not(None), Revision.made_by), else_=_first(Change.actor_id))
_REVISIONS = (
    sa.select(
        Revision.id,
        Revision.version,
        Revision.snapshot,
        sa.func.coalesce(Revision.made_at, _first(Change.at)).label("at"),
        User.username.label("by"),
    )
    .outerjoin(User, User.id == _MAKER)
    .order_by(Revision.id, Revision.version)
)
