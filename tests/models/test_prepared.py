"""Reads on the driver's own connection: they fail as any others do, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Revocation, User
from models.engine import WRITES, engine_options, prepare
from models.prepared import Passing, Question, run_last
from services import clock
from services.errors import TimedOut, Unavailable
from services.transaction import reading
from tests.factories import make_user

SUBJECTS = sa.select(Revocation.subject)
#: One that goes on for longer than a statement may.
SLEEP = sa.select(sa.func.pg_sleep(30).label("slept"))


@pytest.fixture
def own(engine: sa.Engine) -> Iterator[sa.Engine]:
    """An engine with a single connection."""
    own = sa.create_engine(engine.url, **engine_options(engine.url, 1))
    prepare(own)
    yield own
    own.dispose()


@pytest.fixture
def lose(engine: sa.Engine) -> Callable[[sa.Engine], None]:
    """End every connection of an engine from the side of the server."""

    def lose(own: sa.Engine) -> None:
        with own.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            id = driver.info.backend_pid
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_terminate_backend(id, 5_000)))

    return lose


def ask(engine: sa.Engine, statement: sa.Select[Any] = SUBJECTS) -> list[Any]:
    """Ask as a request does that only reads."""
    session = Session(engine)
    with reading(session):
        return [row[0] for row in Question(statement).ask(session, {})]


class TestAsking:
    def test_gives_named_rows(self, session: Session) -> None:
        user = make_user(session, "ada")

        wanted: Any = sa.select(User.id, User.created_at)

        (row,) = Question(wanted).ask(session, {})

        assert (row.id, row.created_at) == (user.id, user.created_at)

    def test_within_a_transaction_sees_what_that_wrote(self, own: sa.Engine) -> None:
        with Session(own) as session:
            session.connection(execution_options={WRITES: True})
            session.add(_revocation())
            session.flush()

            seen = [row.subject for row in Question(SUBJECTS).ask(session, {})]

        assert seen == ["user:1"]
        assert ask(own) == []  # and it is gone with the transaction

    def test_leaves_a_connection_on_which_transactions_begin(self, own: sa.Engine) -> None:
        ask(own)

        with Session(own) as session:
            session.connection(execution_options={WRITES: True})
            session.add(_revocation())
            session.flush()
            session.rollback()

        assert ask(own) == []

    def test_where_no_connection_is_free_is_told_to_come_again(self, own: sa.Engine) -> None:
        options = engine_options(own.url, 1) | {"pool_timeout": 0, "max_overflow": 0}
        narrow = sa.create_engine(own.url, **options)
        prepare(narrow)

        with narrow.connect(), pytest.raises(Unavailable) as caught:
            ask(narrow)

        assert caught.value.retry_after == 1
        narrow.dispose()


class TestDatabase:
    @pytest.mark.parametrize("place", ["postgresql+psycopg://x@127.0.0.1:1/x", "sqlite:///{}/x/y"])
    def test_that_is_away_is_told_as_such(self, tmp_path: Path, place: str) -> None:
        url = sa.make_url(place.format(tmp_path))
        away = sa.create_engine(url, **engine_options(url, 1))

        with pytest.raises(Unavailable) as caught:
            ask(away)

        assert caught.value.retry_after == 1

    def test_that_went_away_is_told_once(
        self, own: sa.Engine, lose: Callable[[sa.Engine], None]
    ) -> None:
        if own.dialect.name == "sqlite":
            return  # a file does not go away
        lose(own)

        with pytest.raises(Unavailable):
            ask(own)

        assert ask(own) == []

    def test_that_goes_away_during_a_transaction_is_told_as_such(
        self, own: sa.Engine, lose: Callable[[sa.Engine], None]
    ) -> None:
        if own.dialect.name == "sqlite":
            return  # it stays
        lose(own)
        session = Session(own)
        session.connection()

        with pytest.raises(Unavailable), reading(session):
            Question(SUBJECTS).ask(session, {})

        assert ask(own) == []

    def test_that_is_too_slow_is_left_as_it_was(
        self, own: sa.Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if own.dialect.name == "sqlite":
            return  # it has no limit of its own
        with own.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 50")

        with pytest.raises(TimedOut):
            ask(own, SLEEP)

        assert ask(own) == []


def _revocation() -> Revocation:
    return Revocation(subject="user:1", ver=1, expires_at=clock.now())


class TestPassing:
    def test_each_has_its_own_values(self, session: Session) -> None:
        # given
        def insert(subject: str, ver: int) -> Passing:
            values = sa.select(sa.literal(subject), sa.literal(ver), _UNTIL)
            names = ("subject", "ver", "expires_at")
            return Passing(sa.insert(Revocation).from_select(names, values))

        until = {"until": clock.now()}
        # when
        session.connection(execution_options={WRITES: True})
        run_last(session, (insert("a", 1), [until]), (insert("b", 2), [until]))
        session.commit()
        # then
        found = session.execute(sa.select(Revocation.subject, Revocation.ver))
        assert sorted(map(tuple, found)) == [("a", 1), ("b", 2)]

    def test_are_compiled_once(self, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        def erase(subject: str) -> Passing:
            return Passing(sa.delete(Revocation).where(Revocation.subject == subject))

        first = erase("a").text(engine.dialect)
        # when
        monkeypatch.setattr(sa.Delete, "compile", None)
        second = erase("b").text(engine.dialect)
        # then
        assert first is not None
        assert second is not None
        assert second.sql == first.sql
        assert "a" in list(_listed(first.values({})))
        assert "b" in list(_listed(second.values({})))


#: Of the column's type: its values are converted by it.
_UNTIL = sa.bindparam("until", type_=Revocation.expires_at.type)


def _listed(values: Any) -> Any:
    return values.values() if isinstance(values, dict) else values
