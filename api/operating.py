"""What every command needs, the core's and those of extensions: a log, the settings, writes.

@people.cli.command("import")
@operation
def import_people() -> None: ...
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar

import click
import structlog
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from api import logs
from api.database import db
from config import Config
from services import keys
from services.actor import Actor
from services.backup import BackupFailed
from services.errors import ServiceError
from services.transaction import transact

__all__ = [
    "OPERATOR",
    "Command",
    "current_config",
    "current_session",
    "fail",
    "operation",
    "with_appcontext",
    "write",
]

T = TypeVar("T")
Command = Callable[..., None]

#: Who acts here: whoever may run programs as the service's user is an admin.
OPERATOR = Actor(0, "admin", via="command")


def operation(command: Command) -> Command:
    """Log how a command went, on stderr, and say in words what it was refused for."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        started, status = time.perf_counter(), 1
        logs.configure(current_config())
        try:
            command(*args, **kwargs)
            status = 0
        except ServiceError as exc:
            lines = [f"{fault.field}: {fault.message}" for fault in exc.faults]
            fail(*lines or [exc.public_message])
        except (BackupFailed, keys.KeyFault) as exc:
            fail(str(exc))
        finally:
            structlog.get_logger().info(
                "command",
                command=click.get_current_context().command_path,
                duration_ms=round((time.perf_counter() - started) * 1000, 2),
                status=status,
            )

    return run


def write(work: Callable[[Session], T]) -> T:
    """Run ``work`` in one transaction and return what it returned.

    Raises:
        ServiceError: what ``work`` raised, or what the database's refusal means.
    """
    session = db.session()
    return transact(session, lambda: work(session))


def current_session() -> Session:
    """Return the session of a command, for what opens transactions by itself."""
    return db.session()


def current_config() -> Config:
    """Return the settings of the core."""
    config: Config = current_app.config["SIGNPOST"]
    return config


def fail(*lines: str) -> NoReturn:
    """Print what is wrong, a line each, and end with status 1."""
    for line in lines:
        click.echo(line, err=True)
    raise SystemExit(1)
