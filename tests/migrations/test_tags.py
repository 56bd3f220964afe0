"""Tags come to a database that is full already: named, counted, and folded anew."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Base, Post, PostTag, Tag, User
from models.engine import WRITES
from services import clock, schema
from services.listing import Query
from services.tags import TagService
from services.transaction import reading

#: More than two batches of the migration.
MANY = 1_100
NOW = clock.now()
WHEN = {"created_at": NOW, "updated_at": NOW}


def _user(name: str, **changes: Any) -> dict[str, Any]:
    names = dict.fromkeys(("username", "username_key", "email", "email_key"), name)
    return {**names, "email_verified": True, "password_hash": "", **WHEN, **changes}


def _post(number: int, tags: list[str], author_id: int, **changes: Any) -> dict[str, Any]:
    texts = {"title": "T", "body": "b", "html": "b", "excerpt": "b", "slug": f"s{number}"}
    state = {"status": "published", "published_at": NOW, "deleted_at": None}
    return {**texts, **state, **WHEN, "tags": tags, "author_id": author_id, **changes}


def _fill(engine: sa.Engine) -> None:
    """Insert posts as they were before, with the index of their tags."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for user in (_user("ada"), _user("eve", status="suspended")):
            connection.execute(sa.insert(User), user)
        ada, eve = connection.scalars(sa.select(User.id).order_by(User.id))
        posts = [
            _post(1, ["Python", "hidden"], ada, status="draft"),
            _post(2, ["PYTHON", "Straße"], ada),
            _post(3, ["hidden"], ada, deleted_at=NOW),
            _post(4, ["hidden", "python"], eve),
            _post(5, ["STRASSE", "soon"], ada, published_at=NOW + timedelta(days=1)),
            _post(6, ["ΰ", "Ϋ́"], ada),
            _post(7, [], ada),
            *(_post(n, ["python", f"Tag {n % 300}"], ada) for n in range(8, MANY)),
        ]
        connection.execute(sa.insert(Post), posts)
        rows = connection.execute(sa.select(Post.id, Post.tags)).all()
        keys = [{"post_id": row.id, "key": tag.casefold()} for row in rows for tag in row.tags]
        connection.execute(sa.insert(PostTag), keys)


class TestUpgrade:
    def test_counts_what_was_there(self, empty: sa.Engine) -> None:
        schema.upgrade(empty, version="0003")
        _fill(empty)

        schema.upgrade(empty)

        with empty.connect() as connection:
            stored = {
                row.name: row.posts_count
                for row in connection.execute(sa.select(Tag.name, Tag.posts_count))
            }
            index = connection.execute(sa.select(PostTag.post_id, PostTag.key)).all()
            posts = connection.execute(sa.select(Post.id, Post.tags)).all()
        numbered = {name for name in stored if name.startswith("Tag ")}
        assert {stored.pop(name) for name in numbered} == {3, 4}
        assert len(numbered) == 300
        assert stored == {"PYTHON": MANY - 7, "Straße": 2, "soon": 1, "ΰ": 1}
        assert {tuple(row) for row in index} == {
            (id, unicodedata.normalize("NFC", tag.casefold())) for id, tags in posts for tag in tags
        }

    def test_lists_what_everyone_sees(self, empty: sa.Engine) -> None:
        schema.upgrade(empty, version="0003")
        _fill(empty)
        schema.upgrade(empty)

        with Session(empty) as session, reading(session):
            page = TagService(session).list(Query(limit=100, sort="-posts_count"))

        assert [row.name for row in page.rows[:1]] == ["PYTHON"]
        assert "soon" not in {row.name for row in page.rows}
        assert {row.posts_count for row in page.rows if row.name == "Straße"} <= {1}

    def test_of_an_empty_database_makes_none(self, empty: sa.Engine) -> None:
        schema.upgrade(empty)

        with empty.connect() as connection:
            assert connection.execute(sa.select(Base.metadata.tables["tags"])).all() == []
