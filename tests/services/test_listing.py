"""Statements of lists: each filter has parameters of its own, and those in use stay compiled."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Base, User
from models.engine import prepare
from services import listing
from services.listing import Query, any_of, equals_folded
from services.posts import PostService
from services.transaction import reading
from services.users import UserService
from tests.factories import make_user


class People(UserService):
    """Users by two filters of each kind that binds parameters of its own."""

    filters = {
        "ids": any_of(User.id),
        "roles": any_of(User.role),
        "name": equals_folded(User.username_key),
        "email": equals_folded(User.email_key),
    }


class TestFilters:
    def test_of_one_kind_do_not_share_their_values(self, session: Session) -> None:
        ada, bob = make_user(session, "ada"), make_user(session, "bob", role="reader")
        names = {"name": "Ada", "email": ada.email}
        lists = {"ids": [ada.id, bob.id], "roles": ["reader"]}

        with reading(session):
            by_name = People(session).list(Query(filters=names)).rows
            by_list = People(session).list(Query(filters=lists)).rows

        assert [row.id for row in by_name] == [ada.id]
        assert [row.id for row in by_list] == [bob.id]


class TestStatements:
    def test_in_use_are_kept_however_many_odd_ones_came(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "_KEPT", 3)
        monkeypatch.setattr(PostService, "_statements", {})
        for count in range(1, 10):
            _list(session, filters={"tag": ["x"] * count})

        _list(session, sort="title")

        assert any("title" in key for key in PostService._statements)
        assert len(PostService._statements) <= 3


class TestIndexes:
    @pytest.mark.parametrize("sort", ["title", "-likes_count", "created_at", "-updated_at"])
    @pytest.mark.parametrize("after", [None, (0, 1)])
    def test_sqlite_goes_along_that_of_the_order(self, sort: str, after: Any) -> None:
        name = sort.removeprefix("-")
        query = Query(sort=sort, filters={"status": "published"}, after=after)

        found = _plan(query)

        assert f"USING INDEX ix_posts_{name}_id" in found
        assert "TEMP B-TREE" not in found

    def test_a_narrower_filter_is_left_to_the_planner(self) -> None:
        query = Query(sort="title", filters={"status": "published", "author_id": 1})

        assert "ix_posts_title_id" not in _plan(query)


def _plan(query: Query) -> str:
    """Return how an empty database of SQLite's would answer a list of posts."""
    engine = sa.create_engine("sqlite://")
    prepare(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        statement = str(listing.rows_of(PostService(session), query).compile(engine))
        steps = session.execute(sa.text(f"EXPLAIN QUERY PLAN {statement.replace('?', '1')}")).all()
    engine.dispose()
    return "\n".join(str(step[3]) for step in steps)


def _list(session: Session, **query: Any) -> None:
    with reading(session):
        PostService(session).list(Query(**query))
