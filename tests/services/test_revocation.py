"""Revocations: which access tokens end, how soon every process knows, what happens without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Revocation
from services import clock, revocation
from services.errors import Forbidden, Unavailable
from services.revocation import Registry, revoke_session, revoke_sessions, revoke_user
from tests.services.direct import Clock, Direct, at_once

CountQueries = Callable[[], AbstractContextManager[list[str]]]


class Time:
    """The monotonic clock of the module; it goes only when told to."""

    def __init__(self) -> None:
        self.passed = 1000.0

    def monotonic(self) -> float:
        return self.passed


class Source:
    """Gives the engine, or says that the database is away."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.is_away = False
        self.asked = 0

    def __call__(self) -> sa.Engine:
        self.asked += 1
        if self.is_away:
            raise OperationalError("SELECT", {}, Exception("away"))
        return self.engine


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(revocation, "time", SimpleNamespace(monotonic=fake.monotonic))
    monkeypatch.setattr(revocation, "_ended", revocation._Ended())
    return fake


@pytest.fixture
def source(engine: sa.Engine) -> Source:
    return Source(engine)


@pytest.fixture
def registry(source: Source, seconds: Time) -> Iterator[Registry]:
    """A copy that has been read once."""
    registry = Registry(source)
    registry.is_revoked(1, 1, 1)
    yield registry
    registry.close()


def elsewhere(session: Session, subject: str, ver: int = 0) -> None:
    """Revoke as another process does: this one does not know."""
    expires_at = clock.now() + timedelta(minutes=17)
    session.add(Revocation(subject=subject, ver=ver, expires_at=expires_at))
    session.commit()


class TestRevoke:
    def test_a_session_ends_its_tokens_and_no_others(
        self, registry: Registry, database: Direct
    ) -> None:
        # when
        database.write(lambda session: revoke_session(session, 7))
        # then
        assert registry.is_revoked(1, 7, 1)
        assert not registry.is_revoked(1, 8, 1)
        assert not registry.is_revoked(7, 17, 1)

    def test_a_user_ends_older_tokens_only(self, registry: Registry, database: Direct) -> None:
        # when
        database.write(lambda session: revoke_user(session, 7, 3))
        database.write(lambda session: revoke_user(session, 7, 2))
        # then
        assert registry.is_revoked(7, 1, 2)
        assert not registry.is_revoked(7, 1, 3)
        assert not registry.is_revoked(3, 7, 1)

    def test_several_sessions_at_once(self, registry: Registry, database: Direct) -> None:
        # when
        database.write(lambda session: revoke_sessions(session, [7, 8]))
        # then
        assert [registry.is_revoked(1, each, 1) for each in (7, 8, 9)] == [True, True, False]

    def test_while_a_copy_is_being_read_holds_for_who_waits_for_it(
        self,
        registry: Registry,
        database: Direct,
        session: Session,
        seconds: Time,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        read, has_read, goes_on = registry._rows, threading.Event(), threading.Event()

        def slowly() -> Sequence[Any]:
            found = read()
            monkeypatch.setattr(registry, "_rows", read)
            has_read.set()
            goes_on.wait(5)
            return found

        monkeypatch.setattr(registry, "_rows", slowly)
        elsewhere(session, "session:8")
        seconds.passed += 2
        with ThreadPoolExecutor(2) as pool:
            pool.submit(registry.is_revoked, 1, 7, 1)
            has_read.wait(5)
            # when
            database.write(lambda session: revoke_session(session, 7))
            asked = pool.submit(registry.is_revoked, 1, 7, 1)
            wait([asked], 0.1)
            goes_on.set()
            # then
            assert asked.result()

    def test_of_a_transaction_that_fails_is_none(
        self, registry: Registry, database: Direct, seconds: Time
    ) -> None:
        # given
        def work(session: Session) -> None:
            revoke_session(session, 7)
            raise Forbidden()

        # when
        with pytest.raises(Forbidden):
            database.write(work)
        # then
        seconds.passed += 5
        assert not registry.is_revoked(1, 7, 1)
        assert database.count(Revocation) == 0

    def test_is_kept_as_long_as_the_tokens_live(
        self, database: Direct, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        now = Clock()
        monkeypatch.setattr(clock, "now", now)
        database.write(lambda session: revoke_session(session, 7))
        # when
        now.advance(seconds=900 + 30)
        database.write(lambda session: revoke_session(session, 8))
        now.advance(seconds=120)
        database.write(lambda session: revoke_session(session, 9))
        # then
        left = session.scalars(sa.select(Revocation.subject).order_by(Revocation.id)).all()
        assert left == ["session:8", "session:9"]


class TestRegistry:
    def test_knows_of_other_processes_within_a_second(
        self, registry: Registry, session: Session, seconds: Time
    ) -> None:
        # given
        elsewhere(session, "session:7")
        assert not registry.is_revoked(1, 7, 1)
        # when
        seconds.passed += 1
        # then
        assert registry.is_revoked(1, 7, 1)

    def test_asks_nothing_while_its_copy_is_fresh(
        self, registry: Registry, source: Source, seconds: Time
    ) -> None:
        # given
        asked = source.asked
        # when
        for _ in range(100):
            registry.is_revoked(1, 7, 1)
            seconds.passed += revocation.FRESH / 101
        # then
        assert source.asked == asked

    def test_reads_no_rows_of_a_file_that_did_not_change(
        self,
        registry: Registry,
        engine: sa.Engine,
        session: Session,
        seconds: Time,
        count_queries: CountQueries,
    ) -> None:
        # given
        seconds.passed += 1
        registry.is_revoked(1, 7, 1)
        # when
        with count_queries() as unchanged:
            seconds.passed += 1
            registry.is_revoked(1, 7, 1)
        elsewhere(session, "session:7")
        with count_queries() as changed:
            seconds.passed += 1
            assert registry.is_revoked(1, 7, 1)
        # then
        assert len(unchanged) == (0 if engine.dialect.name == "sqlite" else 1)
        assert len(changed) == 1

    def test_that_is_asked_by_many_reads_once(
        self, registry: Registry, session: Session, source: Source, seconds: Time
    ) -> None:
        # given
        elsewhere(session, "session:7")
        seconds.passed += 2
        with_one_read = source.asked + 2
        # when
        answers = at_once(200, lambda: registry.is_revoked(1, 7, 1))
        # then
        assert answers == [True] * 200
        assert source.asked == with_one_read

    def test_goes_on_for_a_second_without_the_database(
        self, registry: Registry, source: Source, seconds: Time
    ) -> None:
        # when
        source.is_away = True
        seconds.passed += 0.9
        # then
        assert not registry.is_revoked(1, 7, 1)

    def test_then_refuses_to_answer(
        self, registry: Registry, source: Source, seconds: Time
    ) -> None:
        # given
        source.is_away = True
        seconds.passed += 1.1
        # when
        with pytest.raises(Unavailable) as refused:
            registry.is_revoked(1, 7, 1)
        # then
        assert refused.value.retry_after == 1

    def test_answers_again_when_the_database_is_back(
        self, registry: Registry, source: Source, session: Session, seconds: Time
    ) -> None:
        # given
        source.is_away = True
        seconds.passed += 2
        with pytest.raises(Unavailable):
            registry.is_revoked(1, 7, 1)
        # when
        source.is_away = False
        elsewhere(session, "user:7", 2)
        seconds.passed += 0.1
        # then
        assert registry.is_revoked(7, 1, 1)
        assert not registry.is_revoked(8, 1, 1)
