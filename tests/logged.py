"""What tests read of the log of changes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change


def log_of(session: Session, type: str, id: int) -> list[tuple[object, ...]]:
    """Return (op, version, was, now) of each row about an item, in order."""
    columns = sa.select(Change.op, Change.version, Change.was, Change.now)
    of_it = columns.where(Change.type == type, Change.id == id)
    return [tuple(row) for row in session.execute(of_it.order_by(Change.seq))]
