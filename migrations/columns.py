"""The column types of the migrations: frozen, so that a change of models/ cannot change the past.

STRICT tables of SQLite know INTEGER, TEXT, REAL and BLOB only.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

#: A whole number of 64 bits.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: True or false; 1 or 0 on SQLite.
Flag = sa.Boolean().with_variant(sa.Integer(), "sqlite")

#: A moment to the millisecond; milliseconds since 1970 on SQLite.
Moment = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = Moment.with_variant(postgresql.TIMESTAMP(timezone=True, precision=3), "postgresql")

#: A JSON document; its text on SQLite.
Document = sa.JSON().with_variant(sa.Text(), "sqlite")
