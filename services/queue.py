"""The queue of SQLite's writers: one at a time over all processes.

Whose turn it is at the lock file also runs what other threads of its process want to write
meanwhile, one transaction each: to wake a thread takes half as long as its write. A lock ends with
its process, however that ends.

Source: docs/decisions/0003-databases.md; Hendler et al., "Flat combining", SPAA 2010.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


class NoTurn(Exception):
    """It took too long, or the lock file cannot be opened or locked."""


#: Seconds for which a process keeps the lock while others may wait, and then stands back.
SHARE, BREATH = 0.01, 0.001
#: Seconds between two looks at the lock file, at first and at most.
_POLL, _MAX_POLL = 0.0001, 0.0008


@contextmanager
def turn(path: str, patience: float) -> Iterator[None]:
    """Hold the lock file ``path``; wait for it ``patience`` seconds at most.

    Raises:
        NoTurn
    """
    ends, pause = time.monotonic() + patience, _POLL
    file = _opened(path)
    try:
        while not _is_locked_now(file):
            if time.monotonic() > ends:
                raise NoTurn("others were writing all the time")
            time.sleep(pause)
            pause = min(_MAX_POLL, pause * 1.5)
        yield
    finally:
        os.close(file)


def run(path: str, write: Callable[[], T], patience: float) -> T:
    """Run ``write``, in whichever thread, once it is its turn at the lock file ``path``.

    Raises:
        NoTurn: not within ``patience`` seconds.
    """
    result: T = _line(path, os.getpid()).run(_Job(write, patience))
    return result


class _Job:
    """What one thread wants to write; it sleeps until that is done, or it has to lead."""

    def __init__(self, write: Callable[[], Any], patience: float) -> None:
        self._write, self._context = write, copy_context()
        self._result: Any = None
        self._failure: BaseException | None = None
        self.is_done = False
        self.woken = threading.Lock()
        self.woken.acquire()
        self.ends = time.monotonic() + patience

    @property
    def patience(self) -> float:
        """The seconds that are left."""
        return max(0.0, self.ends - time.monotonic())

    def do(self) -> None:
        try:
            self._result = self._context.run(self._write)
        except BaseException as exc:  # noqa: BLE001 - its own thread raises it
            self._failure = exc
        self.is_done = True

    def result(self) -> Any:
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
            return self._result
        finally:
            del failure  # its traceback has this frame: they would keep each other, and the session


class _Line:
    """The jobs of this process that wait for its turn, and whether somebody leads them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._is_led = False
        self._since = self._left = 0.0  # when this process began to hold the lock, and let go of it

    def run(self, job: _Job) -> Any:
        with self._mutex:
            follows, self._is_led = self._is_led, True
            if follows:
                self._waiting.append(job)
        if follows:
            self._wait(job)
        if not job.is_done:
            self._stand_back(follows)
            self._lead(job)
        return job.result()

    def _wait(self, job: _Job) -> None:
        if not job.woken.acquire(timeout=job.patience):
            with self._mutex:
                if job in self._waiting:
                    self._waiting.remove(job)
                    raise NoTurn("others were writing all the time")
            job.woken.acquire()  # it was called at the last moment

    def _stand_back(self, follows: bool) -> None:
        """Let others ask: a lock that is free goes to who asks first: us again."""
        now = time.monotonic()
        if follows or (now - self._left < BREATH and now - self._since > SHARE):
            time.sleep(BREATH)

    def _lead(self, own: _Job) -> None:
        done = []
        try:
            with turn(self._path, own.patience):
                if (now := time.monotonic()) - self._left > BREATH:
                    self._since = now
                own.do()
                ends = time.monotonic() + SHARE
                while time.monotonic() < ends and (job := self._next()):
                    done.append(job)  # woken now, it would only contend for the interpreter
                    job.do()
        finally:
            self._left = time.monotonic()
            for job in done:
                job.woken.release()
            with self._mutex:
                heir = self._waiting.popleft() if self._waiting else None
                self._is_led = heir is not None
            if heir:
                heir.woken.release()

    def _next(self) -> _Job | None:
        with self._mutex:
            return self._waiting.popleft() if self._waiting else None


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as exc:  # too many open files, a lost disk
        raise NoTurn("the lock file cannot be opened") from exc


@lru_cache(16)
def _line(path: str, _process: int) -> _Line:
    return _Line(path)


if sys.platform == "win32":
    import msvcrt

    def _is_locked_now(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _is_locked_now(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as exc:  # no locks left, or none on this file system
            raise NoTurn("the lock file cannot be locked") from exc
        return True
