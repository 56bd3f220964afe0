"""The queue of SQLite's writers, by threads; between processes: tests/faults/test_writers.py."""

from __future__ import annotations

import errno
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import pytest

from services import queue

_WHO: ContextVar[str] = ContextVar("who")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "x.queue")


class _Slow:
    """A write that holds the turn until it is let go."""

    def __init__(self, path: str) -> None:
        self._begun, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=queue.run, args=(path, self._write, 5))
        self._thread.start()
        assert self._begun.wait(5)

    def _write(self, _: object) -> None:
        self._begun.set()
        assert self._go.wait(5)

    def end(self) -> None:
        self._go.set()
        self._thread.join(5)


class _Clock:
    """Stands for the module ``time``: goes on only while somebody sleeps or writes."""

    def __init__(self) -> None:
        self._now, self.slept = 100.0, list[float]()

    def monotonic(self) -> float:
        return self._now

    def go_on(self, seconds: float) -> None:
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += 1.1 * seconds


class TestRun:
    def test_runs_one_at_a_time(self, path: str) -> None:
        counted, inside = 0, threading.Lock()

        def write(_: object) -> None:
            nonlocal counted
            assert inside.acquire(blocking=False)
            counted += 1
            inside.release()

        with ThreadPoolExecutor(8) as pool:
            for made in [pool.submit(queue.run, path, write, 5) for _ in range(200)]:
                made.result()

        assert counted == 200

    def test_gives_each_its_own_result_error_and_context(self, path: str) -> None:
        def ask(number: int) -> str:
            _WHO.set(f"caller {number}")
            return queue.run(path, lambda _: _answer(number), 5)

        slow = _Slow(path)
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, number) for number in range(8)]
            slow.end()

        assert [each.result() for each in asked[:7]] == [f"caller {number}" for number in range(7)]
        with pytest.raises(ZeroDivisionError):
            asked[7].result()

    def test_does_not_run_what_waited_too_long(self, path: str) -> None:
        ran: list[int] = []
        slow = _Slow(path)

        with pytest.raises(queue.NoTurn):
            queue.run(path, lambda _: ran.append(1), 0.05)

        slow.end()
        queue.run(path, lambda _: ran.append(2), 5)
        assert ran == [2]

    def test_lets_the_next_lead_when_the_leader_gives_up(self, path: str) -> None:
        with ThreadPoolExecutor(2) as pool:
            with queue.turn(path, 5):
                leader = pool.submit(queue.run, path, lambda _: 1, 0.05)
                heir = pool.submit(queue.run, path, lambda _: 2, 5)
                with pytest.raises(queue.NoTurn):
                    leader.result()

            assert heir.result() == 2

    def test_tells_a_file_that_cannot_be_opened(self, tmp_path: Path) -> None:
        with pytest.raises(queue.NoTurn):
            queue.run(str(tmp_path), lambda _: None, 5)

    def test_tells_a_file_that_cannot_be_locked(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.ENOLCK, "no locks available")

        with monkeypatch.context() as broken:
            broken.setattr("fcntl.flock", refuse)
            with pytest.raises(queue.NoTurn):
                queue.run(path, lambda _: None, 5)

        assert queue.run(path, lambda _: "again", 5) == "again"

    def test_keeps_nothing_of_a_write_that_failed(self, path: str) -> None:
        used: list[weakref.ref[object]] = []

        def write(_: object) -> None:
            session = threading.Event()
            used.append(weakref.ref(session))
            raise ZeroDivisionError

        gc.disable()
        try:
            with suppress(ZeroDivisionError):
                queue.run(path, write, 5)
            assert used[0]() is None
        finally:
            gc.enable()


class _Store:
    """What is written together: kept when it is left, unless its disk is full."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.kept: list[list[int]] = []
        self._is_full = is_full

    @contextmanager
    def __call__(self) -> Iterator[list[int]]:
        shared: list[int] = []
        yield shared
        if self._is_full:
            raise OSError(errno.ENOSPC, "full")
        self.kept.append(shared)


class TestTogether:
    def _write_all(self, path: str, store: _Store, numbers: range) -> list[Future[int]]:
        """Have all of them wait behind a slow one."""

        def write(number: int, shared: list[int] | None) -> int:
            if number % 5 == 4:
                raise ZeroDivisionError
            (store.kept.append([number]) if shared is None else shared.append(number))
            return number

        slow = _Slow(path)
        with ThreadPoolExecutor(len(numbers)) as pool:
            asked = [
                pool.submit(queue.run, path, partial(write, number), 5, store) for number in numbers
            ]
            while queue.waiting(path) < len(numbers):
                threading.Event().wait(0.001)
            slow.end()
        return asked

    def test_what_waits_is_stored_at_once(self, path: str) -> None:
        store = _Store()

        asked = self._write_all(path, store, range(4))

        assert [each.result() for each in asked] == [0, 1, 2, 3]
        assert len(store.kept) == 1
        assert sorted(store.kept[0]) == [0, 1, 2, 3]

    def test_one_that_fails_leaves_the_others(self, path: str) -> None:
        store = _Store()

        asked = self._write_all(path, store, range(6))

        with pytest.raises(ZeroDivisionError):
            asked[4].result()
        assert [each.result() for each in asked if not each.exception()] == [0, 1, 2, 3, 5]

    def test_what_is_not_stored_is_told_to_everybody(self, path: str) -> None:
        store = _Store(is_full=True)

        asked = self._write_all(path, store, range(6))

        assert store.kept == []
        for each in asked:
            with pytest.raises(queue.Lost) as lost:
                each.result()
            assert isinstance(lost.value.__cause__, OSError)

    def test_there_is_a_most(self, path: str) -> None:
        store = _Store()

        self._write_all(path, store, range(queue.MOST + 4))

        assert max(map(len, store.kept)) <= queue.MOST
        assert len(store.kept) == 2


class TestShare:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> _Clock:
        clock = _Clock()
        monkeypatch.setattr(queue, "time", clock)
        return clock

    def test_who_writes_on_and_on_stands_back_once_a_share(self, path: str, clock: _Clock) -> None:
        for _ in range(6):
            queue.run(path, lambda _: clock.go_on(queue.SHARE * 0.6), 5)

        assert clock.slept == [queue.BREATH] * 2

    def test_who_paused_writes_at_once(self, path: str, clock: _Clock) -> None:
        for _ in range(3):
            queue.run(path, lambda _: clock.go_on(queue.SHARE * 2), 5)
            clock.go_on(queue.BREATH * 2)

        assert clock.slept == []


def _answer(number: int) -> str:
    if number == 7:
        raise ZeroDivisionError
    return _WHO.get()
