"""Search: the words of posts and users, of those that are there already, too.

Words are made by models/words.py, as they are from then on whenever something is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from migrations.columns import Number
from models.search import Words
from models.words import count, document, leveled

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Rows that are in memory at a time; a post has up to 100,000 characters.
_BATCH = 200
_POSTS = sa.table(
    "posts",
    sa.column("id", Number),
    sa.column("title", sa.Text),
    sa.column("tags", sa.JSON),
    sa.column("body", sa.Text),
)
_USERS = sa.table(
    "users",
    sa.column("id", Number),
    sa.column("username", sa.Text),
    sa.column("name", sa.Text),
)


def upgrade() -> None:
    for name, source, read in (
        ("post_search", _POSTS, _of_post),
        ("user_search", _USERS, _of_user),
    ):
        _create(name, source.name)
        _fill(name, source, read)
        _index(name)


def downgrade() -> None:
    op.drop_table("user_search")
    op.drop_table("post_search")


def _create(name: str, of: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        # Words are stored as they are to be compared: this tokenizer changes none of them.
        op.execute(
            f"CREATE VIRTUAL TABLE {name}"
            " USING fts5(words, tokenize=ascii, detail=none, columnsize=0)"
        )
        return
    op.create_table(
        name,
        sa.Column("rowid", Number, autoincrement=False, nullable=False),
        sa.Column("words", TSVECTOR, nullable=False),
        sa.PrimaryKeyConstraint("rowid", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(
            ["rowid"], [f"{of}.id"], name=f"fk_{name}_rowid", ondelete="CASCADE"
        ),
    )
    # Words of up to 8 KB stay in their row as they are: unpacking them takes ten times as long as
    # looking through them.
    op.execute(f"ALTER TABLE {name} SET (toast_tuple_target = 8160)")


def _index(name: str) -> None:
    """Build PostgreSQL's index over all rows at once, and count their words for its planner."""
    if op.get_context().dialect.name == "postgresql":
        op.create_index(f"ix_{name}_words", name, ["words"], postgresql_using="gin")
        op.execute(f"ANALYZE {name}")


def _fill(name: str, source: sa.TableClause, read: Callable[[Any], str]) -> None:
    into = sa.table(name, sa.column("rowid", Number), sa.column("words", Words))
    for rows in _batches(source):
        values = [{"rowid": row.id, "words": read(row)} for row in rows]
        op.get_bind().execute(sa.insert(into), values)


def _batches(source: sa.TableClause) -> Iterator[Sequence[Any]]:
    last = 0
    while True:
        rows = sa.select(source).where(source.c.id > last).order_by(source.c.id).limit(_BATCH)
        found = op.get_bind().execute(rows).all()
        if not found:
            return
        yield found
        last = found[-1].id


def _of_post(row: Any) -> str:
    tags = row.tags if isinstance(row.tags, list) else ()
    return document((row.title, *tags), leveled(count(row.body)))


def _of_user(row: Any) -> str:
    return document((row.username, row.name or ""), leveled({}))
