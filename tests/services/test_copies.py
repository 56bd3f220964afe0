"""A copy that follows the change feed is what its owner may see, whatever happens meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from models import User
from services import clock
from tests.factories import actor_of, make_post
from tests.services import histories, writers
from tests.services.histories import Copy, History

#: Random histories for each database; more were tried once.
HISTORIES = 25


class TestHistories:
    @pytest.mark.parametrize("seed", range(HISTORIES))
    def test_leave_every_copy_as_it_should_be(
        self, session: Session, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: histories.START)
        history = History(session, seed)
        monkeypatch.setattr(clock, "now", history.now)

        for _ in range(60):
            history.step()

        history.finish()


class TestConcurrently:
    def test_with_eight_writers_nothing_is_missed_or_out_of_order(
        self,
        session: Session,
        ada: User,
        mallory: User,
        admin: User,
        database_url: str,
    ) -> None:
        for _ in range(10):
            make_post(session, ada)
        copies = [Copy(actor_of(user) if user else None) for user in (None, ada, mallory, admin)]

        with writers.writing(database_url, ada.id, processes=8, count=40) as are_over:
            while not are_over():
                for copy in copies:
                    copy.read(session, limit=7)

        for copy in copies:
            copy.catch_up(session)
            world = histories.world(session)
            assert copy.items == histories.visible(*world, copy.actor, clock.now())
        assert sum(copy.pages for copy in copies) > 20  # they did read while others wrote
