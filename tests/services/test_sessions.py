"""Sign-ins: who gets one, how it goes on, what ends it, and what stays of a refusal."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import AuditEvent, LoginAttempt, RefreshToken, Revocation, User, UserSession
from services import clock, passwords, sessions
from services.actor import Actor
from services.errors import InvalidGrant, NotFound, RateLimited, Unavailable
from services.listing import Query
from services.refresh import Grant
from services.sessions import SessionService, SignInRefused
from tests.factories import PASSWORD, make_user
from tests.services.direct import Clock, Direct, at_once, credentials, go_on, kinds

#: The hash of ``PASSWORD`` with less cost than is wanted today.
WEAK = (
    "$argon2id$v=19$m=8,t=1,p=1$8i+26UbfrO2rELu3gw7YHg$CA5W0xG8tBeDQYof/320tyjywbeJo++IksD/jOcAQGo"
)


def actor_of(grant: Grant) -> Actor:
    return Actor(grant.user_id, grant.role, grant.session_id)


class TestSignIn:
    @pytest.mark.parametrize("name", ["ada", "ADA", " ada ", "ada@example.com", "Ada@Example.COM"])
    def test_by_name_or_address_whatever_the_case(
        self, database: Direct, session: Session, ada: User, name: str
    ) -> None:
        # when
        grant = sessions.sign_in(database, credentials(name))
        # then
        row = session.get_one(UserSession, grant.session_id)
        assert (grant.user_id, grant.role, grant.ver, grant.expires_in) == (
            ada.id,
            "author",
            1,
            900,
        )
        assert (row.user_id, row.device, row.address) == (ada.id, "Browser/1", "203.0.113.7")
        assert kinds(session) == ["sign-in"]

    def test_stores_no_token(self, database: Direct, session: Session, ada: User) -> None:
        # when
        grant = sessions.sign_in(database, credentials())
        # then
        stored = session.scalars(sa.select(RefreshToken)).one()
        assert grant.refresh_token not in (stored.hash, repr(grant), repr(stored))
        assert len(grant.refresh_token) == 43
        assert stored.spent_at is None

    @pytest.mark.parametrize(
        ("changes", "password"),
        [
            ({}, "a wrong way"),
            ({"status": "suspended"}, PASSWORD),
            ({"status": "suspended"}, "a wrong way"),
            ({"deleted_at": clock.now()}, PASSWORD),
            ({"username": "eve"}, PASSWORD),
        ],
        ids=["wrong", "suspended", "suspended-and-wrong", "deleted", "unknown"],
    )
    def test_is_refused_alike_for_every_reason(
        self, database: Direct, session: Session, changes: dict[str, Any], password: str
    ) -> None:
        # given
        make_user(session, **{"username": "ada", "email": "eve@example.com", **changes})
        # when
        with pytest.raises(SignInRefused) as refused:
            sessions.sign_in(database, credentials(password=password))
        # then
        error = refused.value
        assert (error.public_code, error.extra, error.faults) == ("invalid-grant", {}, ())
        assert error.public_message == InvalidGrant.message
        assert database.count(UserSession) == 0
        assert kinds(session) == ["sign-in-refused"]

    def test_keeps_no_name_that_was_typed(self, database: Direct, session: Session) -> None:
        # when
        with pytest.raises(SignInRefused):
            sessions.sign_in(database, credentials("my secret password"))
        # then
        event = session.scalars(sa.select(AuditEvent)).one()
        assert (event.subject_id, event.details, event.address) == (None, None, "203.0.113.7")

    def test_is_limited_per_account_and_address(
        self, database: Direct, session: Session, ada: User, now: Clock
    ) -> None:
        # given
        for _ in range(10):
            with pytest.raises(SignInRefused):
                sessions.sign_in(database, credentials(password="a wrong way"))
        # when
        with pytest.raises(RateLimited) as refused:
            sessions.sign_in(database, credentials("ADA"))
        # then
        assert refused.value.retry_after == 60
        sessions.sign_in(database, credentials(address="203.0.113.8"))
        assert kinds(session) == ["sign-in-refused"] * 10 + ["sign-in"]

    def test_forgets_the_guesses_before(self, database: Direct, ada: User) -> None:
        # given
        with pytest.raises(SignInRefused):
            sessions.sign_in(database, credentials(password="a wrong way"))
        # when
        sessions.sign_in(database, credentials())
        # then
        assert database.count(LoginAttempt) == 0

    def test_counts_nothing_without_a_limit(self, database: Direct, ada: User) -> None:
        # when
        with pytest.raises(SignInRefused):
            sessions.sign_in(database, credentials(password="a wrong way", limit=0))
        # then
        assert database.count(LoginAttempt) == 0

    def test_renews_a_hash_of_weaker_parameters(self, database: Direct, session: Session) -> None:
        # given
        user = make_user(session, "ada", password_hash=WEAK)
        # when
        sessions.sign_in(database, credentials())
        # then
        session.refresh(user)
        assert not passwords.is_outdated(user.password_hash)
        assert (user.version, user.token_version) == (1, 1)
        sessions.sign_in(database, credentials())

    def test_many_at_once_all_succeed(self, wide: Direct, session: Session) -> None:
        # given
        make_user(session, "ada", password_hash=WEAK)
        # when
        grants = at_once(16, lambda: sessions.sign_in(wide, credentials(limit=0)))
        # then
        assert [each for each in grants if not isinstance(each, Grant | Unavailable)] == []
        assert wide.count(UserSession) == sum(isinstance(each, Grant) for each in grants) > 0

    def test_keeps_of_the_device_what_can_be_shown(
        self, database: Direct, session: Session, ada: User
    ) -> None:
        # when
        grant = sessions.sign_in(database, credentials(device="a\x1b[1m\n" + "b" * 500))
        # then
        device = session.get_one(UserSession, grant.session_id).device
        assert device == ("a[1m" + "b" * 500)[:200]

    def test_removes_sessions_that_are_over(
        self, database: Direct, session: Session, ada: User, now: Clock
    ) -> None:
        # given
        sessions.sign_in(database, credentials())
        # when
        now.advance(days=90)
        new = sessions.sign_in(database, credentials())
        # then
        assert session.scalars(sa.select(UserSession.id)).all() == [new.session_id]


class TestList:
    def test_shows_own_live_sessions_newest_first(
        self, database: Direct, ada: User, bob: User, now: Clock
    ) -> None:
        # given
        idle = sessions.sign_in(database, credentials())
        now.advance(days=30)
        first = sessions.sign_in(database, credentials(device="Phone/2"))
        now.advance(seconds=1)
        second = sessions.sign_in(database, credentials())
        sessions.sign_in(database, credentials("bob"))
        # when
        page = database.read(lambda s: SessionService(s, actor_of(first)).list(Query()))
        # then
        assert [(row.id, row.current) for row in page.rows] == [
            (second.session_id, False),
            (first.session_id, True),
        ]
        assert idle.session_id not in {row.id for row in page.rows}
        assert (page.rows[1].device, page.rows[1].ip) == ("Phone/2", "203.0.113.7")

    def test_current_is_none_once_it_ended(self, database: Direct, ada: User) -> None:
        # given
        grant = sessions.sign_in(database, credentials())

        def current() -> Any:
            return database.read(lambda s: SessionService(s, actor_of(grant)).current())

        assert current().id == grant.session_id
        # when
        database.write(lambda session: sessions.end(session, grant.session_id))
        # then
        assert current() is None


class TestEnd:
    @pytest.fixture
    def grants(self, database: Direct, ada: User) -> list[Grant]:
        return [sessions.sign_in(database, credentials()) for _ in range(3)]

    def test_one_ends_its_tokens_and_no_others(
        self, database: Direct, session: Session, grants: list[Grant]
    ) -> None:
        # given
        first, second, _ = grants
        # when
        database.write(lambda s: SessionService(s, actor_of(first)).end(second.session_id))
        # then
        assert set(session.scalars(sa.select(UserSession.id))) == {
            grants[0].session_id,
            grants[2].session_id,
        }
        with pytest.raises(InvalidGrant):
            go_on(database, second.refresh_token)
        assert kinds(session)[-1] == "sign-out"

    def test_somebody_elses_is_not_found(
        self, database: Direct, bob: User, grants: list[Grant]
    ) -> None:
        # when
        with pytest.raises(NotFound):
            database.write(
                lambda s: SessionService(s, Actor(bob.id, "reader")).end(grants[0].session_id)
            )
        # then
        assert database.count(UserSession) == 3
        assert database.count(Revocation) == 0

    def test_others_leaves_the_present_one(
        self, database: Direct, session: Session, grants: list[Grant]
    ) -> None:
        # when
        database.write(lambda s: SessionService(s, actor_of(grants[1])).end_others())
        # then
        assert session.scalars(sa.select(UserSession.id)).all() == [grants[1].session_id]
        assert set(session.scalars(sa.select(Revocation.subject))) == {
            f"session:{grants[0].session_id}",
            f"session:{grants[2].session_id}",
        }

    def test_all_ends_every_token_of_the_user(
        self, database: Direct, session: Session, ada: User, bob: User, grants: list[Grant]
    ) -> None:
        # given
        other = sessions.sign_in(database, credentials("bob"))
        # when
        database.write(lambda s: sessions.end_all(s, ada.id, 2))
        # then
        assert session.scalars(sa.select(UserSession.id)).all() == [other.session_id]
        found = session.execute(sa.select(Revocation.subject, Revocation.ver)).all()
        assert [tuple(each) for each in found] == [(f"user:{ada.id}", 2)]

    @pytest.mark.parametrize("by", ["refresh token", "access token", "spent token"])
    def test_by_a_token(
        self, database: Direct, session: Session, grants: list[Grant], by: str
    ) -> None:
        # given
        grant = grants[0]
        token = None if by == "access token" else grant.refresh_token
        sid = grant.session_id if by == "access token" else None
        if by == "spent token":
            go_on(database, grant.refresh_token)
        # when
        database.write(lambda session: sessions.sign_out(session, token, sid))
        # then
        assert session.get(UserSession, grant.session_id) is None
        assert database.count(UserSession) == 2

    @pytest.mark.parametrize(("token", "sid"), [("x" * 43, None), ("x", 2**40), (None, None)])
    def test_by_a_token_that_is_none_changes_nothing(
        self, database: Direct, grants: list[Grant], token: str | None, sid: int | None
    ) -> None:
        # when
        database.write(lambda session: sessions.sign_out(session, token, sid))
        # then
        assert database.count(UserSession) == 3
