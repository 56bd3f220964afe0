"""Export and import are each other's inverse, on both databases and between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Base, Change, Post
from tests import databases
from tests.conftest import MakeDatabase
from tests.services.direct import Clock
from tests.services.worlds import World, exported, imported

#: Tables that are not moved: what is of one database only, and what is made anew.
_LOCAL = {"changes", "audit_events", "sessions", "refresh_tokens", "revocations", "login_attempts"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target_backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database") or databases.BACKENDS
        metafunc.parametrize("target_backend", chosen, scope="module")


@pytest.fixture(scope="module")
def _target(
    target_backend: str, backend: str, _makers: Callable[[str], MakeDatabase]
) -> Iterator[sa.Engine]:
    engine = databases.connect(_makers(target_backend)(f"target_of_{backend}"))
    yield engine
    engine.dispose()


@pytest.fixture
def target(_target: sa.Engine) -> Iterator[sa.Engine]:
    """An empty database to import into."""
    yield _target
    databases.clean(_target)


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return the number of rows of every table that is moved."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in _LOCAL]
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        }


def talked(engine: sa.Engine) -> list[Any]:
    """Return what the posts count, in order."""
    statement = sa.select(Post.comments_count, Post.likes_count).order_by(Post.id)
    with engine.connect() as connection:
        return [
            tuple(row) for row in connection.execute(statement.where(Post.deleted_at.is_(None)))
        ]


def everything(engine: sa.Engine) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in Base.metadata.sorted_tables
        }


class TestRoundTrip:
    @pytest.mark.parametrize("seed", range(6))
    def test_gives_the_same_bytes(
        self, engine: sa.Engine, session: Session, target: sa.Engine, now: Clock, seed: int
    ) -> None:
        # given
        World(session, now, seed).live(120)
        before = exported(engine)
        now.advance(hours=1)
        # when
        report, refused = imported(target, before, batch=7)
        # then
        assert refused == []
        assert report.outcomes["created"] == len(before.splitlines()) - 2
        assert exported(target) == before
        assert counts(target) == counts(engine)
        assert talked(target) == talked(engine)

    def test_a_second_time_changes_nothing(
        self, engine: sa.Engine, session: Session, target: sa.Engine, now: Clock
    ) -> None:
        # given
        World(session, now, 42).live(150)
        before = exported(engine)
        imported(target, before)
        now.advance(hours=1)
        stored = everything(target)
        # when
        report, refused = imported(target, before, batch=11)
        # then
        assert refused == []
        assert set(report.outcomes) == {"unchanged"}
        assert everything(target) == stored

    def test_goes_on_where_it_was_interrupted(
        self, engine: sa.Engine, session: Session, target: sa.Engine, now: Clock
    ) -> None:
        # given
        World(session, now, 7).live(150)
        before = exported(engine)
        lines = before.splitlines(keepends=True)
        for part in (len(lines) // 3, len(lines) // 2):
            imported(target, b"".join(lines[:part]), batch=9)
        # when
        imported(target, before)
        # then
        assert exported(target) == before

    def test_without_passwords(
        self, engine: sa.Engine, session: Session, target: sa.Engine, now: Clock
    ) -> None:
        # given
        World(session, now, 1).live(30)
        before = exported(engine, passwords=False)
        # when
        imported(target, before)
        # then
        assert b"argon2" not in before
        assert exported(target) == before

    def test_is_one_change_of_each_item(
        self, engine: sa.Engine, session: Session, target: sa.Engine, now: Clock
    ) -> None:
        # given
        World(session, now, 3).live(100)
        now.advance(hours=1)
        # when
        imported(target, exported(engine))
        # then
        with target.connect() as connection:
            changes = connection.execute(sa.select(Change)).all()
        found = counts(target)
        assert len(changes) == found["users"] + found["posts"] + found["comments"]
        assert {(change.via, change.actor_id, change.was) for change in changes} == {
            ("command", None, 0)
        }
        assert {change.at for change in changes} == {now.time}
