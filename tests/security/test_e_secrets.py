"""Section E: what answers tell, what passwords may be, and that there is no other way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import User
from services import passwords
from tests.answers import faults
from tests.factories import make_post
from tests.security.rights import TABLE, body_of, url_of
from tests.security.test_e_accounts import sign_in as sign_in_by
from tests.security.test_e_accounts import sign_up
from tests.security.world import API, CALLERS, World, everything

#: Parts of the names of members that no answer has.
SECRETS = ("hash", "token_version", "secret", "salt", "_key", "reset", "otp", "deletion_id")


def names_in(value: Any) -> set[str]:
    """Return the names of all members in a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names_in(each)}
    return {name for each in value for name in names_in(each)} if isinstance(value, list) else set()


@pytest.mark.parametrize("caller", CALLERS[:6])
def test_case_073_no_answer_tells_a_secret(app: Flask, session: Session, caller: str) -> None:
    # given
    world = World(app, session)
    client = world.caller(caller)
    for row in TABLE:
        leaves = row.rule.startswith(API) and not row.rule.endswith((".json", "/token"))
        if leaves and row.method not in {"DELETE"} and "/password" not in row.rule:
            # when
            url, body = url_of(row, world), body_of(row, world)
            answer = client.open(url, method=row.method, json=body)
            # then
            assert b"$argon2" not in answer.data, row
            told = names_in(answer.get_json(silent=True))
            assert not [name for name in told if any(each in name for each in SECRETS)], row


def test_case_073_others_do_not_see_an_address(
    client: FlaskClient,
    sign_in: Callable[[User], FlaskClient],
    session: Session,
    ada: User,
    bob: User,
) -> None:
    # given
    make_post(session, ada)
    for caller in (client, sign_in(bob)):
        for path in ("users", f"users/{ada.id}", "users/by-username/ada", "posts"):
            # when
            answer = caller.get(f"{API}/{path}")
            # then
            assert ada.email not in answer.text, path
            private = {"email", "email_verified", "status", "updated_at", "version"}
            assert path.startswith("posts") or not private & names_in(answer.get_json()), path


@pytest.mark.parametrize("length", [64, 72, 73, 128, 1024])
def test_case_074_a_long_password_counts_to_its_last_character(
    client: FlaskClient, session: Session, length: int
) -> None:
    # given
    password = ("correct horse battery staple " * 40)[: length - 1] + "!"
    assert sign_up(client, password=password).status_code == 201
    # then
    assert sign_in_by(client, "newcomer", password).status_code == 200
    for wrong in (f"{password[:-1]}?", password[:-1], f"{password[:-1]}! ", password.upper()):
        assert sign_in_by(client, "newcomer", wrong).status_code == 400


@pytest.mark.parametrize(
    "password", ["  a long way  ", "\ta long way\n", "\U0001f600" * 8, "a\rb\tc\x1bdef"]
)
def test_case_074_a_password_is_taken_as_it_is(
    client: FlaskClient, session: Session, password: str
) -> None:
    # given
    assert sign_up(client, password=password).status_code == 201
    # then
    assert sign_in_by(client, "newcomer", password).status_code == 200
    if password.strip() != password:
        assert sign_in_by(client, "newcomer", password.strip()).status_code == 400


@pytest.mark.parametrize(
    "password", ["x" * 7, "x" * 1025, "x" * 1_000_000, "", "12345678", "Password1", "a\0bcdefgh"]
)
def test_case_074_what_is_no_good_password_is_refused_unhashed(
    client: FlaskClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    # given
    def hash(_: str) -> str:
        raise AssertionError("It was hashed.")

    monkeypatch.setattr(passwords, "hash", hash)
    before = everything(engine)
    # when
    answer = sign_up(client, password=password)
    # then
    assert (answer.status_code, set(faults(answer))) == (400, {"password"})
    assert everything(engine) == before
    assert password == "" or len(password) < 9 or password not in answer.text


RETIRED = [
    *("login", "logout", "register", "signup", "auth/login", "auth/register", "auth/reset"),
    *(
        "auth/forgot",
        "auth/impersonate",
        "auth/token/refresh",
        "auth/refresh",
        "admin",
        "admin/users",
    ),
    *("users/login", "users/me/token", "debug", "config", "env", "console", "internal"),
]


@pytest.mark.parametrize(
    "path", [*(f"{API}/{each}" for each in RETIRED), "/dev/mail", "/login", "/admin"]
)
def test_case_075_there_are_no_further_ways_in(app: Flask, session: Session, path: str) -> None:
    # given
    world = World(app, session)
    for name in ("anonymous", "admin"):
        for method in ("GET", "POST", "PUT"):
            # when
            answer = world.caller(name).open(path, method=method, json={"username": "x"})
            # then
            assert answer.status_code == 404, (name, method)


def test_case_075_closed_registration_lets_nobody_but_admins_in(
    make_app: Callable[[Config], Flask], config: Config, session: Session, engine: sa.Engine
) -> None:
    # given
    app = make_app(replace(config, REGISTRATION="closed"))
    world = World(app, session)
    world.everybody()
    before = everything(engine)
    # when
    for name in CALLERS:
        answer = sign_up(world.caller(name))
        # then
        expected = {"admin": 201, **dict.fromkeys(("anonymous", *CALLERS[6:]), 401)}.get(name, 403)
        assert answer.status_code == expected, name
        if expected != 201:
            assert everything(engine) == before
        else:
            before = everything(engine)
