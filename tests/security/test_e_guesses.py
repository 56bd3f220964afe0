"""Section E: guessing passwords is counted exactly, slows nobody else down and tells nothing."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import LoginAttempt, User, UserSession
from services import guesses, passwords
from tests import databases
from tests.answers import code
from tests.factories import PASSWORD, make_user
from tests.security.conftest import HOST
from tests.security.world import API, World
from tests.servers import LiveServer

TOKEN = f"{API}/auth/token"
WRONG = "not the password"
#: Samples of each kind of refused sign-in, interleaved.
SAMPLES = 500 if os.environ.get("PROVE") else 15
#: Failed sign-ins of an attacker.
FAILURES = 1000 if os.environ.get("PROVE") else 300

_serial = itertools.count(1)


def grant(name: str, password: str = WRONG, **more: str) -> dict[str, str]:
    return {"grant_type": "password", "username": name, "password": password} | more


def counts(server: LiveServer, name: str) -> list[int]:
    """Return what was counted for an account, guessed at from this machine."""
    engine = databases.connect(server.database_url)
    key = guesses.bucket(name, "127.0.0.1")
    with engine.connect() as connection:
        found = connection.scalars(sa.select(LoginAttempt.count).where(LoginAttempt.key == key))
        rows = list(found)
    engine.dispose()
    return rows


def test_case_060_a_hundred_parallel_guesses_are_counted_as_a_hundred(
    strict_server: LiveServer,
) -> None:
    # given
    name = f"guessed-{next(_serial)}"

    def guess(_: int) -> tuple[int, str]:
        with strict_server.caller() as caller:
            answer = caller.post(TOKEN, json=grant(name), headers={"Host": HOST})
            return answer.status_code, answer.json()["code"]

    # when
    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(guess, range(100)))
    # then
    unanswered = answers.pop((503, "unavailable"), 0)
    assert set(answers) == {(400, "invalid-grant"), (429, "rate-limited")}
    assert answers[400, "invalid-grant"] <= 10
    (counted,) = counts(strict_server, name)
    assert 100 - unanswered <= counted <= 100


def test_case_061_no_header_field_or_spelling_makes_another_bucket(
    strict_server: LiveServer, strict: httpx.Client
) -> None:
    # given
    name = f"spelled-{next(_serial)}"
    for _ in range(10):
        assert strict.post(TOKEN, json=grant(name)).status_code == 400
    forged = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP")
    # when
    answers = [
        *(strict.post(TOKEN, json=grant(name), headers={each: "198.51.100.9"}) for each in forged),
        *(strict.post(TOKEN, json=grant(name, **{each: "x"})) for each in ("email", "ip", "scope")),
        *(
            strict.post(TOKEN, json=grant(each))
            for each in (name.upper(), f" {name} ", f"{name}\n")
        ),
        *(strict.post(path, json=grant(name)) for path in (f"{TOKEN}/", f"{API}/auth/%74oken")),
        strict.post(TOKEN, data=grant(name)),
        strict.post(TOKEN, json=grant(name), headers={"Authorization": "Basic x"}),
    ]
    # then
    assert [each.status_code for each in answers] == [429] * len(answers)
    assert counts(strict_server, name) == [10 + len(answers)]


@pytest.fixture
def limited(make_app: Callable[[Config], Flask], config: Config) -> Flask:
    """An application that counts guesses."""
    return make_app(replace(config, RATE_LIMITS=True))


def guess(app: Flask, address: str, password: str = WRONG, name: str = "ada") -> TestResponse:
    """Sign in from an address."""
    elsewhere = {"REMOTE_ADDR": address}
    return app.test_client().post(TOKEN, json=grant(name, password), environ_base=elsewhere)


def test_case_062_failures_from_elsewhere_do_not_lock_the_owner_out(
    limited: Flask, ada: User
) -> None:
    # given
    attackers = ["198.51.100.1", "2001:db8::1"]
    statuses = Counter(guess(limited, attackers[n % 2]).status_code for n in range(FAILURES))
    assert statuses == {400: 20, 429: FAILURES - 20}
    # when
    answer = guess(limited, "203.0.113.7", PASSWORD)
    # then
    assert answer.status_code == 200
    assert guess(limited, attackers[0], PASSWORD).status_code == 429


def comparable(answer: TestResponse) -> tuple[Any, ...]:
    """Return an answer but for its id."""
    headers = {**answer.headers, "X-Request-Id": None, "Date": None}
    return answer.status_code, {**answer.get_json(), "request_id": None}, headers


def test_case_063_a_sign_in_is_refused_alike_whoever_it_is_for(
    app: Flask, session: Session
) -> None:
    # given
    world = World(app, session)
    client = world.caller("anonymous")
    known, gone = world.people["owner"], [world.people[each] for each in ("suspended", "deleted")]
    tries = [
        *((name, WRONG) for name in (known.username, known.email, "nobody-at-all", "no@body.org")),
        *((user.username, text) for user in gone for text in (WRONG, PASSWORD)),
        *((user.email, PASSWORD) for user in gone),
    ]
    # when
    answers = [comparable(client.post(TOKEN, json=grant(*each))) for each in tries]
    # then
    assert answers == answers[:1] * len(tries)
    assert answers[0][0] == 400


def test_case_063_the_limit_is_reached_alike_whoever_it_is_for(
    limited: Flask, session: Session
) -> None:
    # given
    make_user(session, "ada")
    make_user(session, "sue", status="suspended")
    # when
    told = {
        name: [comparable(guess(limited, "203.0.113.7", name=name))[:2] for _ in range(11)]
        for name in ("ada", "sue", "nobody")
    }
    # then
    for name in ("sue", "nobody"):
        assert [each[0] for each in told[name]] == [each[0] for each in told["ada"]]
        assert told[name][:10] == told["ada"][:10]


def test_case_063_a_refresh_is_refused_alike_whatever_is_wrong(
    client: FlaskClient, session: Session, ada: User, bob: User
) -> None:
    # given
    tokens = {}
    for user in (ada, bob):
        answer = client.post(TOKEN, json=grant(user.username, PASSWORD))
        tokens[user.username] = answer.get_json()["refresh_token"]
    session.execute(sa.update(User).where(User.id == ada.id).values(status="suspended"))
    session.execute(sa.delete(UserSession).where(UserSession.user_id == bob.id))
    session.commit()
    # when
    answers = [
        comparable(client.post(TOKEN, json={"grant_type": "refresh_token", "refresh_token": each}))
        for each in (tokens["ada"], tokens["bob"], "x" * 43, "x", "\N{SNOWMAN}")
    ]
    # then
    assert answers == answers[:1] * 5


def test_case_064_a_sign_in_takes_as_long_whoever_it_is_for(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    client = world.caller("anonymous")
    tries = {
        "known": (world.people["owner"].username, WRONG),
        "unknown": ("nobody-at-all", WRONG),
        "unknown address": ("no@body.org", WRONG),
        "suspended": (world.people["suspended"].username, WRONG),
        "suspended, right": (world.people["suspended"].username, PASSWORD),
        "deleted": (world.people["deleted"].username, PASSWORD),
    }
    taken: dict[str, list[_Timed]] = {name: [] for name in (*tries, "hash")}

    def sign_in(name: str) -> None:
        assert code(client.post(TOKEN, json=grant(*tries[name]))) == "invalid-grant"

    # when
    for turn in range(SAMPLES):
        order = list(tries)[turn % len(tries) :] + list(tries)[: turn % len(tries)]
        for name in order:
            taken[name].append(_timed(partial(sign_in, name)))
        taken["hash"].append(_timed(lambda: passwords.verify(None, WRONG)))
    # then
    for kind, most in (("worked", 0.3), ("waited", 0.6)):
        usual = {
            name: statistics.median(getattr(each, kind) for each in times)
            for name, times in taken.items()
        }
        hashing = usual.pop("hash")
        assert min(usual.values()) > 0.7 * hashing, (kind, usual)
        assert max(usual.values()) - min(usual.values()) < most * hashing, (kind, usual)


class _Timed(NamedTuple):
    """Seconds that something took: of this thread's work, and by the clock on the wall."""

    worked: float
    waited: float


def _timed(work: Callable[[], object]) -> _Timed:
    worked, waited = time.thread_time(), time.perf_counter()
    work()
    return _Timed(time.thread_time() - worked, time.perf_counter() - waited)
