"""A post with 10,000 comments: its first page, a deep one, and a page of posts beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bench import client, seed
from bench.load import Request, Sample, load
from bench.report import Row
from models import Comment, Post, User
from models.engine import WRITES, database_url, engine_options, prepare

if TYPE_CHECKING:
    from bench.measures import Setting

MANY = 10_000
_LIMIT, _PAGE = 20, 490
#: A header that Signpost doesn't know: it makes the answer anew instead of sending one it has kept.
_ANEW = {"X-Anew": "1"}
_BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


def comments(setting: Setting) -> list[Row]:
    """Compare pages of the comments on one post with each other, and with one of posts."""
    server = setting.signpost
    post_id = client.newest(server)
    add_comments(database_url(server.environment["DATABASE_URL"]), post_id, MANY)
    path = f"/api/v1/posts/{post_id}/comments?limit={_LIMIT}"
    cursor = client.walk(server, path, _PAGE - 1)
    pages = [path, f"{path}&cursor={cursor}", f"/api/v1/posts?limit={_LIMIT}"]
    samples: list[list[Sample]] = [[] for _ in pages]
    for _ in range(setting.plan.rounds):
        for page, kept in zip(pages, samples, strict=True):
            kept.append(load(server, Request(page, _ANEW), setting.plan.seconds))
    first, deep, posts = (median(sample.rate for sample in kept) for kept in samples)
    loss, ratio = (1 - deep / first) * 100, first / posts
    return [
        Row(
            f"comments of a post with {MANY:,}: page {_PAGE}, beside page 1",
            f"{-loss:+.1f} % ({first:,.0f} -> {deep:,.0f}/s)",
            "within 10 %",
            loss <= 10,
            {"first": first, "deep": deep},
        ),
        Row("... page 1, beside a page of posts", f"{ratio:.2f} x", details={"posts": posts}),
    ]


def add_comments(url: sa.URL, post_id: int, number: int) -> None:
    """Insert comments by the seeded users on one post, every tenth an answer to the one before."""
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare(engine)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        users = sa.select(User.id).where(User.username.like("bench%")).order_by(User.id)
        authors = list(connection.scalars(users))
        last = connection.scalar(sa.select(sa.func.max(Comment.id))) or 0
        rows = [
            {
                "id": last + n,
                "post_id": post_id,
                "author_id": authors[n * 7 % len(authors)],
                "parent_id": last + n - 1 if n % 10 == 0 else None,
                "body": f"Comment {n} says what many say, and then a little more.",
                "version": 1,
                "created_at": _BEGIN + n * timedelta(minutes=1),
                "updated_at": _BEGIN + n * timedelta(minutes=1),
            }
            for n in range(1, number + 1)
        ]
        connection.execute(sa.insert(Comment), rows)
        post = sa.update(Post).where(Post.id == post_id)
        connection.execute(post.values(comments_count=Post.comments_count + number))
        if engine.dialect.name == "postgresql":  # which gives ids of its own from here on
            sequence = sa.func.pg_get_serial_sequence("comments", "id")
            connection.execute(sa.select(sa.func.setval(sequence, last + number)))
    if engine.dialect.name == "postgresql":
        seed.analyze(engine)
    engine.dispose()
