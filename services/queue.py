"""The queue of SQLite's writers: one at a time over all processes.

Whose turn it is at the lock file also runs what other threads of its process want to write
meanwhile: to wake a thread takes half as long as its write. What waits together is written together
(``Together``), for to have the disk keep it takes longer than all the rest. A lock ends with its
process, however that ends.

Source: docs/decisions/0003-databases.md; Hendler et al., "Flat combining", SPAA 2010.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

#: Opens what several writes share: stored as a whole or not at all when it is left.
Together = Callable[[], AbstractContextManager[Any]]
#: Gets what it shares with others, or None if it is alone.
Write = Callable[[Any], T]


class NoTurn(Exception):
    """It took too long, or the lock file cannot be opened or locked."""


class Lost(Exception):
    """Nothing of what was written together is stored; the cause says why."""


#: Writes that are stored together at most.
MOST = 16
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


def run(path: str, write: Write[T], patience: float, together: Together | None = None) -> T:
    """Run ``write``, in whichever thread, once it is its turn at the lock file ``path``.

    Args:
        together: what ``write`` may share with others; None: it may not.

    Raises:
        NoTurn: not within ``patience`` seconds.
        Lost: it went well, and was not stored.
    """
    result: T = _line(path, os.getpid()).run(_Job(write, patience, together))
    return result


def waiting(path: str) -> int:
    """Return how many writes of this process wait for somebody else's."""
    return len(_line(path, os.getpid()).jobs)


class _Job:
    """What one thread wants to write; it sleeps until that is done, or it has to lead."""

    def __init__(self, write: Write[Any], patience: float, together: Together | None) -> None:
        self._write, self._context = write, copy_context()
        self.together = together
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

    def do(self, shared: Any = None) -> None:
        try:
            self._result = self._context.run(self._write, shared)
        except BaseException as exc:  # noqa: BLE001 - its own thread raises it
            self._failure = exc
        self.is_done = True

    def lose(self, cause: BaseException) -> None:
        """Say that it is not stored, whatever came of it."""
        self._failure, self.is_done = Lost(), True
        self._failure.__cause__ = cause

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
        self.jobs: deque[_Job] = deque()
        """Those that wait."""
        self._is_led = False
        self._since = self._left = 0.0  # when this process began to hold the lock, and let go of it

    def run(self, job: _Job) -> Any:
        with self._mutex:
            follows, self._is_led = self._is_led, True
            if follows:
                self.jobs.append(job)
        if follows:
            self._wait(job)
        if not job.is_done:
            self._stand_back(follows)
            self._lead(job)
        return job.result()

    def _wait(self, job: _Job) -> None:
        if not job.woken.acquire(timeout=job.patience):
            with self._mutex:
                if job in self.jobs:
                    self.jobs.remove(job)
                    raise NoTurn("others were writing all the time")
            job.woken.acquire()  # it was called at the last moment

    def _stand_back(self, follows: bool) -> None:
        """Let others ask: a lock that is free goes to who asks first: us again."""
        now = time.monotonic()
        if follows or (now - self._left < BREATH and now - self._since > SHARE):
            time.sleep(BREATH)

    def _lead(self, own: _Job) -> None:
        done: list[_Job] = []
        try:
            with turn(self._path, own.patience):
                if (now := time.monotonic()) - self._left > BREATH:
                    self._since = now
                ends, jobs = time.monotonic() + SHARE, self._next(own)
                while jobs:
                    done += jobs  # woken now, they would only contend for the interpreter
                    _do(jobs)
                    jobs = self._next() if time.monotonic() < ends else []
        finally:
            self._left = time.monotonic()
            for job in done[1:]:
                job.woken.release()
            with self._mutex:
                heir = self.jobs.popleft() if self.jobs else None
                self._is_led = heir is not None
            if heir:
                heir.woken.release()

    def _next(self, own: _Job | None = None) -> list[_Job]:
        """Take the next job, ``own`` if given, and those behind it that may share with it."""
        with self._mutex:
            jobs = [own] if own else [self.jobs.popleft()] if self.jobs else []
            while jobs and jobs[0].together and len(jobs) < MOST:
                if not self.jobs or self.jobs[0].together is None:
                    break
                jobs.append(self.jobs.popleft())
            return jobs


def _do(jobs: list[_Job]) -> None:
    """Do one job as it is, or several that are stored together."""
    together = jobs[0].together
    if len(jobs) == 1 or together is None:
        jobs[0].do()
        return
    try:
        with together() as shared:
            for job in jobs:
                job.do(shared)
    except BaseException as exc:  # noqa: BLE001 - their own threads raise it
        for job in jobs:
            job.lose(exc)


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
