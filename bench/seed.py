"""Fill a migrated database with what is read: ``python -m bench.seed [DATABASE_URL]``.

1,000 users and 20,000 published posts of about 2 KB; neither log nor revisions. The tables must be
there already.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import argon2
import click
import nh3
import pyromark
import sqlalchemy as sa

from bench import texts
from models import Post, PostTag, User
from models.engine import database_url, engine_options, prepare

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
    started = time.perf_counter()
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare(engine)
    with engine.begin() as connection:
        user_ids = _insert_users(connection, users)
        for done in _insert_posts(connection, posts, user_ids):
            report(f"  {done:>6} of {posts} posts, {time.perf_counter() - started:.1f} s")
        _insert_tags(connection)
    if engine.dialect.name == "postgresql":
        _analyze(engine)
    engine.dispose()


def _insert_users(connection: sa.Connection, count: int) -> list[int]:
    password_hash = argon2.PasswordHasher().hash(PASSWORD)
    rows = [_user(number, password_hash) for number in range(count)]
    connection.execute(sa.insert(User), rows)
    return list(connection.scalars(sa.select(User.id).where(User.username.like("bench%"))))


def _insert_posts(connection: sa.Connection, count: int, user_ids: list[int]) -> Iterator[int]:
    bodies = [texts.body(number) for number in range(TEXTS)]
    rendered = [(body, _render(body)) for body in bodies]
    for start in range(0, count, _BATCH):
        rows = [
            _post(number, user_ids[number * 7 % len(user_ids)], *rendered[number % TEXTS])
            for number in range(start, min(start + _BATCH, count))
        ]
        connection.execute(sa.insert(Post), rows)
        yield start + len(rows)


def _insert_tags(connection: sa.Connection) -> None:
    posts = connection.execute(sa.select(Post.id, Post.tags).where(Post.slug.like(f"{_SLUG}%")))
    index = [{"post_id": id, "key": tag.casefold()} for id, tags in posts for tag in tags]
    connection.execute(sa.insert(PostTag), index)


def _analyze(engine: sa.Engine) -> None:
    """Do at once what autovacuum would do soon; SQLite gets none in production either."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
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
    at = _BEGIN + number * _STEP
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
