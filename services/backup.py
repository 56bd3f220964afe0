"""Backups of the database while it is in use: one file that holds all that was committed before.

SQLite is copied by SQLite itself, PostgreSQL dumped by its own ``pg_dump``. Copying the file of a
SQLite database in use loses what is still in its log.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa


class BackupFailed(Exception):
    """No backup was made; the message says why, for the operator."""


def backup(url: sa.URL, target: Path) -> None:
    """Write a backup of the database to ``target``, readable by its owner only.

    A SQLite backup is a database file, a PostgreSQL one is for ``pg_restore``.

    Raises:
        BackupFailed: ``target`` exists, the database cannot be read or the disk is full.
    """
    if target.exists():
        raise BackupFailed(f"{target} exists; name a file that does not.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if url.get_backend_name() == "sqlite":
            _copy(Path(url.database or ""), draft)
        else:
            _dump(url, draft)
        _keep(draft, target)
    except (OSError, sqlite3.Error) as exc:
        raise BackupFailed(f"{target} could not be written: {exc}") from exc
    finally:
        draft.unlink(missing_ok=True)


def _copy(database: Path, draft: Path) -> None:
    if not database.exists():
        raise BackupFailed(f"There is no database at {database}.")
    with closing(sqlite3.connect(database, timeout=5)) as source:
        source.execute("VACUUM INTO ?", (str(draft),))
    with closing(sqlite3.connect(draft)) as copy:
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupFailed(f"The copy is damaged: {found}")


def _dump(url: sa.URL, draft: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupFailed(
            "pg_dump is not installed here; it comes with PostgreSQL's client programs "
            "(Debian: apt install postgresql-client)."
        )
    place = (url.username, None, url.host, url.port, url.database, url.query)
    where = sa.URL.create("postgresql", *place).render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603 - a fixed program; the URL is a setting
        [program, "--format=custom", "--no-password", f"--file={draft}", f"--dbname={where}"],
        # Not on the command line, which everybody on the machine can read.
        env={"PGPASSWORD": str(url.password or ""), "PGCONNECT_TIMEOUT": "10"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"pg_dump failed: {done.stderr.strip()}")


def _keep(draft: Path, target: Path) -> None:
    """Give the finished draft its name once it is on the disk; never replaces a file."""
    for path in (draft, draft.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    os.link(draft, target)
