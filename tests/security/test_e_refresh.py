"""Section E: sessions and refresh tokens, when they are stolen, raced, broken off and worn out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import AuditEvent, RefreshToken, User, UserSession
from services import clock
from services.lifetimes import lifetimes
from tests import databases
from tests.answers import code, data
from tests.factories import PASSWORD
from tests.security.world import API
from tests.servers import LiveServer

TOKEN, WHOAMI = f"{API}/auth/token", f"{API}/auth/whoami"
NEW_PASSWORD = "a violin in Oslo"


def sign_in(client: FlaskClient, password: str = PASSWORD) -> dict[str, Any]:
    """Return the tokens of a sign-in by ada."""
    grant = {"grant_type": "password", "username": "ada", "password": password}
    return dict(data(client.post(TOKEN, json=grant)))


def refresh(client: FlaskClient, tokens: dict[str, Any]) -> TestResponse:
    """Spend a refresh token."""
    grant = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return client.post(TOKEN, json=grant)


def whoami(client: FlaskClient, tokens: dict[str, Any]) -> int:
    """Return what an access token gets."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return client.get(WHOAMI, headers=headers).status_code


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``advance(days=20)``: the clock of every transaction goes on."""
    passed, real = [timedelta()], clock.now

    def advance(**amount: float) -> None:
        passed[0] += timedelta(**amount)

    monkeypatch.setattr(clock, "now", lambda: real() + passed[0])
    return advance


@pytest.mark.parametrize("how", ["self", "admin", "command"])
def test_case_053_a_new_password_ends_every_other_sign_in(
    app: Flask, client: FlaskClient, ada: User, admin: User, how: str
) -> None:
    # given
    this, *others = (sign_in(client) for _ in range(4))
    grant = {"grant_type": "password", "username": "root", "password": PASSWORD}
    root = {"Authorization": f"Bearer {data(client.post(TOKEN, json=grant))['access_token']}"}
    mine = {"Authorization": f"Bearer {this['access_token']}"}
    change = {"new_password": NEW_PASSWORD}
    # when
    if how == "self":
        body = change | {"current_password": PASSWORD}
        assert client.put(f"{API}/users/me/password", json=body, headers=mine).status_code == 204
    elif how == "admin":
        url = f"{API}/users/{ada.id}/password"
        assert client.put(url, json=change, headers=root).status_code == 204
    else:
        command = ["users", "set-password", "ada", "--password-stdin"]
        assert app.test_cli_runner().invoke(args=command, input=NEW_PASSWORD).exit_code == 0
    # then
    ended = others if how == "self" else [this, *others]
    assert [whoami(client, each) for each in ended] == [401] * len(ended)
    assert {code(refresh(client, each)) for each in ended} == {"invalid-grant"}
    if how == "self":
        assert (whoami(client, this), refresh(client, this).status_code) == (200, 200)
    assert sign_in(client, NEW_PASSWORD)


@pytest.mark.parametrize("later", [10.5, 3600, 86_400 * 20])
def test_case_054_a_stolen_token_ends_the_session_though_the_answer_is_an_error(
    client: FlaskClient,
    session: Session,
    ada: User,
    advance: Callable[..., None],
    later: float,
) -> None:
    # given
    stolen, other = sign_in(client), sign_in(client)
    following = data(refresh(client, stolen))
    # when
    advance(seconds=later)
    answer = refresh(client, stolen)
    # then
    assert (answer.status_code, code(answer)) == (400, "invalid-grant")
    assert code(refresh(client, following)) == "invalid-grant"
    assert [whoami(client, each) for each in (stolen, following)] == [401] * 2
    events = session.scalars(sa.select(AuditEvent).where(AuditEvent.kind == "refresh-reuse")).all()
    assert [(each.subject_id, each.address) for each in events] == [(ada.id, "127.0.0.1")]
    assert len(session.scalars(sa.select(UserSession)).all()) == 1
    assert refresh(client, other).status_code == 200


def test_case_055_a_repeat_gets_the_same_child_until_that_one_is_used(
    client: FlaskClient, session: Session, ada: User, advance: Callable[..., None]
) -> None:
    # given
    tokens = sign_in(client)
    first = data(refresh(client, tokens))
    # when
    advance(seconds=9)
    again = data(refresh(client, tokens))
    # then
    assert again["refresh_token"] == first["refresh_token"]
    unspent = sa.select(RefreshToken.id).where(RefreshToken.spent_at.is_(None))
    assert len(session.scalars(unspent).all()) == 1
    data(refresh(client, first))
    assert code(refresh(client, tokens)) == "invalid-grant"


def test_case_056_fifty_at_once_on_every_worker_make_one_child(server: LiveServer) -> None:
    # given
    name = f"racer-{server.database_url[:6]}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    id = server.client.post(f"{API}/users", json=body).raise_for_status().json()["id"]
    grant = {"grant_type": "password", "username": name, "password": PASSWORD}
    token = server.client.post(TOKEN, json=grant).json()["refresh_token"]
    going_on = {"grant_type": "refresh_token", "refresh_token": token}

    def go_on(_: int) -> tuple[int, Any]:
        with server.caller() as caller:
            answer = caller.post(TOKEN, json=going_on)
            return answer.status_code, answer.json().get("refresh_token")

    # when
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(go_on, range(50)))
    # then
    assert {status for status, _ in answers} <= {200, 503}
    children = {child for status, child in answers if status == 200}
    assert len(children) == 1
    engine = databases.connect(server.database_url)
    spent = sa.select(RefreshToken.spent_at).join(UserSession).where(UserSession.user_id == id)
    with engine.connect() as connection:
        rows = connection.scalars(spent.order_by(RefreshToken.id)).all()
    engine.dispose()
    assert [bool(each) for each in rows] == [True, False]


@contextmanager
def failing(app: Flask, at: int, event: str) -> Iterator[list[int]]:
    """Break the ``at``-th statement (or the commit) of what writes; tell how many there were."""
    from api.database import db

    seen = [0]

    def fail(*_: object) -> None:
        seen[0] += 1
        if seen[0] == at:
            raise sa.exc.OperationalError("x", None, sqlite3.OperationalError("gone"))

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, event, fail)
    try:
        yield seen
    finally:
        sa.event.remove(engine, event, fail)


@pytest.mark.parametrize("event", ["before_cursor_execute", "after_cursor_execute", "commit"])
def test_case_057_a_refresh_that_the_database_breaks_off_can_be_repeated(
    app: Flask, client: FlaskClient, session: Session, ada: User, event: str
) -> None:
    # given
    tokens, broken = sign_in(client), 0
    for at in range(1, 40):
        # when
        with failing(app, at, event) as seen:
            answer = refresh(client, tokens)
        if seen[0] < at:
            break
        # then
        assert (answer.status_code, code(answer)) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        broken += 1
        again = refresh(client, tokens)
        assert again.status_code == 200, again.text
        tokens = again.get_json()
    assert broken >= (1 if event == "commit" else 4)
    assert session.scalars(sa.select(AuditEvent.kind)).all() == ["sign-in"]
    unspent = sa.select(RefreshToken.id).where(RefreshToken.spent_at.is_(None))
    assert len(session.scalars(unspent).all()) == 1


def test_case_059_renewing_for_ever_stops_at_the_end_of_the_session(
    make_app: Callable[[Config], Flask],
    config: Config,
    ada: User,
    advance: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    for name in ("access", "refresh", "session"):  # of the process: put back afterwards
        monkeypatch.setattr(lifetimes, name, getattr(lifetimes, name))
    day = 86_400
    client = make_app(replace(config, SESSION_TTL=5 * day, REFRESH_TOKEN_TTL=2 * day)).test_client()
    tokens, lasted = sign_in(client), 0
    # when
    while (answer := refresh(client, tokens)).status_code == 200:
        tokens = answer.get_json()
        assert lasted + tokens["expires_in"] <= 5 * day
        advance(hours=7)
        lasted += 7 * 3600
        assert lasted < 6 * day
    # then
    assert code(answer) == "invalid-grant"
    assert 5 * day - 7 * 3600 <= lasted - 7 * 3600 < 5 * day
