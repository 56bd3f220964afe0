"""kill -9 of every worker while others write: what was acknowledged is there, whole, afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from models import Change, Post, PostTag, Revision, Tag
from tests import databases
from tests.conftest import MakeDatabase
from tests.faults.proofs import LONG, write_result
from tests.servers import LiveServer, live_server

ROUNDS = 50 if LONG else 4
WRITERS = 6
SEED = 20_261_120


@dataclass
class Ledger:
    """What the service said is stored: id → title."""

    stored: dict[int, str] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    """Answers that are neither a success nor a refusal to take the request now."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: httpx.Response, title: str) -> None:
        with self.lock:
            self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
            if answer.status_code == 201:
                self.stored[answer.json()["id"]] = title
            elif answer.status_code != 503:
                self.odd.append(f"{answer.request.content!r} {answer.headers} {answer.text}")


@pytest.fixture
def server(make_database: MakeDatabase, tmp_path: Path) -> Iterator[LiveServer]:
    """A server of its own, since its workers are going to be killed."""
    with live_server(make_database("kill"), tmp_path) as running:
        yield running


def test_no_acknowledged_write_is_lost(server: LiveServer, backend: str) -> None:
    chance, ledger, token = random.Random(SEED), Ledger(), server.admin_token
    slowest = 0.0
    for number in range(ROUNDS):
        stop = threading.Event()
        writers = [
            threading.Thread(target=_write, args=(server, token, stop, ledger, f"{number}-{each}"))
            for each in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.1, 0.6))
        for worker in _workers(server):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        slowest = max(slowest, _recovery(server))
        stop.set()
        for writer in writers:
            writer.join()

    assert len(ledger.stored) > ROUNDS
    assert ledger.odd == []
    engine = databases.connect(server.database_url)
    try:
        _check(engine, ledger)
    finally:
        engine.dispose()
    write_result(
        f"kill-{backend}",
        {
            "rounds": ROUNDS,
            "seed": SEED,
            "acknowledged": len(ledger.stored),
            "lost": 0,
            "half_done": 0,
            "slowest_recovery_s": round(slowest, 2),
        },
    )


def _write(
    server: LiveServer, token: str, stop: threading.Event, ledger: Ledger, name: str
) -> None:
    """Create posts until told to stop; a connection that breaks is the point of the exercise."""
    number = 0
    with server.caller(token) as client:
        while not stop.is_set():
            title, number = f"{name}-{number}", number + 1
            with suppress(httpx.TransportError):
                body = {
                    "title": title,
                    "body": "A body.",
                    "status": "published",
                    "tags": ["killed"],
                }
                ledger.note(client.post("/api/v1/posts", json=body), title)


def _workers(server: LiveServer) -> list[int]:
    """Return the processes that the server started."""
    command = ["ps", "-o", "pid=", "--ppid", str(server.process.pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(line) for line in listed.split()]


def _recovery(server: LiveServer) -> float:
    """Wait until the server answers again; return the seconds that it took."""
    started = time.monotonic()
    while time.monotonic() - started < 30:
        with suppress(httpx.TransportError), server.caller() as client:
            if client.get("/readyz").status_code == 200:
                return time.monotonic() - started
        time.sleep(0.01)
    raise AssertionError(f"no answer within 30 s: {server.log[-2000:]}")


def _check(engine: sa.Engine, ledger: Ledger) -> None:
    """Compare the database with the ledger: nothing lost, nothing half done."""
    with engine.connect() as connection:
        titles = {row.id: row.title for row in connection.execute(sa.select(Post.id, Post.title))}
        assert {id: titles.get(id) for id in ledger.stored} == ledger.stored
        for parts in (
            sa.select(Change.id).where(Change.type == "posts", Change.op == "create"),
            sa.select(Revision.id).where(Revision.type == "posts"),
            sa.select(PostTag.post_id),
        ):
            assert set(connection.scalars(parts)) == set(titles)
        counted = connection.scalar(sa.select(Tag.posts_count).where(Tag.key == "killed"))
        assert (counted or 0) == len(titles)
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
