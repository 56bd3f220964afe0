"""Guesses at passwords: counted exactly, per account and address, for a minute."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models import LoginAttempt
from services import guesses
from services.errors import RateLimited
from tests.services.direct import Clock, Direct, at_once

KEY = guesses.bucket("ada", "203.0.113.7")


def guess(database: Direct, key: str = KEY) -> int:
    return database.write(lambda session: guesses.reserve(session, key))


class TestReserve:
    def test_allows_ten_a_minute(self, database: Direct, now: Clock) -> None:
        # when
        waits = [guess(database) for _ in range(12)]
        # then
        assert waits == [0] * 10 + [60, 60]

    def test_tells_how_long_to_wait(self, database: Direct, now: Clock) -> None:
        # given
        for _ in range(10):
            guess(database)
        # when
        now.advance(seconds=20.5)
        # then
        assert guess(database) == 40

    def test_begins_anew_after_a_minute(self, database: Direct, now: Clock) -> None:
        # given
        for _ in range(30):
            guess(database)
        # when
        now.advance(seconds=60)
        # then
        assert [guess(database) for _ in range(11)] == [0] * 10 + [60]

    def test_locks_nobody_out_when_the_clock_goes_back(self, database: Direct, now: Clock) -> None:
        # given
        for _ in range(11):
            guess(database)
        # when
        now.advance(days=-1)
        # then
        assert [guess(database) for _ in range(11)] == [0] * 10 + [60]

    def test_of_another_account_or_address_counts_apart(self, database: Direct, now: Clock) -> None:
        # given
        for _ in range(11):
            guess(database)
        # then
        assert guess(database, guesses.bucket("bob", "203.0.113.7")) == 0
        assert guess(database, guesses.bucket("ada", "203.0.113.8")) == 0

    def test_counts_a_hundred_parallel_ones_as_a_hundred(
        self, wide: Direct, session: sa.orm.Session
    ) -> None:
        # when
        waits = at_once(100, lambda: guess(wide))
        # then
        assert sorted(bool(wait) for wait in waits) == [False] * 10 + [True] * 90
        assert session.scalars(sa.select(LoginAttempt.count)).all() == [100]

    def test_removes_what_is_over(self, database: Direct, now: Clock) -> None:
        # given
        for number in range(5):
            guess(database, guesses.bucket("ada", f"203.0.113.{number}"))
        # when
        now.advance(minutes=1)
        guess(database)
        # then
        assert database.count(LoginAttempt) == 1


class TestForget:
    def test_begins_anew(self, database: Direct, now: Clock) -> None:
        # given
        for _ in range(10):
            guess(database)
        # when
        database.write(lambda session: guesses.forget(session, KEY))
        # then
        assert guess(database) == 0


class TestAllow:
    def test_refuses_what_has_to_wait(self) -> None:
        # when
        with pytest.raises(RateLimited) as refused:
            guesses.allow(40)
        # then
        assert (refused.value.public_code, refused.value.retry_after) == ("rate-limited", 40)


class TestBucket:
    def test_of_one_ipv6_network_is_one(self) -> None:
        assert guesses.bucket("ada", "2001:db8::1") == guesses.bucket("ada", "2001:db8::ffff:2")
        assert guesses.bucket("ada", "2001:db8::1") != guesses.bucket("ada", "2001:db8:0:1::1")

    def test_of_an_ipv4_address_is_the_same_when_mapped(self) -> None:
        assert guesses.bucket("ada", "::ffff:203.0.113.7") == KEY

    def test_without_an_address_is_one_too(self) -> None:
        assert guesses.bucket("ada", None) != KEY
