"""Where words are kept to be searched: FTS5 on SQLite, tsvector with a GIN index on PostgreSQL.

A table of words has a row for each item of another table, deleted ones included: what may be seen
is that table's business. What the words are says models/words.py, how they are asked for
services/search.py.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.ddl import CreateTable

from models.base import Base

_SUFFIX = "_search"
_INFO = "is_search"
#: FTS5's own tables beside each.
_SHADOWS = ("_data", "_idx", "_content", "_config")


class Words(sa.TypeDecorator[str]):
    """The words of one item, with spaces between; on PostgreSQL a tsvector without positions."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return how a kind of database calls it."""
        is_postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.TSVECTOR() if is_postgresql else sa.Text())

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Quote each word for PostgreSQL, which then takes it as it is."""
        if not value or dialect.name != "postgresql":
            return value
        return "'" + value.replace(" ", "' '") + "'"


def words_of(table: str) -> sa.Table:
    """Declare the table of words of ``table``; its ``rowid`` is that table's ``id``."""
    name = table.removesuffix("s") + _SUFFIX
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    rowid = sa.Column("rowid", sa.BigInteger, key, primary_key=True, autoincrement=False)
    words = sa.Column("words", Words, nullable=False)
    made = sa.Table(name, Base.metadata, rowid, words, info={_INFO: True})
    # SQLite's table is its index already.
    sa.Index(f"ix_{name}_words", words, postgresql_using="gin").ddl_if(dialect="postgresql")
    return made


def is_foreign_to(dialect: str, name: str | None, kind: str) -> bool:
    """Whether Alembic must not compare this: a table of SQLite's module, or one of its parts."""
    if dialect != "sqlite" or name is None or kind not in {"table", "index"}:
        return False
    own = [table.name for table in Base.metadata.tables.values() if table.info.get(_INFO)]
    return any(
        name in {table, f"ix_{table}_words", *(table + end for end in _SHADOWS)} for table in own
    )


@compiles(CreateTable, "sqlite")
def _create(element: Any, compiler: Any, **options: Any) -> str:
    """Create a table of words by FTS5: words as they are, no positions, no lengths."""
    table = element.element
    if not table.info.get(_INFO):
        return str(compiler.visit_create_table(element, **options))
    name = compiler.preparer.format_table(table)
    return (
        f"CREATE VIRTUAL TABLE {name} USING fts5(words, tokenize=ascii, detail=none, columnsize=0)"
    )


POST_WORDS = words_of("posts")
USER_WORDS = words_of("users")
