"""Live servers: ``python -m api.serve`` in production configuration, asked over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
ADMIN_PASSWORD = "an elephant in Cairo"

#: Seconds that a server has to start, and to stop.
PATIENCE = 30.0
#: Seconds for which an access token is used again; it lives for 900.
_TOKEN_LIFE = 600.0


class NotStarted(Exception):
    """The server ended or did not answer in time; the message is the end of its log."""


@dataclass
class LiveServer:
    """One running server, and callers of it."""

    process: subprocess.Popen[bytes]
    url: str
    """``http://127.0.0.1:<port>``, without a slash at the end."""
    data_dir: Path
    database_url: str
    client: httpx.Client
    """A caller who is not signed in."""
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What it has written to stdout and stderr so far."""
        return (self.data_dir / "log").read_text(errors="replace")

    @property
    def admin_token(self) -> str:
        """An access token of the first admin."""
        return self.token("admin", ADMIN_PASSWORD)

    @property
    def admin(self) -> httpx.Client:
        """The first admin as a caller."""
        return self.caller(self.admin_token)

    def token(self, username: str, password: str) -> str:
        """Return an access token with at least five minutes to live."""
        made, token = self._tokens.get(username, (0.0, ""))
        if not token or time.monotonic() - made > _TOKEN_LIFE:
            grant = {"grant_type": "password", "username": username, "password": password}
            answer = self.client.post("/api/v1/auth/token", json=grant).raise_for_status()
            token = str(answer.json()["access_token"])
            self._tokens[username] = (time.monotonic(), token)
        return token

    def caller(self, token: str | None = None) -> httpx.Client:
        """Return a client of its own connections; close it, or use it in a ``with``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return _client(self.url, headers)

    def stop(self) -> int:
        """Ask it to end (SIGTERM), wait, and return its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def live_server(
    database_url: str, data_dir: Path, python: str = sys.executable, /, **settings: object
) -> Iterator[LiveServer]:
    """Run a server of 2 workers without limits until the block ends.

    Args:
        database_url: an empty or migrated database.
        data_dir: its DATA_DIR and working directory; ``log`` in it has what it printed.
        python: what runs it.
        settings: further settings by name; ``PYTHONPATH`` for another copy of the code.

    Raises:
        NotStarted: with the end of its log.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = _environment(database_url, data_dir, port) | {
        name: str(value) for name, value in settings.items()
    }
    with (data_dir / "log").open("ab") as log:
        process = subprocess.Popen(
            [python, "-m", "api.serve"],
            cwd=data_dir,  # not ours: a developer's .env must not reach tests
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    with _client(url, {}) as client:
        server = LiveServer(process, url, data_dir, database_url, client)
        try:
            _wait(server)
            yield server
        finally:
            _end(process)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _client(url: str, headers: dict[str, str]) -> httpx.Client:
    # An idle connection is given up before the server does, else the two may cross.
    limits = httpx.Limits(keepalive_expiry=2)
    return httpx.Client(
        base_url=url, headers=headers, timeout=PATIENCE, limits=limits, trust_env=False
    )


def _environment(database_url: str, data_dir: Path, port: int) -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONPATH": str(ROOT),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": "2",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(data_dir),
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "RATE_LIMITS": "off",
        # Whatever is installed: a test of an extension says "" instead.
        "EXTENSIONS_DISABLED": "*",
    }


def _wait(server: LiveServer) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(httpx.TransportError):
            if server.client.get("/healthz").status_code == 200:
                return
        time.sleep(0.05)
    raise NotStarted(server.log[-4000:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop it, and whatever it left behind in its process group."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
    with suppress(ProcessLookupError, AttributeError):
        os.killpg(process.pid, signal.SIGKILL)
