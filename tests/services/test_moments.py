"""Moments of the database: another one after each commit, and of another server or connection."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import User
from services.base import Service
from services.moments import Moments
from services.registry import RESOURCES
from services.transaction import Sharing, transact
from tests.factories import make_user


@pytest.fixture
def moments(engine: sa.Engine) -> Iterator[Moments]:
    moments = Moments(lambda: engine)
    yield moments
    if moments._watcher is not None:
        moments._watcher.close()


class TestNow:
    def test_is_another_after_each_commit(
        self, moments: Moments, session: Session, engine: sa.Engine
    ) -> None:
        found = [moments.now()]
        for _ in range(5):
            make_user(session)
            found.append(moments.now())

        assert len(set(found)) == 6
        assert any(moments.now() == moments.now() for _ in range(5))  # others may write elsewhere

    def test_is_another_for_each_who_was_told_of_a_shared_commit(
        self, moments: Moments, engine: sa.Engine, ada: User
    ) -> None:
        before = moments.now()

        def rename(number: int) -> bool:
            with Sharing(engine, expire_on_commit=False) as session:
                renamed = sa.update(User).where(User.id == ada.id).values(name=f"Ada {number}")
                transact(session, lambda: session.execute(renamed))
            return moments.now() != before

        with ThreadPoolExecutor(4) as pool:  # as many as the engine has connections
            assert all(pool.map(rename, range(12)))

    def test_of_another_server_is_another(
        self, moments: Moments, session: Session, backend: str
    ) -> None:
        found = moments.now()

        if backend == "postgresql":
            started = sa.select(sa.cast(sa.func.pg_postmaster_start_time(), sa.Text))
            assert isinstance(found, tuple)
            assert found[1] == session.scalar(started)
        else:  # it counts for one connection only
            assert moments._watcher is not None
            moments._watcher.dbapi_connection.close()
            assert moments.now() is None
            assert moments.now() not in {None, found}


class TestUntil:
    @pytest.mark.parametrize("service", RESOURCES.values(), ids=RESOURCES)
    def test_who_asks_for_the_time_says_when_what_appears(
        self, session: Session, service: type[Service[Any]]
    ) -> None:
        asked = service(session).visible().compile().params

        assert ("now" in asked) == (service.appears_at is not None)
