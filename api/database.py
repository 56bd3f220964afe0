"""The database of the app: Flask-SQLAlchemy over our own tables and connection settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BoundSession
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import Config
from models import Base
from models.engine import database_url, engine_options, prepare
from services.transaction import Sharing, begin_reading


class Database(SQLAlchemy):
    """Flask-SQLAlchemy whose connections are told what ``models.engine`` says."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> sa.Engine:
        engine = super()._make_engine(bind_key, options, app)
        prepare(engine)
        return engine


class WritingSession(Sharing, BoundSession):
    """The session of a request."""


db = Database(
    metadata=Base.metadata,
    session_options={
        "class_": WritingSession,
        "expire_on_commit": False,
        "autoflush": False,
    },
)


def init_app(app: Flask, config: Config) -> None:
    """Connect the app to ``DATABASE_URL``; opens no connection yet."""
    url = database_url(config.DATABASE_URL)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, config.THREADS)
    db.init_app(app)
    app.extensions["signpost"].readers = threading.local()


def engine_of(app: Flask) -> Callable[[], sa.Engine]:
    """Return what knows the app's engine without a context; it is asked for at the first use."""

    @cache
    def engine() -> sa.Engine:
        with app.app_context():
            return db.engine

    return engine


def reader() -> Session:
    """Return this thread's session for reads; ``reading`` leaves it as if it were new.

    A session for each request would cost half as much as reading one row.
    """
    own = current_app.extensions["signpost"].readers
    session: Session | None = getattr(own, "session", None)
    if session is None:
        session = own.session = Session(db.engine, expire_on_commit=False, autoflush=False)
        event.listen(session, "do_orm_execute", begin_reading)
    return session
