"""Sign-ins: who gets one, how it goes on, what ends it, and what stays of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import AuditEvent, LoginAttempt, RefreshToken, Revocation, User, UserSession
from services import clock, passwords, refresh, sessions
from services.actor import Actor
from services.errors import InvalidGrant, NotFound, RateLimited, Unavailable
from services.listing import Query
from services.refresh import Grant, RefreshReused
from services.sessions import Credentials, SessionService, SignInRefused
from tests.factories import PASSWORD, make_user
from tests.services.direct import Clock, Direct, at_once, wide_engine

#: The hash of ``PASSWORD`` with less cost than is wanted today.
WEAK = (
    "$argon2id$v=19$m=8,t=1,p=1$8i+26UbfrO2rELu3gw7YHg$CA5W0xG8tBeDQYof/320tyjywbeJo++IksD/jOcAQGo"
)
KEY = refresh.successor_key("0123456789abcdef" * 3)


@pytest.fixture
def database(engine: sa.Engine) -> Direct:
    return Direct(engine)


@pytest.fixture
def wide(engine: sa.Engine, database_url: str) -> Iterator[Direct]:
    """The same database with a connection for each of many threads."""
    wide = wide_engine(database_url)
    yield Direct(wide)
    wide.dispose()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every transaction."""
    fake = Clock()
    monkeypatch.setattr(clock, "now", fake)
    return fake


def credentials(name: str = "ada", password: str = PASSWORD, **more: Any) -> Credentials:
    return Credentials(name, password, **{"device": "Browser/1", "address": "203.0.113.7", **more})


def go_on(database: Direct, token: str, key: bytes = KEY) -> Grant:
    return database.write(lambda session: refresh.refresh(session, token, key, "203.0.113.7"))


def kinds(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditEvent.kind).order_by(AuditEvent.id)))


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


class TestRefresh:
    @pytest.fixture
    def grant(self, database: Direct, ada: User, now: Clock) -> Grant:
        return sessions.sign_in(database, credentials())

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
