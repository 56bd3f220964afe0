"""Real processes that do the same thing at the same time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

#: What the processes need is imported once; each is a fork of the one that did.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.services.writers"])
#: Seconds that all of them may take together.
PATIENCE = 120.0


class Failed(Exception):
    """A process raised, ended or took too long; the message is what it said last."""


@contextmanager
def running(work: Callable[..., Any], each: list[tuple[Any, ...]]) -> Iterator[Callable[[], Any]]:
    """Start ``work(*arguments)`` in a process for each; all begin at once when all are ready.

    Gives a function that waits for the end and returns the results in order. ``work`` must be a
    function of a module.
    """
    pipes, processes = [], []
    for arguments in each:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_run, args=(theirs, work, arguments), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        for pipe in pipes:
            _receive(pipe)
        for pipe in pipes:
            pipe.send("go")
        yield lambda: [_receive(pipe) for pipe in pipes]
    finally:
        for process in processes:
            process.join(5)
            process.kill()


def together(work: Callable[..., Any], each: list[tuple[Any, ...]]) -> list[Any]:
    """Run ``work(*arguments)`` in a process for each, at the same time; return the results."""
    with running(work, each) as results:
        return list(results())


def _run(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send((True, "ready"))
    pipe.recv()
    try:
        pipe.send((True, work(*arguments)))
    except BaseException as exc:
        pipe.send((False, f"{type(exc).__name__}: {exc}"))
        raise


def _receive(pipe: Connection) -> Any:
    if not pipe.poll(PATIENCE):
        raise Failed("It took too long.")
    try:
        is_fine, result = pipe.recv()
    except EOFError as exc:
        raise Failed("It ended without a word.") from exc
    if not is_fine:
        raise Failed(result)
    return result
