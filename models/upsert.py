"""INSERT with ON CONFLICT, which SQLAlchemy has once for each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_into(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT into ``table`` for the session's database."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
