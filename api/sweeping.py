"""Sweeping: what died half-way left contents behind; they are dropped, at start and later."""

from __future__ import annotations

import random
import threading
import time

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.database import db
from config import Config
from services import contents
from services.errors import ServiceError
from services.storage import storage_of

#: Seconds between two sweeps of a process, and until the first.
INTERVAL, SOON = 600.0, 5.0


def start(app: Flask) -> None:
    """Sweep in a thread of this process for as long as it lives."""
    threading.Thread(target=_run, args=(app,), daemon=True).start()


def sweep(app: Flask) -> int:
    """Drop what nobody holds any more; return how many contents that were.

    Raises:
        ServiceError, SQLAlchemyError: the database or the storage cannot be used.
    """
    config: Config = app.config["SIGNPOST"]
    with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
        return contents.sweep(session, lambda: storage_of(config))


def _run(app: Flask) -> None:
    pause = SOON
    while True:
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that not all do it at once
        pause = INTERVAL
        try:
            if dropped := sweep(app):
                structlog.get_logger("signpost").info("swept", contents=dropped)
        except (ServiceError, SQLAlchemyError) as exc:
            structlog.get_logger("signpost").warning("not swept", reason=str(exc))
