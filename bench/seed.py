"""Fill a migrated database with what is read: ``python -m bench.seed [DATABASE_URL]``.

1,000 users and 20,000 published posts of about 2 KB, and their words; neither log nor revisions.
The tables must be there already.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import argon2
import click
import nh3
import pyromark
import sqlalchemy as sa

from bench import texts
from models import POST_WORDS, USER_WORDS, Post, PostTag, Tag, User
from models.engine import WRITES, database_url, engine_options, prepare
from models.tag import key_of
from models.words import count, document, leveled

USERS = 1_000
POSTS = 20_000
#: Distinct bodies; each is rendered once.
TEXTS = 400
#: Of every seeded user.
PASSWORD = "correct horse battery staple"
_BATCH = 1_000
_SLUG = "bench-post-"
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=17)

Row = dict[str, Any]
Report = Callable[[str], object]


def username(number: int) -> str:
    """Return the name of the ``number``-th seeded user, counted from 0."""
    return f"bench{number:04}"


def seed(
    url: sa.URL, *, users: int = USERS, posts: int = POSTS, report: Report = click.echo
) -> None:
    """Insert users and posts in bulk, in one transaction."""
    _fill(url, users, range(posts), report)


def add_posts(url: sa.URL, posts: int, report: Report = click.echo) -> None:
    """Insert more posts by the users there are, until there are so many."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        seeded = sa.select(sa.func.count()).where(Post.slug.like(f"{_SLUG}%"))
        there = connection.scalar(seeded) or 0
    engine.dispose()
    if there < posts:
        _fill(url, 0, range(there, posts), report)


def _fill(url: sa.URL, users: int, posts: range, report: Report) -> None:
    started = time.perf_counter()
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare(engine)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if users:
            _insert_users(connection, users)
        user_ids = list(connection.scalars(sa.select(User.id).where(User.username.like("bench%"))))
        for done in _insert_posts(connection, posts, user_ids):
            report(f"  {done:>6} of {posts.stop} posts, {time.perf_counter() - started:.1f} s")
        _count_tags(connection)
    if engine.dialect.name == "postgresql":
        analyze(engine)
    engine.dispose()


def _insert_users(connection: sa.Connection, count: int) -> None:
    password_hash = argon2.PasswordHasher().hash(PASSWORD)
    rows = [_user(number, password_hash) for number in range(count)]
    connection.execute(sa.insert(User), rows)
    found = connection.execute(sa.select(User.id, User.username, User.name)).all()
    words = [
        {"rowid": id, "words": document((name, full or ""), leveled({}))}
        for id, name, full in found
    ]
    connection.execute(sa.delete(USER_WORDS))
    connection.execute(sa.insert(USER_WORDS), words)


def _insert_posts(connection: sa.Connection, numbers: range, user_ids: list[int]) -> Iterator[int]:
    bodies = [texts.body(number) for number in range(TEXTS)]
    rendered = [(body, _render(body), count(body)) for body in bodies]
    last = connection.scalar(sa.select(sa.func.max(Post.id))) or 0
    for start in range(numbers.start, numbers.stop, _BATCH):
        batch = range(start, min(start + _BATCH, numbers.stop))
        ids = range(last + 1, last + 1 + len(batch))
        last = ids[-1]
        rows = []
        for id, number in zip(ids, batch, strict=True):
            body, html, _ = rendered[number % TEXTS]
            author_id = user_ids[number * 7 % len(user_ids)]
            rows.append({"id": id, **_post(number, author_id, body, html)})
        connection.execute(sa.insert(Post), rows)
        _index(connection, rows, [rendered[number % TEXTS][2] for number in batch])
        yield batch.stop
    if connection.dialect.name == "postgresql":  # which gives ids of its own from here on
        sequence = sa.func.pg_get_serial_sequence("posts", "id")
        connection.execute(sa.select(sa.func.setval(sequence, last)))


def _index(connection: sa.Connection, posts: list[Row], counted: list[Counter[str]]) -> None:
    """Insert tags and words."""
    tags = [{"post_id": post["id"], "key": key_of(tag)} for post in posts for tag in post["tags"]]
    connection.execute(sa.insert(PostTag), tags)
    words = [
        {"rowid": post["id"], "words": document((post["title"], *post["tags"]), leveled(counts))}
        for post, counts in zip(posts, counted, strict=True)
    ]
    connection.execute(sa.insert(POST_WORDS), words)


def _count_tags(connection: sa.Connection) -> None:
    """Count the posts of each tag, which is called by its key."""
    of = sa.select(PostTag.key, PostTag.key, sa.func.count()).join(Post, Post.id == PostTag.post_id)
    counts = of.where(Post.status == "published", Post.deleted_at.is_(None)).group_by(PostTag.key)
    connection.execute(sa.delete(Tag))
    connection.execute(sa.insert(Tag).from_select(["key", "name", "posts_count"], counts))


def analyze(engine: sa.Engine) -> None:
    """Do at once what autovacuum would do soon; SQLite gets none in production either."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE")


def _user(number: int, password_hash: str) -> Row:
    name = username(number)
    return {
        "username": name,
        "username_key": name,
        "email": f"{name}@example.org",
        "email_key": f"{name}@example.org",
        "email_verified": True,
        "password_hash": password_hash,
        "name": f"Bench User {number}",
        "bio": None,
        "created_at": _BEGIN,
        "updated_at": _BEGIN,
    }


def _post(number: int, author_id: int, body: str, html: str) -> Row:
    # What is added later is older: nothing may lie in the future.
    at = _BEGIN + (number if number < POSTS else POSTS - 1 - number) * _STEP
    return {
        "author_id": author_id,
        "title": texts.title(number),
        "body": body,
        "html": html,
        "slug": f"{_SLUG}{number}",
        "excerpt": body[:200],
        "status": "published",
        "published_at": at,
        "tags": texts.tags(number),
        "created_at": at,
        "updated_at": at,
    }


def _render(markdown: str) -> str:
    return nh3.clean(pyromark.html(markdown, options=pyromark.Options.ENABLE_TABLES))


if __name__ == "__main__":
    seed(database_url(sys.argv[1] if len(sys.argv) > 1 else os.environ["DATABASE_URL"]))
