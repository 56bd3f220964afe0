"""A real S3 server of the tests' own: ``rclone serve s3`` over a folder; it checks signatures."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY, SECRET, BUCKET = "signpost", "a violin in Oslo", "contents"
_PATIENCE = 20.0


@dataclass(frozen=True)
class Store:
    """A running server with one bucket, whose objects are files of a folder."""

    process: subprocess.Popen[bytes]
    url: str
    bucket: Path

    @property
    def settings(self) -> dict[str, Any]:
        """What a service needs to be told to use it."""
        return {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT": self.url,
            "S3_ACCESS_KEY": KEY,
            "S3_SECRET_KEY": SECRET,
        }

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it accept connections and say nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """Run a server until the end of the block."""
    bucket = folder / "objects" / BUCKET
    bucket.mkdir(parents=True)
    program = Path(sys.executable).with_name("rclone")
    log = folder / "log"
    command = [str(program), "serve", "s3", "--config", "/dev/null", "--addr", "127.0.0.1:0"]
    command += ["--auth-key", f"{KEY},{SECRET}", "--dir-cache-time", "0s"]
    with log.open("wb") as lines:
        process = subprocess.Popen([*command, str(bucket.parent)], stdout=lines, stderr=lines)
    try:
        yield Store(process, _url(process, log), bucket)
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        shutil.rmtree(bucket.parent)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until it listens, and return where."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"\[(http://127\.0\.0\.1:\d+)/", log.read_text()):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(log.read_text())
