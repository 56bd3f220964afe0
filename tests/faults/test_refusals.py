"""A database that breaks off what it does: told as such, and its connection is not used again."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Post, User
from models.engine import engine_options, prepare
from services import log
from services.errors import Unavailable
from services.transaction import after_commit, transact
from tests.factories import make_post
from tests.services.writers import count_once


@pytest.fixture
def own(engine: sa.Engine) -> Iterator[Session]:
    """A session whose pool has a single connection."""
    own = sa.create_engine(engine.url, **engine_options(engine.url, 1))
    prepare(own)
    with Session(own, expire_on_commit=False, autoflush=False) as session:
        yield session
    own.dispose()


@pytest.fixture
def post_id(session: Session, ada: User) -> int:
    return make_post(session, ada, title="0").id


def _count_after(session: Session, post_id: int, statement: str) -> None:
    """Count up in a transaction that begins with ``statement``."""

    def work() -> None:
        session.connection().exec_driver_sql(statement)
        count_once(session, post_id)

    transact(session, work)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


class TestPostgresql:
    def test_that_only_reads_any_more_is_left_for_another(self, own: Session, post_id: int) -> None:
        if _is_sqlite(own):
            return  # it has no other

        # The second is for the transactions to come, as long as the connection is used.
        end = "SET TRANSACTION READ ONLY; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
        with pytest.raises(Unavailable):
            _count_after(own, post_id, end)
        own.expunge_all()

        transact(own, lambda: count_once(own, post_id))

    def test_that_ended_an_idle_transaction(self, own: Session, post_id: int) -> None:
        if _is_sqlite(own):
            return  # nobody ends them

        def work() -> None:
            limit = "SET LOCAL idle_in_transaction_session_timeout = 1"
            own.connection().exec_driver_sql(limit)
            _wait_for_end(own)
            count_once(own, post_id)

        with pytest.raises(Unavailable):
            transact(own, work)
        own.expunge_all()

        transact(own, lambda: count_once(own, post_id))

    def test_that_went_away_at_the_commit_may_have_stored_it(
        self, own: Session, engine: sa.Engine, post_id: int
    ) -> None:
        if _is_sqlite(own):
            return  # it knows

        def work() -> None:
            count_once(own, post_id)
            after_commit(own, lambda: done.append("never"))
            _end(engine, own.scalar(sa.select(sa.func.pg_backend_pid())))

        done: list[str] = []
        with pytest.raises(Unavailable) as caught:
            transact(own, work)

        assert caught.value.extra == {"outcome": "unknown"}
        assert done == []

    def test_whose_log_is_locked_for_too_long(
        self, own: Session, engine: sa.Engine, post_id: int
    ) -> None:
        if _is_sqlite(own):
            return  # its writers queue before they begin

        with engine.begin() as other:
            other.execute(sa.select(sa.func.pg_advisory_xact_lock(log.LOCK)))
            with pytest.raises(Unavailable):
                _count_after(own, post_id, "SET LOCAL lock_timeout = 20")
        own.expunge_all()

        transact(own, lambda: count_once(own, post_id))
        assert own.get_one(Post, post_id).title == "1"  # the refused one left nothing


def _end(engine: sa.Engine, pid: int | None) -> None:
    """End a connection from the side of the server."""
    with engine.connect() as connection:
        connection.execute(sa.select(sa.func.pg_terminate_backend(pid, 5_000)))


def _wait_for_end(session: Session) -> None:
    """Wait until the server has closed the connection of a session."""
    driver: Any = session.connection().connection.dbapi_connection
    select.select([driver.fileno()], [], [], 5)
