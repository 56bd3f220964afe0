"""Section D: an account that ends takes its tokens with it, on every worker, within a second."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from tests.security.raw import ask
from tests.security.world import API
from tests.servers import LiveServer

PASSWORD = "a violin in Oslo"
WHOAMI = f"{API}/auth/whoami"
#: Seconds from the end of an account to the last request that may still be let in.
AT_MOST = 1.0
#: Fresh connections in a row that are refused before we believe that both workers refuse.
IN_A_ROW = 40

_serial = itertools.count(1)


class Account:
    """A user of the live server, signed in."""

    def __init__(self, server: LiveServer) -> None:
        self.server, self.name = server, f"ending-{next(_serial)}"
        body = {"username": self.name, "email": f"{self.name}@example.com", "password": PASSWORD}
        made = server.client.post(f"{API}/users", json=body).raise_for_status()
        self.url = f"{API}/users/{made.json()['id']}"
        self.tokens = self.sign_in()

    def sign_in(self) -> dict[str, Any]:
        """Return the tokens of a further sign-in."""
        return dict(self.ask_token(username=self.name, password=PASSWORD).raise_for_status().json())

    def ask_token(self, **grant: str) -> httpx.Response:
        """Ask for tokens by a password or a refresh token."""
        kind = "password" if "password" in grant else "refresh_token"
        return self.server.client.post(f"{API}/auth/token", json={"grant_type": kind} | grant)

    def status(self) -> int:
        """Return what the access token gets over a connection of its own: any worker answers."""
        bearer = f"Authorization: Bearer {self.tokens['access_token']}"
        return ask(self.server.url, WHOAMI, bearer).status


def by_admin(method: str, path: str = "", **body: str) -> Callable[[Account], httpx.Response]:
    """Return what an admin does to an account."""

    def end(account: Account) -> httpx.Response:
        with account.server.admin as admin:
            return admin.request(method, account.url + path, json=body or None)

    return end


def purge(account: Account) -> httpx.Response:
    """Delete an account and purge it at once."""
    with account.server.admin as admin:
        admin.delete(account.url).raise_for_status()
        return admin.delete(account.url.replace("/users/", "/trash/users/"))


def from_elsewhere(method: str, path: str, **body: str) -> Callable[[Account], httpx.Response]:
    """Return what the owner does by another sign-in."""

    def end(account: Account) -> httpx.Response:
        with account.server.caller(account.sign_in()["access_token"]) as other:
            return other.request(method, f"{API}/{path}", json=body or None)

    return end


def sign_out(account: Account) -> httpx.Response:
    """Revoke the refresh token."""
    token = {"token": account.tokens["refresh_token"]}
    return account.server.client.post(f"{API}/auth/revoke", data=token)


ENDINGS: dict[str, Callable[[Account], httpx.Response]] = {
    "suspended": by_admin("PATCH", status="suspended"),
    "deleted": by_admin("DELETE"),
    "purged": purge,
    "demoted": by_admin("PATCH", role="reader"),
    "given a password": by_admin("PUT", "/password", new_password="a cello in Bergen"),
    "changing the password": from_elsewhere(
        "PUT", "users/me/password", current_password=PASSWORD, new_password="a cello in Bergen"
    ),
    "signed out elsewhere": from_elsewhere("DELETE", "auth/sessions"),
    "signed out": sign_out,
    "leaving": from_elsewhere("DELETE", "users/me"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_case_038_tokens_end_with_the_account_on_every_worker(
    server: LiveServer, ending: str
) -> None:
    # given
    account = Account(server)
    assert [account.status() for _ in range(8)] == [200] * 8
    # when
    assert ENDINGS[ending](account).status_code in {200, 204}
    ended_at = time.monotonic()
    # then
    refused = 0
    while refused < IN_A_ROW:
        asked_at = time.monotonic()
        refused = refused + 1 if account.status() == 401 else 0
        assert refused or asked_at - ended_at < AT_MOST
    answer = account.ask_token(refresh_token=account.tokens["refresh_token"])
    if ending == "demoted":  # a sign-in outlives it, with the rights of now
        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        assert claims["role"] == "reader"
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-grant")


@pytest.mark.parametrize("ending", ["suspended", "deleted", "purged", "leaving"])
def test_case_038_who_is_gone_cannot_come_back_by_password(server: LiveServer, ending: str) -> None:
    # given
    account = Account(server)
    # when
    ENDINGS[ending](account)
    # then
    answer = account.ask_token(username=account.name, password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-grant")
