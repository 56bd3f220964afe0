"""Storages, the folder and a real S3 server alike: bytes come back as they went, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from config import Config
from services.errors import Unavailable
from services.storage import CHUNK, Missing, Storage, storage_of
from tests.sockets import eventually
from tests.stores import Store

NOTHING = "0" * 64


def key_of(content: bytes) -> str:
    """Return the key of a content."""
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["folder", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    """What the storage is."""
    return str(request.param)


@pytest.fixture(scope="module")
def in_s3(s3: Store, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A storage in a bucket: it takes a while to make."""
    folder = tmp_path_factory.mktemp("data")
    return storage_of(configured(folder, **s3.settings, S3_PUBLIC_ENDPOINT=s3.url))


@pytest.fixture
def storage(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Storage:
    """A storage of each kind."""
    if kind == "folder":
        return storage_of(configured(tmp_path))
    made: Storage = request.getfixturevalue("in_s3")
    return made


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def configured(folder: Path, **settings: Any) -> Config:
    """Return settings with a data folder of the test's own."""
    return Config(DATA_DIR=folder, SECRET_KEY="0123456789abcdef" * 3, **settings)


def size_of(storage: Storage, key: str) -> int | None:
    """Return the size of an object; None also while the storage is away."""
    with suppress(Unavailable):
        found = storage.stat(key)
        return found.size if found else None
    return None


def stored(storage: Storage, content: bytes) -> str:
    """Put a content; return its key."""
    storage.put(key_of(content), io.BytesIO(content), len(content))
    return key_of(content)


class TestPut:
    @pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 9 * 2**20])
    def test_gives_back_what_it_took(self, storage: Storage, size: int) -> None:
        content = os.urandom(size)
        key = stored(storage, content)
        assert b"".join(storage.open(key)) == content
        assert size_of(storage, key) == size

    def test_takes_a_draft(self, storage: Storage) -> None:
        content = os.urandom(3 * CHUNK)
        with storage.draft() as draft:
            draft.write(content)
            draft.seek(0)
            storage.put(key_of(content), draft, len(content))
        assert b"".join(storage.open(key_of(content))) == content

    def test_takes_no_more_than_it_was_told(self, storage: Storage) -> None:
        key = key_of(b"told")
        with storage.draft() as draft:
            draft.write(b"told and more")
            draft.seek(0)
            storage.put(key, draft, 4)
        assert b"".join(storage.open(key)) == b"told"

    @pytest.mark.parametrize("size", [3, 9 * 2**20])
    def test_stores_nothing_of_a_source_that_is_too_short(
        self, storage: Storage, size: int
    ) -> None:
        with pytest.raises(ValueError, match="missing"):
            storage.put(NOTHING, io.BytesIO(bytes(size - 1)), size)
        assert storage.stat(NOTHING) is None

    def test_stores_nothing_of_a_source_that_fails(self, storage: Storage) -> None:
        class Failing(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            storage.put(NOTHING, Failing(), 9)
        assert storage.stat(NOTHING) is None

    def test_replaces_what_is_there(self, storage: Storage) -> None:
        key = stored(storage, b"right")
        storage.put(key, io.BytesIO(b"wrong"), 5)
        before = storage.stat(key)
        stored(storage, b"right")
        assert b"".join(storage.open(key)) == b"right"
        assert storage.stat(key) != before

    @pytest.mark.parametrize(
        "key", ["", "../x", "/etc/passwd", "0" * 63, f"{NOTHING}-x.webp", "A" * 64]
    )
    def test_refuses_keys_that_are_not_ours(self, storage: Storage, key: str) -> None:
        for call in (storage.stat, storage.open, storage.delete):
            with pytest.raises(ValueError, match="not a key"):
                call(key)
        with pytest.raises(ValueError, match="not a key"):
            storage.put(key, io.BytesIO(b"x"), 1)

    def test_keeps_thumbnails_beside_contents(self, storage: Storage) -> None:
        storage.put(f"{NOTHING}-320.webp", io.BytesIO(b"small"), 5)
        assert b"".join(storage.open(f"{NOTHING}-320.webp")) == b"small"
        assert storage.stat(NOTHING) is None
        storage.delete(f"{NOTHING}-320.webp")


class TestOpen:
    @pytest.mark.parametrize(
        ("start", "end"), [(0, 5), (3, 3), (5, None), (99_999, None), (7, 200_000), (100_000, None)]
    )
    def test_gives_a_part(self, storage: Storage, start: int, end: int | None) -> None:
        content = os.urandom(100_000)
        key = stored(storage, content)
        assert b"".join(storage.open(key, start, end)) == content[start:end]

    def test_of_nothing_says_so_at_once(self, storage: Storage) -> None:
        with pytest.raises(Missing):
            storage.open(NOTHING)

    def test_lets_go_what_was_not_read(self, storage: Storage) -> None:
        key = stored(storage, os.urandom(9 * CHUNK))
        before = open_files()
        for _ in range(20):
            pieces = storage.open(key)
            assert next(pieces)
            pieces.close()
            pieces.close()
        assert open_files() <= before + 1  # of S3, a connection that waits for the next question

    def test_needs_no_more_memory_for_more(self, storage: Storage) -> None:
        size = 40 * 2**20
        with storage.draft() as draft:
            draft.truncate(size)  # of zeros
            tracemalloc.start()
            storage.put(NOTHING, draft, size)
            read = sum(len(piece) for piece in storage.open(NOTHING))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        storage.delete(NOTHING)
        assert read == size
        assert peak < 20 * 2**20  # S3 has a part and copies of it


class TestDelete:
    def test_removes_it(self, storage: Storage) -> None:
        key = stored(storage, b"gone")
        storage.delete(key)
        assert storage.stat(key) is None

    def test_of_nothing_is_fine(self, storage: Storage) -> None:
        storage.delete(NOTHING)

    def test_leaves_open_what_is_being_read(self, storage: Storage) -> None:
        content = os.urandom(4 * CHUNK)
        with storage.open(stored(storage, content)) as pieces:
            first = next(pieces)
            storage.delete(key_of(content))
            assert first + b"".join(pieces) == content


class TestFolder:
    @pytest.fixture(params=["folder"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_is_for_the_service_alone(self, storage: Storage, tmp_path: Path) -> None:
        stored(storage, b"secret")
        assert {path.stat().st_mode & 0o077 for path in (tmp_path / "files").rglob("*")} == {0}

    def test_holds_nothing_but_contents(self, storage: Storage, tmp_path: Path) -> None:
        key = stored(storage, b"one")
        stored(storage, b"one")
        with pytest.raises(ValueError, match="missing"):
            storage.put(NOTHING, io.BytesIO(b"x"), 2)
        found = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
        assert found == [tmp_path / "files" / key[:2] / key[2:4] / key]

    def test_works_where_files_need_names(
        self, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.storage.folder._NAMELESS", None)
        key = stored(storage, b"named")
        found = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
        assert [path.name for path in found] == [key]
        assert found[0].read_bytes() == b"named"

    def test_sweeps_what_a_crash_left(self, tmp_path: Path) -> None:
        old, new = tmp_path / "files" / ".draft-old", tmp_path / "files" / ".draft-new"
        old.parent.mkdir()
        for path in (old, new):
            path.touch()
        os.utime(old, (0, 0))
        storage_of(configured(tmp_path, S3_REGION="of this test"))
        assert (old.exists(), new.exists()) == (False, True)

    def test_sweeps_once_an_hour_while_it_is_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = storage_of(configured(tmp_path, S3_REGION="of this test, too"))
        stored(storage, b"makes the folder")
        left, started = tmp_path / "files" / ".draft-left", time.time()
        left.touch()

        found = []
        for minutes in (1, 59, 61):
            monkeypatch.setattr(time, "time", lambda minutes=minutes: started + 60 * minutes)
            stored(storage, b"another")
            found.append(left.exists())

        assert found == [True, True, False]

    def test_says_when_it_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "files").write_text("in the way")
        storage = storage_of(configured(tmp_path))
        with pytest.raises(Unavailable):
            stored(storage, b"x")
        assert "cannot be written" in str(storage.check())

    def test_has_no_url(self, storage: Storage) -> None:
        assert storage.url(NOTHING, "inline", "image/png", 60) is None
        assert storage.check() is None


class TestS3:
    def test_gives_urls_that_say_what_they_are(self, in_s3: Storage) -> None:
        url = in_s3.url(stored(in_s3, b"shown"), 'inline; filename="a.png"', "image/png", 60)
        answer = httpx.get(str(url))
        assert answer.content == b"shown"
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"] == 'inline; filename="a.png"'

    def test_gives_urls_that_cannot_be_changed(self, in_s3: Storage) -> None:
        url = str(in_s3.url(stored(in_s3, b"shown"), "attachment", "image/png", 60))
        for changed in (
            url.replace("image%2Fpng", "text%2Fhtml"),
            url.replace("attachment", "inline"),
            url.replace("Expires=60", "Expires=6000"),
            url.partition("?")[0],
        ):
            assert changed != url
            assert httpx.get(changed).status_code in {400, 403}

    def test_gives_no_url_unless_clients_may_use_it(self, s3: Store, tmp_path: Path) -> None:
        storage = storage_of(configured(tmp_path, **s3.settings))
        assert storage.url(NOTHING, "inline", "image/png", 60) is None

    def test_that_is_frozen_is_noticed_within_five_seconds(self, s3: Store, in_s3: Storage) -> None:
        key = stored(in_s3, b"frozen")
        with s3.frozen():
            for call in (lambda: in_s3.open(key), lambda: stored(in_s3, b"never")):
                started = time.monotonic()
                with pytest.raises(Unavailable):
                    call()
                assert time.monotonic() - started < 5
            started = time.monotonic()
            with pytest.raises(Unavailable):  # it is left alone for a while
                in_s3.delete(key)
            assert time.monotonic() - started < 1
        eventually(lambda: in_s3.check() is None and size_of(in_s3, key) == 6)
        assert b"".join(in_s3.open(key)) == b"frozen"

    def test_that_is_away_is_noticed_at_once(self, tmp_path: Path) -> None:
        away = {"S3_BUCKET": "contents", "S3_ENDPOINT": "http://127.0.0.1:9"}
        storage = storage_of(configured(tmp_path, **away, S3_ACCESS_KEY="x", S3_SECRET_KEY="y"))
        with pytest.raises(Unavailable):
            storage.stat(NOTHING)
        assert "cannot be reached" in str(storage.check())

    def test_with_another_key_is_refused(self, s3: Store, tmp_path: Path) -> None:
        wrong = s3.settings | {"S3_SECRET_KEY": "another"}
        storage = storage_of(configured(tmp_path, **wrong))
        with pytest.raises(Unavailable):
            stored(storage, b"x")
        assert "cannot be reached" in str(storage.check())
