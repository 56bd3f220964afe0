"""Imports and exports by command: lines of files, and processes that run a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import sqlalchemy as sa

from models import Post

ROOT = Path(__file__).parents[2]
ADA = {"type": "user", "username": "ada", "email": "ada@example.com"}
NOTE = {
    "type": "post",
    "author": "ada",
    "slug": "note",
    "title": "Nötiz",
    "body": "*Note*",
    "status": "published",
    "published_at": "2026-01-02T03:04:05Z",
    "tags": ["Ü"],
}
Run = Callable[..., click.testing.Result]


def as_lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def told(result: click.testing.Result) -> list[str]:
    """Return what stderr says beside the log."""
    return [line for line in result.stderr.splitlines() if not line.startswith("{")]


def count(engine: sa.Engine, model: type[Any] = Post) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def command(url: str, folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command as operators do."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi"}
    environment |= {"DATABASE_URL": url, "DATA_DIR": str(folder)}
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL} | options
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments], env=environment, cwd=folder, **given
    )
