"""Closing connections that no longer move: senders that dribble or went away, readers that stopped.

Granian limits the time of a request's head but not of its body, and a thread that waits for a body
cannot be interrupted. Shutting the connection down ends that wait. Needs Linux; elsewhere a proxy
in front has to do this.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Seconds without a byte in either direction.
SILENT = 10
#: Seconds in which a whole request arrives and the first byte of its answer leaves.
WHOLE = 30
#: Seconds in which a whole upload arrives.
UPLOAD = 300
#: Seconds between two looks.
INTERVAL = 2

_OPEN_FILES = Path("/proc/self/fd")
# struct tcp_info of linux/tcp.h: 8 bytes, the first of which is the state, then 32-bit numbers.
_TCP_INFO = struct.Struct("B7x9I3I")
_LISTEN = 10


#: Address → uploads that it is just sending, and those of them that are being stored; granian
#: doesn't tell the port.
_uploads: Counter[str] = Counter()
_stored: Counter[str] = Counter()
_lock = threading.Lock()


@contextmanager
def patient(address: str) -> Iterator[None]:
    """Meanwhile, give connections from ``address`` the time of an upload."""
    with _counted(_uploads, address):
        yield


@contextmanager
def storing(address: str) -> Iterator[None]:
    """Meanwhile, let connections from ``address`` wait in silence: all was sent, not all stored."""
    with _counted(_stored, address):
        yield


@contextmanager
def _counted(counter: Counter[str], address: str) -> Iterator[None]:
    with _lock:
        counter[address] += 1
    try:
        yield
    finally:
        with _lock:
            counter[address] -= 1
            if not counter[address]:
                del counter[address]


def watch(port: int) -> None:
    """Close stalled connections to ``port`` for as long as the process lives."""
    while _OPEN_FILES.exists():
        time.sleep(INTERVAL)
        close_stalled(port)


def close_stalled(port: int) -> None:
    """Close the connections of this process to ``port`` that are stalled now."""
    for connection in _connections(port):
        with connection, suppress(OSError):  # it ended by itself
            if is_stalled(connection):
                connection.shutdown(socket.SHUT_RDWR)


def is_stalled(connection: socket.socket) -> bool:
    """Whether nothing moved for SILENT seconds, or it took longer than is allowed in all."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    numbers: tuple[int, ...] = _TCP_INFO.unpack(info)  # the last three in milliseconds
    state, sent, received = numbers[0], numbers[-3], numbers[-1]
    if state == _LISTEN:
        return False
    address = connection.getpeername()[0]
    silent = UPLOAD if address in _stored else SILENT
    whole = UPLOAD if address in _uploads else WHOLE
    return min(sent, received) >= silent * 1000 or sent >= whole * 1000


def _connections(port: int) -> Iterator[socket.socket]:
    """Give a copy of each socket of this process that is bound to ``port``.

    A copy still is the same connection if the server closes its own meanwhile, and the number of
    that is taken by another. A copy of anything else must never be closed: to close one descriptor
    of a file is to lose all POSIX locks that the process has on it, SQLite's too. Then the next
    other process that closes the database takes itself for the last one and removes the log with
    what was committed. So what turns out to be a file after all is left open.

    Source: https://www.sqlite.org/howtocorrupt.html, section 2.2.
    """
    for link in _OPEN_FILES.iterdir():
        with suppress(OSError):  # closed since it was listed
            if not str(link.readlink()).startswith("socket:"):
                continue
            connection = socket.socket(fileno=os.dup(int(link.name)))
            address = connection.getsockname()
            if isinstance(address, tuple) and address[1] == port:
                yield connection
            else:
                connection.close()
