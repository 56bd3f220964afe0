"""Search, at 20,000 and at 100,000 posts, and beside the textbook app's ``LIKE``."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from bench import seed
from bench.report import Row
from bench.servers import Server
from models.engine import database_url

if TYPE_CHECKING:
    from bench.measures import Setting

#: Posts of the larger collection.
MANY = 100_000
#: Words that nine of ten posts have, that some have in their title, that one has, that none has.
_QUERIES = (
    *("river", "river bridge", "stone winter voice", "before music", "example"),
    *("python", "cooking", "17001", "river 4711", "nowhere"),
)
#: Times that each is asked for.
_TIMES, _TIMES_OF_LIKE = 20, 1


def search(setting: Setting) -> list[Row]:
    """Search one after the other, then among five times as many posts. Adds posts: comes last."""
    few = _median(setting.signpost, "/api/v1/posts?q={}", _TIMES)
    url = database_url(setting.signpost.environment["DATABASE_URL"])
    seed.add_posts(url, MANY, report=lambda _line: None)
    many = _median(setting.signpost, "/api/v1/posts?q={}", _TIMES)
    like = _median(setting.textbook, "/api/posts?q={}", _TIMES_OF_LIKE)
    growth, ratio = many / few, like / many
    return [
        Row(
            f"search among {MANY:,} posts, beside {seed.POSTS:,}",
            f"{growth:.2f} x (p50 {few:.1f} -> {many:.1f} ms)",
            "within 2 x",
            growth <= 2,
            {"few": few, "many": many},
        ),
        Row(
            "... beside the textbook's LIKE",
            f"{ratio:,.0f} x ({many:.1f} against {like:,.0f} ms)",
            "200 x",
            ratio >= 200,
            {"like": like},
        ),
    ]


def _median(server: Server, path: str, times: int) -> float:
    """Return the median of all searches in milliseconds, after one round to warm up."""
    paths = [path.format(quote(words)) for words in _QUERIES]
    with httpx.Client(base_url=server.url, timeout=120) as client:
        if times > 1:
            for each in paths * 4:
                client.get(each).raise_for_status()
        return median(_milliseconds(client, each) for each in paths * times)


def _milliseconds(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - started) * 1_000
