"""Tags with their names and numbers, of the posts that are there already, too.

Keys are made by models/tag.py, as they are from then on. Those in ``post_tags`` were folded only:
what Unicode writes in two ways could be two tags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

from migrations.columns import Number
from models.tag import key_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTED: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}
#: Posts whose tags are in memory at a time.
_BATCH = 500
_POSTS = sa.table(
    "posts",
    sa.column("id", Number),
    sa.column("author_id", Number),
    sa.column("status", sa.Text),
    sa.column("deleted_at", sa.Text),
    sa.column("tags", sa.JSON),
)
_USERS = sa.table("users", sa.column("id", Number), sa.column("status", sa.Text))
_INDEX = sa.table("post_tags", sa.column("post_id", Number), sa.column("key", sa.Text))
_TAGS = sa.table(
    "tags", sa.column("key", sa.Text), sa.column("name", sa.Text), sa.column("posts_count", Number)
)


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", Number, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("posts_count", Number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("key", name="uq_tags_key"),
        **_COUNTED,
    )
    for posts in _batches():
        _fold_anew(posts)
        _count(posts)
    op.create_index("ix_tags_posts_count_id", "tags", ["posts_count", "id"])


def downgrade() -> None:
    op.drop_table("tags")


def _batches() -> Iterator[Sequence[Any]]:
    """Yield posts in the order in which they were written, with whether they count."""
    counts = sa.and_(
        _POSTS.c.status == "published", _POSTS.c.deleted_at.is_(None), _USERS.c.status == "active"
    )
    posts = sa.select(_POSTS.c.id, _POSTS.c.tags, counts.label("counts"))
    posts = posts.join(_USERS, _USERS.c.id == _POSTS.c.author_id).order_by(_POSTS.c.id)
    last = 0
    while True:
        found = op.get_bind().execute(posts.where(_POSTS.c.id > last).limit(_BATCH)).all()
        if not found:
            return
        yield found
        last = found[-1].id


def _fold_anew(posts: Sequence[Any]) -> None:
    """Index the tags of posts whose keys are others than they were."""
    changed = [
        post for post in posts if any(key_of(tag) != tag.casefold() for tag in _tags_of(post))
    ]
    if changed:
        ids = [post.id for post in changed]
        op.get_bind().execute(sa.delete(_INDEX).where(_INDEX.c.post_id.in_(ids)))
        keys = [
            {"post_id": post.id, "key": key}
            for post in changed
            for key in sorted({key_of(tag) for tag in _tags_of(post)})
        ]
        op.get_bind().execute(sa.insert(_INDEX), keys)


def _count(posts: Sequence[Any]) -> None:
    numbers: Counter[str] = Counter()
    names: dict[str, str] = {}
    for post in posts:
        if post.counts:
            own = {key_of(tag): tag for tag in reversed(_tags_of(post))}
            numbers.update(own.keys())
            names = own | names
    if numbers:
        is_sqlite = op.get_context().dialect.name == "sqlite"
        insert = (sqlite if is_sqlite else postgresql).insert(_TAGS)
        sum = _TAGS.c.posts_count + insert.excluded.posts_count
        op.get_bind().execute(
            insert.on_conflict_do_update(index_elements=["key"], set_={"posts_count": sum}),
            [
                {"key": key, "name": names[key], "posts_count": number}
                for key, number in sorted(numbers.items())
            ],
        )


def _tags_of(post: Any) -> list[str]:
    return post.tags if isinstance(post.tags, list) else []
