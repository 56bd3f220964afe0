"""The server: granian, with a supervisor that loses no worker and no waiting connection.

Differs from granian's own in three things: the supervisor holds the listening sockets, so that a
connection that waits in the queue of one survives its worker; each worker that dies is replaced,
however many and often; and each ends when its supervisor does.

Source: docs/decisions/0001-wsgi-server.md
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.mp import MPServer, WorkerProcess

from api import stalled

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Seconds for the header, and that a connection may lie idle between two requests.
HEADER_TIMEOUT = 5
#: Bytes of a request's head.
HEAD_MAX = 64 * 1024
#: Connections that wait to be accepted, and that a worker holds at once.
BACKLOG, CONNECTIONS = 2048, 4096
#: Threads of a worker beyond its places; they sleep on slow bodies, or wait for a place.
WAITING = 256
#: Seconds that requests in flight may still take once none is accepted any more.
DRAIN = 24
#: Seconds in which a second signal is the first one again: make passes on what its group gets.
SAME = 1.0

_PAUSE = 0.2
#: Granian's own words: only what went wrong, through our log.
_LOGGING = {"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}


class Server(MPServer):
    """Serves one WSGI application until SIGTERM or SIGINT.

    Args:
        listeners: listening sockets, one for each worker process.
        places: requests that a worker works on at once.
    """

    def __init__(self, listeners: list[socket.socket], places: int) -> None:
        host, port = listeners[0].getsockname()[:2]
        super().__init__(
            target="signpost",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_TIMEOUT * 1000, max_buffer_size=HEAD_MAX
            ),
            workers=len(listeners),
            blocking_threads=places + WAITING,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            websockets=False,
            log_level=LogLevels.error,
            log_dictconfig=_LOGGING,
        )
        logging.getLogger("_granian").addFilter(_is_news)
        self._listeners = listeners
        self.main_loop_interrupt = _Bell()  # type: ignore[assignment]

    def run(
        self,
        app: WSGIApplication,
        on_start: Callable[[], None],
        on_stop: Callable[[], None],
        on_orphaned: Callable[[], None],
    ) -> None:
        """Serve ``app``.

        Args:
            on_start: runs in each worker before its first request.
            on_stop: runs here when the end was asked for, while the workers still accept.
            on_orphaned: runs in each worker whose supervisor was killed.
        """

        def load() -> WSGIApplication:
            _hear_once()
            on_start()
            threading.Thread(target=_end_with_parent, args=(on_orphaned,), daemon=True).start()
            threading.Thread(target=stalled.watch, args=(self.bind_port,), daemon=True).start()
            return app

        self._on_stop = on_stop
        self.serve(target_loader=load, wrap_loader=False)

    def signal_handler_interrupt(self, *_: object) -> None:
        """End gracefully; asked again, at once."""
        now = time.monotonic()
        if not self.interrupt_signal:
            self._asked = now
        elif now - self._asked > SAME:
            for worker in self.wrks:
                worker.kill()  # type: ignore[no-untyped-call]  # granian's edge
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def _init_shared_socket(self) -> None:
        self._ssp = self._sso = self._shd = None

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _spawn_worker(self, idx: int, *args: Any, **kwargs: Any) -> WorkerProcess:
        holder: Any = SocketHolder  # its stub knows no arguments
        self._shd = holder(self._listeners[idx].fileno(), False, BACKLOG)
        return super()._spawn_worker(idx, *args, **kwargs)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while True:
            self.main_loop_interrupt.wait()
            if self.interrupt_signal:
                self._on_stop()
                return
            while self.interrupt_children:
                self._replace(self.interrupt_children.pop(0), spawn_target, target_loader)
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]

    def _stop_workers(self) -> None:
        """End them all; asks again and again, for one that is just starting doesn't hear yet."""
        deadline = time.monotonic() + DRAIN
        workers: list[Any] = self.wrks
        for worker in workers:
            worker.interrupt_by_parent = True  # a terminal's Ctrl-C may have ended it already
        while living := [worker for worker in workers if worker.is_alive()]:
            for worker in living:
                worker.terminate() if time.monotonic() < deadline else worker.kill()
            living[0].join(_PAUSE)
        workers.clear()
        self.interrupt_children.clear()

    def _replace(self, index: int, spawn_target: Any, target_loader: Any) -> None:
        worker = self.wrks[index]
        process = worker.inner
        structlog.get_logger().error("worker died", pid=process.pid, exit_code=process.exitcode)
        if time.monotonic() - worker.birth < 1:
            time.sleep(_PAUSE)  # one that cannot even start must not keep a core busy
        self._respawn_workers([index], spawn_target, target_loader)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether we don't log this ourselves, and only if nobody asked for the end."""
    return "Unexpected exit" not in record.getMessage()


class _Bell:
    """Wakes the supervisor. Unlike an Event, it may be rung inside a signal handler."""

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._rings.put(None)

    def wait(self) -> None:
        self._rings.get()

    def clear(self) -> None:
        """Do nothing: every ring is heard."""


def _hear_once() -> None:
    """Tell granian of the first signal to end and of no other: at the third its worker would hang.

    One that comes before granian listens waits; later ones stay pending, and threads inherit that.
    """
    if sys.platform == "win32":
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    inherited = signal.getsignal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def hear() -> None:
        number = signal.sigwait(signals)
        while (handler := signal.getsignal(signal.SIGTERM)) is inherited:
            time.sleep(_PAUSE)
        if callable(handler):
            handler(number, None)

    threading.Thread(target=hear, daemon=True).start()


def _end_with_parent(on_orphaned: Callable[[], None]) -> None:
    """Drain and end once the supervisor is gone, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        on_orphaned()
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_PAUSE)


def listen(host: str, port: int, workers: int) -> list[socket.socket]:
    """Return a listening socket for each worker; the kernel spreads connections among them.

    Raises:
        OSError: the address is not ours, or the port is taken.
    """
    address, family = (host, port), socket.AF_INET6 if ":" in host else socket.AF_INET
    if sys.platform != "linux":
        return [_listener(address, family)] * workers
    socket.create_server(address, family=family).close()  # fails where sharing would succeed
    return [_listener(address, family, reuse_port=True) for _ in range(workers)]


def _listener(address: tuple[str, int], family: int, reuse_port: bool = False) -> socket.socket:
    listener = socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=reuse_port)
    # Accepted connections inherit it; without, head and body of an answer may wait 40 ms apart.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
