"""Refresh tokens: used once, told again for a moment, stolen ones end the session."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import RefreshToken, Revocation, User, UserSession
from services import clock, refresh, sessions
from services.errors import InvalidGrant, Unavailable
from services.refresh import Grant, RefreshReused
from tests.services.direct import KEY, Clock, Direct, at_once, credentials, go_on, kinds


@pytest.fixture
def grant(database: Direct, ada: User, now: Clock) -> Grant:
    """A sign-in by ada."""
    return sessions.sign_in(database, credentials())


class TestRefresh:
    def test_gives_the_next_token_of_the_same_session(
        self, database: Direct, session: Session, grant: Grant, now: Clock
    ) -> None:
        # when
        now.advance(minutes=15)
        following = go_on(database, grant.refresh_token)
        # then
        assert following.session_id == grant.session_id
        assert following.refresh_token != grant.refresh_token
        assert session.get_one(UserSession, grant.session_id).refreshed_at == now()

    def test_tells_the_same_again_within_ten_seconds(
        self, database: Direct, grant: Grant, now: Clock
    ) -> None:
        # given
        first = go_on(database, grant.refresh_token)
        # when
        now.advance(seconds=10)
        again = go_on(database, grant.refresh_token)
        # then
        assert again == first
        assert database.count(RefreshToken) == 2

    @pytest.mark.parametrize("successor_is_used", [False, True])
    def test_of_a_spent_token_ends_the_session_for_good(
        self,
        database: Direct,
        session: Session,
        grant: Grant,
        now: Clock,
        successor_is_used: bool,
    ) -> None:
        # given
        following = go_on(database, grant.refresh_token)
        if successor_is_used:
            go_on(database, following.refresh_token)
        else:
            now.advance(seconds=10.001)
        # when
        with pytest.raises(RefreshReused) as refused:
            go_on(database, grant.refresh_token)
        # then
        assert refused.value.public_code == "invalid-grant"
        assert database.count(UserSession) == database.count(RefreshToken) == 0
        subjects = session.scalars(sa.select(Revocation.subject)).all()
        assert subjects == [f"session:{grant.session_id}"]
        assert kinds(session) == ["sign-in", "refresh-reuse"]
        with pytest.raises(InvalidGrant):
            go_on(database, following.refresh_token)

    def test_fifty_at_once_make_one_child(self, wide: Direct, ada: User, session: Session) -> None:
        # given
        grant = sessions.sign_in(wide, credentials())
        # when
        grants = at_once(50, lambda: go_on(wide, grant.refresh_token))
        # then
        assert {each.refresh_token for each in grants if isinstance(each, Grant)} == {
            refresh._successor(KEY, grant.refresh_token)
        }
        assert [each for each in grants if not isinstance(each, Grant)] == []
        spent = session.scalars(sa.select(RefreshToken.spent_at).order_by(RefreshToken.id)).all()
        assert [bool(each) for each in spent] == [True, False]

    def test_ends_after_thirty_idle_days(self, database: Direct, grant: Grant, now: Clock) -> None:
        # given
        now.advance(days=29)
        following = go_on(database, grant.refresh_token)
        # when
        now.advance(days=30)
        # then
        with pytest.raises(InvalidGrant):
            go_on(database, following.refresh_token)

    def test_ends_after_ninety_days_in_all(
        self, database: Direct, grant: Grant, now: Clock
    ) -> None:
        # given
        token = grant.refresh_token
        for _ in range(3):
            now.advance(days=29)
            token = go_on(database, token).refresh_token
        now.advance(days=2, hours=23, minutes=50)
        last = go_on(database, token)
        # when
        now.advance(minutes=10)
        # then
        assert last.expires_in == 600
        with pytest.raises(InvalidGrant):
            go_on(database, last.refresh_token)

    def test_of_an_unknown_token_is_refused(self, database: Direct, grant: Grant) -> None:
        # when
        with pytest.raises(InvalidGrant):
            go_on(database, "x" * 43)
        # then
        assert go_on(database, grant.refresh_token).session_id == grant.session_id

    @pytest.mark.parametrize("changes", [{"status": "suspended"}, {"deleted_at": clock.now()}])
    def test_of_a_user_who_may_not_sign_in_is_refused(
        self, database: Direct, session: Session, ada: User, grant: Grant, changes: dict[str, Any]
    ) -> None:
        # given
        session.execute(sa.update(User).values(changes))
        session.commit()
        # when
        with pytest.raises(InvalidGrant):
            go_on(database, grant.refresh_token)
        # then
        assert session.scalars(sa.select(RefreshToken.spent_at)).all() == [None]

    def test_tells_the_role_and_version_of_now(
        self, database: Direct, session: Session, ada: User, grant: Grant
    ) -> None:
        # given
        session.execute(sa.update(User).values(role="editor", token_version=2))
        session.commit()
        # when
        following = go_on(database, grant.refresh_token)
        # then
        assert (following.role, following.ver) == ("editor", 2)

    def test_that_the_database_breaks_off_can_be_tried_again(
        self, database: Direct, grant: Grant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        def broken(*_: object) -> None:
            raise Unavailable(retry_after=1)

        with monkeypatch.context() as patch:
            patch.setattr(refresh, "store", broken)
            with pytest.raises(Unavailable):
                go_on(database, grant.refresh_token)
        # when
        following = go_on(database, grant.refresh_token)
        # then
        assert following.session_id == grant.session_id

    def test_by_another_secret_gives_another_successor(self) -> None:
        assert refresh._successor(KEY, "x") != refresh._successor(refresh.successor_key("y"), "x")


class TestRaces:
    @pytest.mark.parametrize("ending", ["all", "others"])
    def test_refreshing_while_all_end_leaves_nothing_alive(
        self, wide: Direct, ada: User, ending: str
    ) -> None:
        # given
        grant = sessions.sign_in(wide, credentials())
        turns = iter(range(40))

        def end(session: Session) -> None:
            if ending == "all":
                sessions.end_all(session, ada.id, 2)
            else:
                sessions.end_others(session, ada.id, None)

        def work() -> Grant | None:
            if next(turns) != 20:
                return go_on(wide, grant.refresh_token)
            wide.write(end)
            return None

        # when
        outcomes = at_once(40, work)
        # then
        assert {type(each) for each in outcomes} <= {Grant, InvalidGrant, type(None)}
        assert wide.count(UserSession) == wide.count(RefreshToken) == 0
