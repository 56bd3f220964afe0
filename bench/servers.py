"""Servers under test: started on a free port, asked until they answer, weighed, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

_ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
#: Of the admin whom Signpost's first start makes.
ADMIN_PASSWORD = "a long enough one, for once"
#: Seconds until a start counts as failed.
_PATIENCE = 30.0


class NotStarted(Exception):
    """A server ended, or did not answer in time; the message has its last lines."""


class Server:
    """A process that serves HTTP with workers of its own.

    Args:
        name: for messages and its log file.
        command: what to run; ``{port}`` in it is replaced.
        environment: its settings; nothing else but PATH is passed on.
        probe: a path whose first 200 ends the start.
        folder: where its log goes.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        probe: str,
        folder: Path,
    ) -> None:
        self.name = name
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [part.format(port=self.port) for part in command]
        self.environment = {"PATH": os.environ["PATH"], "PORT": str(self.port), **environment}
        self._probe = self.url + probe
        self._log = folder / f"{name}.log"
        self.served = 0
        """Requests since its last start."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> float:
        """Start it and return the seconds until its first answer.

        Raises:
            NotStarted: it ended, or took more than 30 s.
        """
        self.served, started = 0, time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=_ROOT, env=self.environment, stdout=log, stderr=log
            )
        while not _answers(self._probe):
            if self._process.poll() is not None or time.perf_counter() - started > _PATIENCE:
                self.stop()
                raise NotStarted(f"{self.name} did not start:\n{self.last_lines()}")
            time.sleep(0.005)
        return time.perf_counter() - started

    def stop(self) -> None:
        """End it in good order, within 35 s."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(35)
        except subprocess.TimeoutExpired:
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer requests."""
        assert self._process is not None
        return [pid for pid in _descendants(self._process.pid) if _is_worker(pid)]

    def cpu_seconds(self) -> float:
        """Return the CPU time, user and system, of all workers so far."""
        return sum(_cpu_seconds(pid) for pid in self.workers())

    def resident_megabytes(self) -> float:
        """Return the resident size of the largest worker."""
        return max(_resident(pid) for pid in self.workers())

    def peak_megabytes(self) -> float:
        """Return the largest resident size that any worker had so far."""
        return max(_peak(pid) for pid in self.workers())

    def forget_peak(self) -> None:
        """Have ``peak_megabytes`` begin anew with what the workers have now."""
        for pid in self.workers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def last_lines(self) -> str:
        """Return the end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def signpost(database_url: str, folder: Path) -> Server:
    """Return Signpost as ``make run`` starts it, without rate limits."""
    environment = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder / "data"),
        "RATE_LIMITS": "off",
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    command = [sys.executable, "-m", "api.serve"]
    return Server("signpost", command, environment, probe="/api/v1/posts?limit=1", folder=folder)


def textbook(database_url: str, folder: Path, *, workers: int, threads: int) -> Server:
    """Return the textbook app behind the same server with as many workers and threads."""
    environment = {"DATABASE_URL": database_url, "SECRET_KEY": "0123456789" * 4}
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "{port}"),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        "bench.textbook.wsgi:app",
    ]
    return Server("textbook", command, environment, probe="/api/posts?per_page=1", folder=folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own URL
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (child, *_descendants(child))]


def _is_worker(pid: int) -> bool:
    return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu_seconds(pid: int) -> float:
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / _TICKS


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
