"""Uploads that break off, race or find the disk full: no row without bytes, no bytes left over."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import Config
from models import Change, Content, ContentHold, File, User
from services import clock, contents
from services.storage import Storage, storage_of
from services.storage.folder import FolderStorage
from services.transaction import transact
from tests import databases
from tests.conftest import MakeDatabase
from tests.faults import storing
from tests.faults.proofs import LONG, write_result
from tests.processes import together
from tests.servers import LiveServer, live_server
from tests.sockets import workers

#: Uploads that are killed half-way.
UPLOADS = 100 if LONG else 24
SEED = 20_261_120
FILES = "/api/v1/files"
#: Uploads of each process that races with others.
TIMES = 40 if LONG else 8
#: Bytes of a content; large enough that a kill finds it at any stage.
SIZE = 3_000_000


@pytest.fixture
def server(make_database: MakeDatabase, tmp_path: Path) -> Iterator[LiveServer]:
    """A server of its own, since its workers are going to be killed."""
    with live_server(make_database("uploads"), tmp_path) as running:
        yield running


def test_killed_half_way_leave_nothing_behind(
    server: LiveServer, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, token = random.Random(SEED), server.admin_token
    told: dict[str, str] = {}
    rounds = 0
    while len(told) < UPLOADS:
        rounds += 1
        _kill_some(server, token, chance, told, breaks_off=rounds % 2 == 1)

    stored = {sha256 for sha256, status in told.items() if status == "201"}
    with _opened(server) as (session, storage):
        found = session.execute(sa.select(File.sha256, File.size)).all()
        assert stored <= {row.sha256 for row in found}  # what was acknowledged is there
        for row in found:
            assert _sha256(storage, row.sha256) == row.sha256

        later = clock.now() + contents.LEASE + timedelta(minutes=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        swept = contents.sweep(session, lambda: storage)
        _start_later(server)

        rows = set(session.scalars(sa.select(Content.sha256)))
        assert rows == set(session.scalars(sa.select(File.sha256)))
        assert session.scalars(sa.select(ContentHold)).all() == []
        assert _kept(server) == rows
        logged = sa.select(Change.id).where(Change.type == "files", Change.op == "create")
        assert set(session.scalars(logged)) == set(session.scalars(sa.select(File.id)))
    write_result(
        f"uploads-{backend}",
        {
            "uploads": len(told),
            "seed": SEED,
            "acknowledged": len(stored),
            "swept": swept,
            "orphan_rows": 0,
            "orphan_files": 0,
        },
    )


def _kill_some(
    server: LiveServer, token: str, chance: random.Random, told: dict[str, str], *, breaks_off: bool
) -> None:
    """Kill every worker while six uploads come in, and wait until others answer."""
    senders = [
        threading.Thread(target=_send, args=(server, token, chance.randbytes(SIZE), told))
        for _ in range(6)
    ]
    for sender in senders:
        sender.start()
    if breaks_off:
        _break_off(server, token, chance)
    time.sleep(chance.uniform(0.05, 0.5))
    for worker in workers(server):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    for sender in senders:
        sender.join()
    _wait(server)


def _send(server: LiveServer, token: str, content: bytes, told: dict[str, str]) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    told[sha256] = "broken"
    with suppress(httpx.TransportError), server.caller(token) as client:
        answer = client.post(FILES, files={"files": ("a.bin", content)})
        told[sha256] = str(answer.status_code)


def _break_off(server: LiveServer, token: str, chance: random.Random) -> None:
    """Send a part of an upload, then go away."""
    url = httpx.URL(server.url)
    head = (
        f"POST {FILES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {SIZE}\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    )
    with suppress(OSError), socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(head.encode() + chance.randbytes(chance.randrange(SIZE // 2)))


def _wait(server: LiveServer) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError), server.caller() as client:
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.02)
    raise AssertionError(server.log[-2000:])


@contextmanager
def _opened(server: LiveServer) -> Iterator[tuple[Session, Storage]]:
    config = Config(
        DATABASE_URL=server.database_url,
        DATA_DIR=server.data_dir,
        SECRET_KEY="0123456789abcdef" * 3,
    )
    engine = databases.connect(server.database_url)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session, storage_of(config)
    engine.dispose()


def _start_later(server: LiveServer) -> None:
    """Do what a process does at its start, some hours later: remove what never got its name."""
    folder = server.data_dir / "files"
    for draft in folder.glob(".draft-*"):
        os.utime(draft, (0, 0))
    FolderStorage(folder)


def _kept(server: LiveServer) -> set[str]:
    """Return the names of all files in the folder of contents."""
    return {path.name for path in (server.data_dir / "files").rglob("*") if path.is_file()}


def _sha256(storage: Storage, key: str) -> str:
    return hashlib.sha256(b"".join(storage.open(key))).hexdigest()


class TestEqualContents:
    def test_come_and_go_and_are_there_as_long_as_a_file_has_them(
        self,
        session: Session,
        ada: User,
        mallory: User,
        config: Config,
        tmp_path: Path,
    ) -> None:
        own = replace(config, FILES_DIR=tmp_path)
        each = [(own, user.id, TIMES) for user in (ada, mallory) * 3]

        damaged = together(storing.come_and_go, each)

        assert damaged == [0] * len(each)
        kept = set(session.scalars(sa.select(File.sha256)))
        assert len(kept) == 1  # the last file of each stays
        assert set(session.scalars(sa.select(Content.sha256))) == kept
        assert session.scalars(sa.select(ContentHold)).all() == []
        assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == kept

    def test_of_the_dead_are_left_to_those_who_store_them(
        self, session: Session, config: Config, tmp_path: Path
    ) -> None:
        storage = storage_of(replace(config, FILES_DIR=tmp_path))
        sha256 = hashlib.sha256(b"a").hexdigest()
        transact(session, lambda: contents.hold(session, {sha256: 1}))
        storage.put(sha256, BytesIO(b"a"), 1)
        transact(session, lambda: contents.let_go(session, [sha256]))

        dropped = contents.sweep(session, lambda: storage)

        assert dropped == 0
        assert storage.stat(sha256)


def test_a_quota_is_exact_however_many_upload(
    session: Session, ada: User, config: Config, tmp_path: Path
) -> None:
    own = replace(config, FILES_DIR=tmp_path, QUOTA_BYTES=20 * storing.SIZE + 1)

    stored = together(storing.fill, [(own, ada.id, 8)] * 6)

    assert sum(stored) == 20
    assert session.scalar(sa.select(sa.func.sum(File.size))) == 20 * storing.SIZE
    rows = set(session.scalars(sa.select(Content.sha256)))
    assert len(rows) == 20
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == rows
    assert session.scalars(sa.select(ContentHold)).all() == []


class TestFullDisk:
    def test_refuses_uploads_until_there_is_room(
        self, make_server: Callable[..., LiveServer]
    ) -> None:
        server = make_server(WORKERS=1)
        with server.admin as admin:
            before = admin.post(FILES, files={"files": ("a.txt", b"Hello.")}).raise_for_status()
            url = before.json()["items"][0]["data"]["url"]
            form = {"files": ("a.bin", os.urandom(8_000_000))}
            with _limited(server, 6_000_000):
                full = admin.post(FILES, files=form)
                read = admin.get(url)
            after = admin.post(FILES, files=form)

        assert (full.status_code, full.json()["code"]) == (507, "insufficient-storage")
        assert (read.status_code, read.content) == (200, b"Hello.")
        assert after.status_code == 201
        with _opened(server) as (session, _storage):
            rows = set(session.scalars(sa.select(Content.sha256)))
            assert len(rows) == 2
            assert _kept(server) == rows
            assert session.scalars(sa.select(ContentHold)).all() == []


@contextmanager
def _limited(server: LiveServer, most: int) -> Iterator[None]:
    """Let no file of the workers grow beyond ``most`` bytes, as if the disk were full."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers(server)}
    for pid, (_soft, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
