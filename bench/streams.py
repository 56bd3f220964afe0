"""``python -m bench.streams``: all posts as NDJSON and as CSV, how fast and in how much memory.

For each database: start Signpost on it, seed it, stream everything a few times to one reader that
throws it away; the best round counts. Timings never fail it.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import databases
from bench.seed import POSTS, seed
from bench.servers import Server, signpost
from models.engine import database_url

TYPES = ("application/x-ndjson", "text/csv")
_ROUNDS = 5
_CHUNK = 2**18


class Round(NamedTuple):
    """One stream: seconds, seconds of CPU in the workers, bytes."""

    seconds: float
    cpu: float
    size: int


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--databases", nargs="+", choices=databases.NAMES, default=list(databases.NAMES)
    )
    parser.add_argument("--posts", type=int, default=POSTS)
    options = parser.parse_args()
    for name in options.databases:
        _measure(name, options.posts)


def _measure(name: str, posts: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signpost-bench-")))
        url = stack.enter_context(databases.database(name, folder))
        server = signpost(url, folder)
        stack.callback(server.stop)
        server.start()
        seed(database_url(url), posts=posts, report=lambda _: None)
        _stream(server, TYPES[0], "/api/v1/users")
        before = server.resident_megabytes()
        for kind in TYPES:
            best = min(_stream(server, kind, "/api/v1/posts") for _ in range(_ROUNDS))
            print(
                f"{name}: {kind}: {best.size / 1e6:.0f} MB in {best.seconds:.2f} s,"
                f" {best.size / best.seconds / 1e6:.0f} MB/s, {posts / best.seconds:,.0f} rows/s,"
                f" {best.cpu / posts * 1e6:.0f} us of CPU a row"
            )
        print(f"{name}: a worker {before:.0f} MB before, {server.peak_megabytes():.0f} MB at most")


def _stream(server: Server, kind: str, path: str) -> Round:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    started, cpu, size = time.perf_counter(), server.cpu_seconds(), 0
    connection.request("GET", path, headers={"Accept": kind})
    answer = connection.getresponse()
    while part := answer.read1(_CHUNK):
        size += len(part)
    connection.close()
    return Round(time.perf_counter() - started, server.cpu_seconds() - cpu, size)


if __name__ == "__main__":
    main()
