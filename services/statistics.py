"""Tells PostgreSQL how many rows its tables have, after many came at once."""

from __future__ import annotations

import sqlalchemy as sa

from models import Base


def renew(engine: sa.Engine) -> None:
    """Have the planner count anew, and each connection drop the plans it kept; no-op on SQLite.

    Autovacuum does so within a minute or so, if it is on. Until then a plan of an almost empty
    table compares each row with each other: a search of 2,600 posts took over 5 s.
    Source: PostgreSQL's manual, "Populating a Database", "Run ANALYZE Afterwards".

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    if engine.dialect.name != "postgresql":
        return
    quote = engine.dialect.identifier_preparer.format_table
    for table in Base.metadata.sorted_tables:
        with engine.begin() as connection:  # one each, lest a table is locked for long
            for limit in ("statement_timeout", "lock_timeout"):  # those for requests are too short
                connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
            connection.exec_driver_sql(f"ANALYZE {quote(table)}")
