"""The database of the app: Flask-SQLAlchemy over our own tables and connection settings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

from config import Config
from models import Base
from models.engine import database_url, engine_options, prepare
from services.transaction import begin_reading


class Database(SQLAlchemy):
    """Flask-SQLAlchemy whose connections are told what ``models.engine`` says."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> sa.Engine:
        engine = super()._make_engine(bind_key, options, app)
        prepare(engine)
        return engine


db = Database(
    metadata=Base.metadata,
    session_options={"expire_on_commit": False, "autoflush": False},
)


def init_app(app: Flask, config: Config) -> None:
    """Connect the app to ``DATABASE_URL``; opens no connection yet."""
    url = database_url(config.DATABASE_URL)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, config.THREADS)
    db.init_app(app)
    event.listen(db.session, "do_orm_execute", begin_reading)
