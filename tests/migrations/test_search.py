"""Search comes to a database that is full already, and goes again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.engine import WRITES
from services import schema
from services.listing import Query
from services.posts import PostService
from services.transaction import reading
from services.users import UserService

POSTS = 450
MOMENT = {"sqlite": "1700000000000", "postgresql": "'2023-11-14T22:13:20Z'"}


def _fill(engine: sa.Engine) -> None:
    """Insert a user and posts as the first version had them."""
    at, no = MOMENT[engine.dialect.name], "0" if engine.dialect.name == "sqlite" else "false"
    common = f"1, {at}, {at}"
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.exec_driver_sql(
            "INSERT INTO users (username, username_key, email, email_key, email_verified,"
            " password_hash, name, role, status, token_version, version, created_at, updated_at)"
            " VALUES ('ada', 'ada', 'a@x', 'a@x',"
            f" {no}, '', 'Zoë', 'author', 'active', 1, {common})"
        )
        for n in range(POSTS):
            deleted = at if n == 7 else "NULL"
            connection.exec_driver_sql(
                "INSERT INTO posts (author_id, title, body, html, slug, excerpt, has_own_excerpt,"
                " status, published_at, tags, comments_count, likes_count, version, created_at,"
                " updated_at, deleted_at) SELECT id,"
                f" 'Number {n}', 'A Café', '', 's{n}', '', {no}, 'published', {at},"
                f" '[\"Äpfel\"]', 0, 0, {common}, {deleted} FROM users"
            )


def _found(engine: sa.Engine, *words: str) -> tuple[int, int | None]:
    """Return how many posts a page has, and all pages."""
    filters = {"status": "published", "q": words}
    with Session(engine) as session, reading(session):
        page = PostService(session).list(Query(limit=100, filters=filters, total=True))
    return len(page.rows), page.total


class TestUpgrade:
    def test_finds_what_was_there(self, empty: sa.Engine) -> None:
        schema.upgrade(empty, version="0001")
        _fill(empty)

        schema.upgrade(empty)

        assert _found(empty, "cafe", "apfel") == (100, POSTS - 1)
        assert _found(empty, "449") == (1, 1)
        assert _found(empty, "7") == (0, 0)
        with Session(empty) as session, reading(session):
            users = UserService(session).list(Query(filters={"q": ("ada", "zoe")})).rows
        assert [user.username for user in users] == ["ada"]


class TestDowngrade:
    def test_leaves_the_rows_and_can_be_undone(self, empty: sa.Engine) -> None:
        schema.upgrade(empty, version="0001")
        _fill(empty)
        schema.upgrade(empty)

        schema.downgrade(empty, version="0001")
        with empty.connect() as connection:
            tables = set(sa.inspect(connection).get_table_names())
            count = connection.exec_driver_sql("SELECT count(*) FROM posts").scalar()
        schema.upgrade(empty)

        assert count == POSTS
        assert not {name for name in tables if "_search" in name}
        assert _found(empty, "cafe") == (100, POSTS - 1)
