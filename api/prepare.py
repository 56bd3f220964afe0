"""What must be true of the database before requests come: it answers, is whole and current.

So must be the tables of each extension, or that one fails.

Runs once at each start, before the workers; several nodes may start at the same time. A start on a
prepared database costs a few short queries.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import Config
from models import User
from models.engine import database_url, engine_options
from models.engine import prepare as prepare_engine
from services import passwords, schema
from services.actor import SYSTEM
from services.errors import ServiceError
from services.text import Text
from services.transaction import reading, transact
from services.users import UserService
from services.validation import Faults

if TYPE_CHECKING:
    from api.loading import Extension

#: Seconds that the database may take to answer, and between two tries.
PATIENCE, PAUSE = 60.0, 0.5
#: Bytes up to which a SQLite file is checked at each start: 0.6 s a GB, if it is in memory.
CHECKED_SIZE = 1024**3

#: Key of PostgreSQL's advisory lock around the question whether there is an admin.
_FIRST_ADMIN = 0x5349_4746

_log = logging.getLogger("signpost")


class CannotStart(SystemExit):
    """The database cannot be used; the message is the one line that the process ends with."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Signpost cannot start: {reason}")


def prepare(config: Config, extensions: Iterable[Extension] = ()) -> list[Extension]:
    """Wait for the database, migrate it if it is older, and make the first admin if there is none.

    Return the extensions, those marked as failed whose own tables could not be migrated.

    Raises:
        CannotStart: the database did not answer for ``PATIENCE``, is damaged or newer than this
            release, or the first admin's settings are wrong.
    """
    url = database_url(config.DATABASE_URL)
    engine = sa.create_engine(url, **engine_options(url, threads=1))
    prepare_engine(engine)
    try:
        if url.get_backend_name() == "sqlite":
            _check_file(engine)
        else:
            _wait(engine)
        if schema.upgrade(engine):
            _log.info("The database has been migrated to schema %s.", schema.head())
        _ensure_admin(engine, config)
        return [_migrated(engine, each) for each in extensions]
    except schema.SchemaMismatch as exc:
        raise CannotStart(str(exc)) from exc
    except sa.exc.OperationalError as exc:
        raise CannotStart(f"the database failed: {_reason(exc)}") from exc
    finally:
        engine.dispose()


def _migrated(engine: sa.Engine, extension: Extension) -> Extension:
    if extension.state != "loaded":
        return extension
    try:
        history = extension.history
        if schema.upgrade(engine, history):
            version = schema.head(history)
            _log.info("The tables of %s have been migrated to %s.", extension.name, version)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a stranger's step raises
        return extension.failed(exc)
    return extension


def _wait(engine: sa.Engine) -> None:
    """Return as soon as the database answers, telling the log every few seconds why it doesn't."""
    deadline = time.monotonic() + PATIENCE
    told = ""
    while True:
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError as exc:
            reason = _reason(exc)
        if time.monotonic() >= deadline:
            raise CannotStart(f"the database did not answer for {PATIENCE:.0f} s: {reason}")
        if reason != told:
            _log.warning("Waiting for the database: %s", reason)
            told = reason
        time.sleep(PAUSE)


def _check_file(engine: sa.Engine) -> None:
    """Refuse a SQLite file that cannot be opened or is damaged; large ones go unchecked."""
    path = Path(engine.url.database or "")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with engine.connect() as connection:
            if path.stat().st_size > CHECKED_SIZE:
                _log.info("%s is not checked for damage, it is too large to do so now.", path)
                return
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    except (sa.exc.DatabaseError, OSError) as exc:
        raise CannotStart(f"{path} cannot be opened: {_reason(exc)}") from exc
    if found != "ok":
        raise CannotStart(f"{path} is damaged, restore a backup: {found}")


def _ensure_admin(engine: sa.Engine, config: Config) -> None:
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        with reading(session):
            if _has_admin(session):
                return
        password = config.ADMIN_PASSWORD or secrets.token_urlsafe(15)
        data = UserService.prepare(_admin(config, password))
        try:
            is_made = transact(session, lambda: _make_admin(session, data))
        except ServiceError as exc:
            reason = f"ADMIN_USERNAME, ADMIN_EMAIL: no admin could be made: {exc.public_message}"
            raise CannotStart(reason) from exc
    if is_made and not config.ADMIN_PASSWORD:
        name = config.ADMIN_USERNAME
        sys.stdout.write(f"First admin: {name}, password: {password} (shown only once)\n")
        sys.stdout.flush()


def _admin(config: Config, password: str) -> dict[str, str]:
    """Return the first admin as the settings say.

    Raises:
        CannotStart: a setting isn't valid; says each that isn't.
    """
    faults = Faults()
    admin = {
        "username": Text(kind="username").check(config.ADMIN_USERNAME, "ADMIN_USERNAME", faults),
        "email": Text(kind="email").check(config.ADMIN_EMAIL, "ADMIN_EMAIL", faults),
        "password": password,
        "role": "admin",
    }
    found = [*faults.listed, *passwords.faults(password, "ADMIN_PASSWORD")]
    if found:
        raise CannotStart("; ".join(f"{fault.field}: {fault.message}" for fault in found))
    return admin


def _make_admin(session: Session, data: dict[str, str]) -> bool:
    """Make the first admin unless another node was faster; of several only one asks at a time."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_ADMIN)))
    if _has_admin(session):
        return False
    UserService(session, SYSTEM).create(data)
    return True


def _has_admin(session: Session) -> bool:
    admins = sa.select(User.id).where(User.role == "admin", User.deleted_at.is_(None))
    return session.scalar(admins.limit(1)) is not None


def _reason(exc: Exception) -> str:
    """Return the first line of what the driver said."""
    return str(getattr(exc, "orig", None) or exc).partition("\n")[0]
