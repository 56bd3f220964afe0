"""Section E: one person, one account; what names, addresses and passwords may be; what is told."""

from __future__ import annotations

import unicodedata
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
from tests.answers import code, data, faults
from tests.factories import PASSWORD, PASSWORD_HASH, make_user
from tests.security.world import API, everything

TOKEN, USERS = f"{API}/auth/token", f"{API}/users"
NEW_PASSWORD = "a violin in Oslo"


def sign_up(client: FlaskClient, **changes: Any) -> Any:
    """Return the answer to a sign-up."""
    body = {"username": "newcomer", "email": "new@example.com", "password": NEW_PASSWORD}
    return client.post(USERS, json=body | changes)


def sign_in(client: FlaskClient, name: str, password: str = NEW_PASSWORD) -> Any:
    """Return the answer to a sign-in."""
    grant = {"grant_type": "password", "username": name, "password": password}
    return client.post(TOKEN, json=grant)


@pytest.mark.parametrize(
    "lookalike",
    [
        "m\N{LATIN SMALL LETTER DOTLESS I}ke",
        "mik\N{CYRILLIC SMALL LETTER IE}",
        "mi\N{KELVIN SIGN}e",
    ],
)
def test_case_067_a_lookalike_address_is_not_the_account_it_looks_like(
    client: FlaskClient, session: Session, lookalike: str
) -> None:
    # given
    make_user(session, "mike", email="mike@example.org")
    address = f"{lookalike}@example.org"
    # when
    made = sign_up(client, email=address)
    # then
    assert made.status_code in {201, 400, 409}
    session.expire_all()
    mike = session.scalars(sa.select(User).where(User.username == "mike")).one()
    assert (mike.email, mike.password_hash) == ("mike@example.org", PASSWORD_HASH)
    told = sign_in(client, "mike@example.org", PASSWORD)
    assert whose(client, told) == "mike"
    assert code(sign_in(client, "mike@example.org")) == "invalid-grant"
    if made.status_code == 201:
        assert whose(client, sign_in(client, address)) == "newcomer"
        assert code(sign_in(client, address, PASSWORD)) == "invalid-grant"


def whose(client: FlaskClient, granted: Any) -> str:
    """Return the name of who signed in."""
    headers = {"Authorization": f"Bearer {data(granted)['access_token']}"}
    return str(data(client.get(f"{USERS}/me", headers=headers))["username"])


@pytest.mark.parametrize(
    "other",
    [
        *("A.Jos\xe9@Example.org", "a.jos\xe9@example.org", " a.jos\xe9@example.org\t"),
        *("A.JOS\xc9@EXAMPLE.ORG", unicodedata.normalize("NFD", "a.jos\xe9@example.org")),
        *("a.jos\xe9@example.org.", "a.jos\xe9@example\N{IDEOGRAPHIC FULL STOP}org"),
        *("a.jos\xe9@\N{FULLWIDTH LATIN SMALL LETTER E}xample.org", "<a.jos\xe9@example.org>"),
        *("a.jos\xe9@exam\xadple.org", "a.jos\xe9\N{ZERO WIDTH SPACE}@example.org"),
        *('"a.jos\xe9"@example.org', "a.jos\xe9(x)@example.org", "A <a.jos\xe9@example.org>"),
    ],
)
def test_case_069_one_address_in_every_spelling_is_one_account(
    client: FlaskClient, session: Session, other: str
) -> None:
    # given
    assert sign_up(client, email="a.jos\xe9@example.org").status_code == 201
    # when
    answer = sign_up(client, username="second", email=other)
    # then
    assert code(answer) in {"email-taken", "validation"}
    assert set(faults(answer)) == {"email"}
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


@pytest.mark.parametrize(
    "domain", ["b\xfccher.example.org", "xn--bcher-kva.example.org", "B\xdcCHER.example.org"]
)
def test_case_069_one_domain_in_every_spelling_is_one(
    client: FlaskClient, session: Session, domain: str
) -> None:
    # given
    assert sign_up(client, email="a@b\xfccher.example.org").status_code == 201
    # then
    assert code(sign_up(client, username="second", email=f"a@{domain}")) == "email-taken"


@pytest.mark.parametrize(
    "username",
    [
        *("ada@example.com", "ada\N{ZERO WIDTH SPACE}", "\N{CYRILLIC SMALL LETTER A}da", "ad\xe1"),
        *("ADM\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}N", "adm\N{LATIN SMALL LETTER DOTLESS I}n"),
        *("\N{FULLWIDTH LATIN SMALL LETTER A}da", "ada\N{RIGHT-TO-LEFT OVERRIDE}", "ada\0", "a da"),
        *("ada.", "ada/../root", "a\N{COMBINING ACUTE ACCENT}da", "ada\n", "\ufeffada", "%61da"),
    ],
)
def test_case_070_a_name_that_could_be_taken_for_another_is_refused(
    client: FlaskClient, session: Session, ada: User, engine: sa.Engine, username: str
) -> None:
    # given
    before = everything(engine)
    # when
    answer = sign_up(client, username=username)
    # then
    assert answer.status_code in {400, 409}
    assert set(faults(answer)) == {"username"}
    assert everything(engine) == before
    assert whose(client, sign_in(client, "ada@example.com", PASSWORD)) == "ada"


@pytest.mark.parametrize("username", ["ADA", "Ada", "aDa", " ada ", "ada\t"])
def test_case_070_a_name_in_another_case_is_taken(
    client: FlaskClient, sign_in: Callable[[User], FlaskClient], ada: User, bob: User, username: str
) -> None:
    assert code(sign_up(client, username=username)) in {"username-taken", "validation"}
    renamed = sign_in(bob).patch(f"{USERS}/me", json={"username": username})
    assert code(renamed) in {"username-taken", "validation"}


@pytest.mark.parametrize("role", ["author", "admin"])
def test_case_072_an_address_is_not_changed_without_the_password(
    sign_in: Callable[[User], FlaskClient], session: Session, engine: sa.Engine, role: str
) -> None:
    # given
    user = make_user(session, "eve", role=role)
    caller, before = sign_in(user), everything(engine)
    change, name = {"email": "thief@example.org"}, {"username": "eve"}
    wrong = (
        {},
        *({"current_password": each} for each in ("wrong", PASSWORD.upper(), PASSWORD[1:])),
    )
    operations = [{"op": "replace", "path": "/email", "value": "thief@example.org"}]
    for url in (f"{USERS}/me", f"{USERS}/{user.id}"):
        # when
        answers = [
            *(caller.patch(url, json=change | proof) for proof in wrong),
            *(caller.put(url, json=change | name | proof) for proof in wrong),
            caller.patch(url, json=operations, content_type="application/json-patch+json"),
        ]
        # then
        assert {code(each) for each in answers} == {"reauthentication-required"}
        assert code(caller.patch(url, json=change | {"current_password": ""})) == "validation"
    assert everything(engine) == before


def test_case_072_the_password_cannot_be_guessed_by_a_stolen_token(
    make_app: Callable[[Config], Flask], config: Config, ada: User
) -> None:
    # given
    client = make_app(replace(config, RATE_LIMITS=True)).test_client()
    token = data(sign_in(client, "ada", PASSWORD))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    statuses = []
    # when
    for number in range(12):
        guess = {"current_password": f"guess {number}"}
        url, body = f"{USERS}/me", guess | {"email": "thief@example.org"}
        if number % 2:
            url, body = f"{USERS}/me/password", guess | {"new_password": NEW_PASSWORD}
        method, address = ("PUT" if number % 2 else "PATCH"), {"REMOTE_ADDR": f"203.0.113.{number}"}
        answer = client.open(url, method=method, json=body, headers=headers, environ_base=address)
        statuses.append(answer.status_code)
    # then
    assert statuses == [403] * 10 + [429] * 2
