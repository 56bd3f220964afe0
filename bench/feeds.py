"""The feed at 100,000 posts, beside the list of all posts: of who follows many, few, nobody."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

import httpx
import sqlalchemy as sa

from bench import client, seed
from bench.report import Row
from bench.servers import Server
from models import Follow, Post, User
from models.engine import WRITES, database_url, engine_options, prepare
from services import clock

if TYPE_CHECKING:
    from bench.measures import Setting

#: Posts of the collection, and authors who have written nothing for ten years.
MANY, SILENT = 100_000, 100
_LIST, _FEED = "/api/v1/posts", "/api/v1/feed"
#: A header that nobody knows: the answer might depend on it, so none that was kept is sent.
_MADE_ANEW = {"X-Made-Anew": "1"}
#: Times that each is asked for, in turns.
_TIMES = 200
#: What the seeded users follow, by number: none themselves.
_FOLLOWED = {
    "500 authors": range(1, 501),
    "5 authors": range(10, 15),
    "100 silent authors": range(seed.USERS - SILENT, seed.USERS),
    "nobody": range(0),
}


def feed(setting: Setting) -> list[Row]:
    """Ask for lists and feeds in turns, one after the other. Adds posts: comes last."""
    url = database_url(setting.signpost.environment["DATABASE_URL"])
    seed.add_posts(url, MANY, report=lambda _line: None)
    _relate(url)
    return [_beside_all(setting.signpost, number, whom) for number, whom in enumerate(_FOLLOWED)]


def _beside_all(server: Server, number: int, whom: str) -> Row:
    """Compare one user's feed with the list of all posts, as they see it."""
    headers = client.bearer(client.token(server, number)) | _MADE_ANEW
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as caller:
        for path in (_LIST, _FEED) * 20:
            caller.get(path).raise_for_status()
        times = [
            (_milliseconds(caller, _LIST), _milliseconds(caller, _FEED)) for _ in range(_TIMES)
        ]
    all_posts, own = (median(column) for column in zip(*times, strict=True))
    return Row(
        f"feed of who follows {whom}, beside the list",
        f"{own / all_posts:.2f} x (p50 {all_posts:.1f} -> {own:.1f} ms)",
        "within 3 x" if number == 0 else "",
        own / all_posts <= 3 if number == 0 else None,
        {"list": all_posts, "feed": own},
    )


def _milliseconds(caller: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    caller.get(path).raise_for_status()
    return (time.perf_counter() - started) * 1_000


def _relate(url: sa.URL) -> None:
    """Have the first users follow others, and some authors have fallen silent long ago."""
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare(engine)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        found = sa.select(User.id).where(User.username.like("bench%")).order_by(User.username)
        users = list(connection.scalars(found))
        follows = [
            {"follower_id": users[n], "followed_id": users[each], "created_at": clock.now()}
            for n, whom in enumerate(_FOLLOWED.values())
            for each in whom
        ]
        connection.execute(sa.insert(Follow), follows)
        silent = sa.select(Post.id, Post.published_at).where(Post.author_id.in_(users[-SILENT:]))
        older = [
            {"post": id, "at": at - timedelta(days=3650)}
            for id, at in connection.execute(silent)
            if at
        ]
        moved = sa.update(Post).where(Post.id == sa.bindparam("post"))
        connection.execute(moved.values(published_at=sa.bindparam("at")), older)
    engine.dispose()
