"""Streams of a live server with one place for work: slow readers, leavers, a dead worker."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import databases
from tests.conftest import MakeDatabase
from tests.factories import make_user
from tests.servers import LiveServer, live_server
from tests.sockets import connect, eventually, workers
from tests.streamed import NDJSON, POSTS, fill

#: Posts, and bytes of one on the wire: more in all than sockets take unread.
COUNT, SIZE = 1_500, 15_000


@pytest.fixture(scope="module")
def narrow(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of one worker with one place and many posts."""
    url = make_database("streams")
    engine = databases.connect(url)
    with Session(engine) as session:
        fill(session, make_user(session, "ada"), COUNT, SIZE // 2)
    engine.dispose()
    folder = tmp_path_factory.mktemp("narrow")
    with live_server(url, folder, WORKERS=1, THREADS=1) as server:
        yield server


def begin(server: LiveServer, name: str) -> socket.socket:
    """Ask for all posts by a request of this name, and read but the first bytes of the answer."""
    connection = connect(server)
    head = f"GET {POSTS} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {name}\r\n"
    connection.sendall(f"{head}Accept: application/x-ndjson\r\n\r\n".encode())
    assert connection.recv(1_000).startswith(b"HTTP/1.1 200")
    return connection


def ends(server: LiveServer) -> dict[str, str]:
    """Return how streams ended, by request, as the log says."""
    found = (json.loads(line) for line in server.log.splitlines() if line.startswith("{"))
    return {each["request_id"]: each["outcome"] for each in found if each["event"] == "stream"}


def test_is_whole_and_the_connection_goes_on(narrow: LiveServer) -> None:
    names: list[str] = []
    with narrow.caller() as caller:
        for _ in range(2):
            answer = caller.get(POSTS, headers=NDJSON)
            numbers = {json.loads(line)["title"] for line in answer.text.splitlines()}
            assert numbers == {f"Number {number}" for number in range(COUNT)}
            names.append(answer.headers["X-Request-Id"])
        head = caller.head(POSTS, headers={"Accept": "text/csv"})
        assert (head.status_code, head.content) == (200, b"")
        assert "Content-Length" not in head.headers
    eventually(lambda: [ends(narrow).get(name) for name in names] == ["complete"] * 2)


def test_slow_readers_keep_nobody_waiting(narrow: LiveServer) -> None:
    with ExitStack() as stack:
        # given
        for number in range(8):
            stack.enter_context(closing(begin(narrow, f"slow-{number}")))
        # when
        with narrow.caller() as caller:
            answers = [caller.get(f"{POSTS}?limit=5") for _ in range(20)]
            streamed = caller.get(f"{POSTS}?fields=id", headers=NDJSON)
        # then
        assert {each.status_code for each in answers} == {200}
        assert len(streamed.text.splitlines()) == COUNT
        assert not any(name.startswith("slow") for name in ends(narrow))


def test_slow_readers_hold_no_transaction(narrow: LiveServer) -> None:
    engine = databases.connect(narrow.database_url)
    with closing(begin(narrow, "idle")), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            held = sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert connection.scalar(held) == 0
        else:  # a reader would keep the log from being emptied
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            assert busy == 0
    engine.dispose()


def test_who_leaves_ends_the_work(narrow: LiveServer) -> None:
    begin(narrow, "gone").close()

    eventually(lambda: ends(narrow).get("gone") == "left")


def test_a_stream_that_is_cut_cannot_be_taken_for_whole(narrow: LiveServer) -> None:
    with narrow.caller() as caller, caller.stream("GET", POSTS, headers=NDJSON) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        doomed = workers(narrow)
        for each in doomed:
            os.kill(each, signal.SIGKILL)
        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)
    eventually(lambda: workers(narrow) and not workers(narrow) & doomed)
