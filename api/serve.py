"""``python -m api.serve``: read the settings, prepare the database, serve until SIGTERM.

Everything is imported and built once, before the workers fork, so that they start in milliseconds
and share that memory. What must not be shared (connections) is opened by each after the fork.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from config import Config, ConfigError

if TYPE_CHECKING:
    from flask import Flask

#: The metrics library reads it when it is imported, so it is set before the app is.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: M_MMAP_THRESHOLD and M_ARENA_MAX of glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it


def main(arguments: list[str] | None = None) -> None:
    """Serve as the settings say; with ``--reload`` start anew on every change of the code.

    Raises:
        SystemExit: a setting is wrong, the port is taken or the database unusable; said on stderr.
    """
    parser = argparse.ArgumentParser(prog="python -m api.serve", description=__doc__)
    parser.add_argument("--reload", action="store_true", help="restart when the code changes")
    options = parser.parse_args(arguments)
    if options.reload:
        _restart_on_changes()
    else:
        _serve(Config.from_env())


def _serve(config: Config) -> None:
    os.umask(0o077)  # what is stored is nobody else's on this machine
    gc.disable()  # nothing of what follows is garbage; looking for it takes a tenth of the start
    listeners = _listen(config)
    figures = _make_metrics_folder(config)
    # Imported here: they read the variable above, and a wrong setting is told without them.
    from api import gate, logs, sweeping
    from api.app import create_app
    from api.health import Flag
    from api.loading import load
    from api.prepare import prepare
    from api.server import Server

    _give_memory_back()
    logs.configure(config)
    app = create_app(config, prepare(config, load(config)))
    gate.init_app(app, config)
    sys.stderr.write(f"Signpost serves {_url(config)} (documentation: {_url(config)}/docs)\n")
    gc.freeze()  # what is there now stays, shared by the workers as long as none touches it
    gc.enable()
    draining: Flag = app.extensions["signpost"].draining

    def start() -> None:
        _forget_connections(app)
        sweeping.start(app)

    def drain() -> None:
        draining.set()
        time.sleep(config.DRAIN_DELAY)

    def clean() -> None:
        shutil.rmtree(figures, ignore_errors=True)

    server = Server(listeners, config.THREADS)
    try:
        server.run(app, start, drain, clean)
    finally:
        clean()


def _listen(config: Config) -> list[socket.socket]:
    from api.server import listen

    try:
        return listen(config.HOST, config.PORT, config.WORKERS)
    except OSError as exc:
        why = os.strerror(exc.errno) if exc.errno else exc
        fault = f"HOST, PORT: cannot listen on {config.HOST} port {config.PORT}: {why}"
        sys.stderr.write(f"{fault}\n")
        raise ConfigError([fault]) from exc


def _make_metrics_folder(config: Config) -> Path:
    """Make the folder of the workers' figures, in memory where there is such a file system.

    They are mapped files: on a disk that is full, counting would kill the process.
    """
    note = config.DATA_DIR / f"figures-{config.PORT}"  # ours, as the port is
    if note.is_file():
        shutil.rmtree(note.read_text(), ignore_errors=True)  # left by one that was killed
    folder = tempfile.mkdtemp(prefix="signpost-", dir=_MEMORY if _MEMORY.is_dir() else None)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.write_text(folder)
    os.environ[_METRICS_FOLDER] = folder
    return Path(folder)


def _give_memory_back() -> None:
    """Have glibc return blocks of 1 MiB and more at once, and keep two heaps for all threads.

    By itself it keeps the 19 MiB of a password's hash for each thread that ever made one, and a
    heap for almost each thread, though they take turns.
    """
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 2**20)
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _forget_connections(app: Flask) -> None:
    """Give a worker a pool of its own; the parent's connections, if any, stay the parent's."""
    from api.database import db

    with app.app_context():
        db.engine.dispose(close=False)


def _url(config: Config) -> str:
    host = f"[{config.HOST}]" if ":" in config.HOST else config.HOST
    return config.PUBLIC_URL or f"http://{host}:{config.PORT}"


def _restart_on_changes() -> None:
    from watchfiles import PythonFilter, run_process  # only in a developer's environment

    command = f"{sys.executable} -m api.serve"
    watched = PythonFilter(extra_extensions=(".env", ".html", ".css", ".js", ".txt"))
    run_process(".", target=command, target_type="command", watch_filter=watched)


if __name__ == "__main__":
    main()
