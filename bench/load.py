"""Load from wrk, and what it cost the server. The Lua half is load.lua."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import Server

_SCRIPT = Path(__file__).with_name("load.lua")
#: Connections that wrk keeps busy.
CONNECTIONS = 16


class NoLoadTool(Exception):
    """wrk is not installed."""


@dataclass(frozen=True)
class Request:
    """What is asked for, again and again; a ``body`` makes it a POST, ``@@`` in it a fresh word."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Sample:
    """What one round showed."""

    rate: float
    """Requests per second that were not refused."""
    cpu: float
    """Microseconds of CPU of all workers per request."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    failed: int
    """Answers of 400 and above, and connections that broke."""


def require_wrk() -> str:
    """Return where wrk is.

    Raises:
        NoLoadTool: nowhere.
    """
    if path := shutil.which("wrk"):
        return path
    raise NoLoadTool(
        "wrk makes the load and is not installed: apt-get install wrk, or brew install wrk."
    )


def load(server: Server, request: Request, seconds: int) -> Sample:
    """Ask ``server`` for ``request`` over 16 connections for some seconds."""
    before = server.cpu_seconds()
    totals = _wrk(server.url + request.path, request, seconds)
    spent = server.cpu_seconds() - before
    server.served += int(totals["requests"])
    failed = totals["refused"] + totals["broken"]
    return Sample(
        rate=(totals["requests"] - totals["refused"]) / totals["seconds"],
        cpu=spent * 1e6 / max(totals["requests"], 1),
        p50=totals["p50"],
        p99=totals["p99"],
        failed=int(failed),
    )


def _wrk(url: str, request: Request, seconds: int) -> dict[str, float]:
    command = [require_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT)]
    for name, value in request.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(url)
    if request.body is not None:
        command += ["--", request.body, secrets.token_hex(4)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    totals: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return totals
