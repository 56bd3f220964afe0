"""Section K: no start with a setting that is unsafe, and no word of a client is one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from api import terminal
from config import Config
from tests.answers import data
from tests.factories import PASSWORD
from tests.security.surface import Operation, uniform
from tests.servers import ADMIN_PASSWORD, ROOT, LiveServer

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from models import User
    from tests.security.conftest import Locate

#: Settings that nobody may start with.
UNSAFE: dict[str, dict[str, str]] = {
    "SECRET_KEY-short": {"SECRET_KEY": "0f8a6c1e9b3d5772a4c6e8f01b3d57"},
    "SECRET_KEY-31": {"SECRET_KEY": "k9#Lm2$Qp7!Vx4&Zr8*Tb1^Wn5%Yc3@"},
    **{
        f"SECRET_KEY-{sample}": {"SECRET_KEY": sample}
        for sample in (
            "change-me-change-me-change-me-change-me",
            "changemechangemechangemechangemechangeme",
            "your-secret-key-your-secret-key-your-se",
            "replace this with a long random string!",
            "secretsecretsecretsecretsecretsecretsecret",
            "super-secret-key-0123456789-0123456789",
            "my_secret_key_my_secret_key_my_secret_key",
            "dev-secret-dev-secret-dev-secret-dev-12",
            "this-is-an-example-key-for-development-1",
            "insecure-insecure-insecure-insecure-1234",
            "passwordpasswordpasswordpasswordpassword",
            "x" * 64,
            "0" * 64,
            "1234" * 12,
        )
    },
    "JWT_KEYS-short": {"JWT_KEYS": "A" * 42},
    "DEBUG": {"DEBUG": "1"},
    "DEBUG-true": {"DEBUG": "true"},
    "CORS_ORIGINS": {"CORS_ORIGINS": "*"},
    "CORS_ORIGINS-among": {"CORS_ORIGINS": "https://good.example,*"},
    "CORS_ORIGINS-pattern": {"CORS_ORIGINS": "https://*.good.example"},
    "CORS_ORIGINS-null": {"CORS_ORIGINS": "null"},
    "ALLOWED_HOSTS": {"ALLOWED_HOSTS": "*"},
    "ENV": {"ENV": "debug"},
    "TRUSTED_PROXIES": {"TRUSTED_PROXIES": "-1"},
    "METRICS_TOKEN": {"METRICS_TOKEN": "letmein"},
    "MAX_JSON_BYTES": {"MAX_JSON_BYTES": "0"},
}
#: Settings whose values are told nobody.
SECRETS = {"SECRET_KEY", "JWT_KEYS", "METRICS_TOKEN"}


def start(folder: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start the server, which must not."""
    return subprocess.run(
        [sys.executable, "-m", "api.serve"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )


class TestCase147:
    """A wrong setting ends the start with a line that names it, before anything is made."""

    @pytest.mark.parametrize("which", UNSAFE)
    def test_case_147_unsafe_settings(self, tmp_path: Path, which: str) -> None:
        # when
        ended = start(tmp_path, UNSAFE[which])
        # then
        [(name, value)] = UNSAFE[which].items()
        lines = ended.stderr.splitlines()
        assert (ended.returncode, len(lines)) == (2, 1), ended.stderr
        assert lines[0].startswith(f"{name}: ")
        assert len(lines[0]) < 200
        assert ended.stdout == ""
        assert name not in SECRETS or value not in ended.stderr
        assert [each.name for each in tmp_path.rglob("*.sqlite*")] == []

    @pytest.mark.parametrize("line", ["RATE_LIMIT=off", "SECRET=x", "FLASK_DEBUG=1", "PROT=80"])
    def test_case_147_settings_that_there_are_not(self, tmp_path: Path, line: str) -> None:
        (tmp_path / ".env").write_text(f"{line}\n")
        ended = start(tmp_path, {})
        assert ended.returncode == 2
        assert ended.stderr.startswith(f"{line.split('=')[0]}: there is no such setting")
        assert len(ended.stderr.splitlines()) == 1

    def test_case_147_several_are_told_at_once(self, tmp_path: Path) -> None:
        ended = start(tmp_path, {"SECRET_KEY": "short", "CORS_ORIGINS": "*", "ENV": "x"})
        names = {line.split(":")[0] for line in ended.stderr.splitlines()}
        assert (ended.returncode, names) == (2, {"SECRET_KEY", "CORS_ORIGINS", "ENV"})


#: What proxies, servers and frameworks take from headers, if one lets them.
SPOOFED = {
    "X-Forwarded-For": "198.51.100.66",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "Forwarded": "for=198.51.100.66;host=evil.example;proto=https",
    "X-Real-Ip": "198.51.100.66",
    "X-Client-Ip": "198.51.100.66",
    "True-Client-Ip": "198.51.100.66",
    "Cf-Connecting-Ip": "198.51.100.66",
    "X-Script-Name": "/evil",
    "Script-Name": "/evil",
    "Path-Info": "/api/v1/trash",
    "Request-Uri": "/api/v1/trash",
    "X-Original-Url": "/api/v1/trash",
    "X-Rewrite-Url": "/api/v1/trash",
    "X-Http-Method-Override": "DELETE",
    "X-Method-Override": "DELETE",
    "Remote-Addr": "198.51.100.66",
    "Remote-User": "admin",
    "X-Remote-User": "admin",
    "X-User-Id": "1",
    "Https": "on",
    "Wsgi.url-Scheme": "https",
    "Front-End-Https": "on",
}


@pytest.fixture
def behind(config: Config, make_app: Callable[[Config], Flask]) -> Callable[..., FlaskClient]:
    """``behind(1, PUBLIC_URL=...)``: a caller of an app with that many trusted proxies."""

    def behind(count: int, **settings: Any) -> FlaskClient:
        return make_app(replace(config, TRUSTED_PROXIES=count, **settings)).test_client()

    return behind


class TestCase148:
    """Who one is and what one asks for stands in no header of that kind."""

    def test_case_148_nothing_changes(
        self, callers: dict[str, FlaskClient], surface: list[Operation], existing: Locate
    ) -> None:
        for operation in surface:
            if operation.method == "GET":
                for caller in callers.values():
                    url = existing(operation)
                    plain = uniform(caller.get(url))
                    assert uniform(caller.get(url, headers=SPOOFED)) == plain, operation

    @pytest.mark.parametrize("path", ["/", "/docs", "/api/v1/openapi.json", "/api/v1/swagger.json"])
    def test_case_148_nor_on_our_pages(
        self, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        same = SimpleNamespace(token_hex=str, token_urlsafe=str)  # the index proposes an account
        monkeypatch.setattr(terminal, "secrets", same)
        for accept in ("text/html", "application/json"):
            spoofed = client.get(path, headers=SPOOFED | {"Accept": accept})
            assert uniform(spoofed) == uniform(client.get(path, headers={"Accept": accept}))
            assert "evil" not in spoofed.text

    def test_case_148_what_is_made_is_where_it_is(
        self, client: FlaskClient, sign_in: Callable[[User], FlaskClient], ada: User
    ) -> None:
        # when
        user = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
        made = client.post("/api/v1/users", json=user, headers=SPOOFED)
        post = sign_in(ada).post("/api/v1/posts", json={"title": "t", "body": "b"}, headers=SPOOFED)
        # then
        for answer in (made, post):
            assert answer.status_code == 201
            assert answer.headers["Location"].startswith("/api/v1/")
            assert "Strict-Transport-Security" not in answer.headers
        assert data(client.get(made.headers["Location"]))["role"] == "author"

    def test_case_148_over_the_wire(self, server: LiveServer) -> None:
        # given
        names = [*SPOOFED, *(name.replace("-", "_") for name in SPOOFED)]
        headers = {name: SPOOFED[name.replace("_", "-")] for name in names}
        grant = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
        # when
        granted = server.client.post("/api/v1/auth/token", json=grant, headers=headers)
        with server.caller(granted.json()["access_token"]) as caller:
            whoami = caller.get("/api/v1/auth/whoami", headers=headers).json()
            posts = caller.get("/api/v1/posts", headers=headers)
            deleted = caller.get(f"/api/v1/users/{whoami['user']['id']}", headers=headers)
        # then
        assert whoami["session"]["ip"] == "127.0.0.1"
        assert (posts.status_code, deleted.status_code) == (200, 200)
        assert "evil" not in posts.headers["Link"]
        assert "198.51.100.66" not in server.log

    def test_case_148_metrics_are_for_this_machine(
        self, behind: Callable[..., FlaskClient]
    ) -> None:
        outside = {"REMOTE_ADDR": "203.0.113.9"}
        for address in ("127.0.0.1", "::1", "localhost"):
            headers = SPOOFED | {"X-Forwarded-For": address, "X-Real-Ip": address}
            answer = behind(0).get("/metrics", headers=headers, environ_overrides=outside)
            assert answer.status_code in {401, 403, 404}
        forged = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
        answer = behind(1).get("/metrics", headers=forged)
        assert answer.status_code in {401, 403, 404}

    def test_case_148_a_trusted_proxy_is_believed_and_nobody_before_it(
        self, behind: Callable[..., FlaskClient], ada: User
    ) -> None:
        # given
        caller = behind(1, PUBLIC_URL="https://signpost.example/blog")
        chain = {
            "X-Forwarded-For": "198.51.100.66, 203.0.113.7",
            "X-Forwarded-Host": "evil.example, signpost.example",
            "X-Forwarded-Proto": "ftp, https",
            "X-Forwarded-Prefix": "/evil",
        }
        grant = {"grant_type": "password", "username": ada.username, "password": PASSWORD}
        # when
        granted = caller.post("/blog/api/v1/auth/token", json=grant, headers=chain)
        bearer = {"Authorization": f"Bearer {data(granted)['access_token']}"}
        sessions = data(caller.get("/blog/api/v1/auth/sessions", headers=chain | bearer))
        made = caller.post(
            "/blog/api/v1/posts", json={"title": "t", "body": "b"}, headers=chain | bearer
        )
        # then
        assert [each["ip"] for each in sessions["items"]] == ["203.0.113.7"]
        assert made.headers["Location"].startswith("/blog/api/v1/posts/")
        evil = chain | {"X-Forwarded-Host": "signpost.example, evil.example"}
        assert caller.get("/blog/api/v1/posts", headers=evil).status_code == 400

    def test_case_148_guesses_are_counted_for_who_connects(
        self, behind: Callable[..., FlaskClient], ada: User
    ) -> None:
        # given
        caller = behind(0, RATE_LIMITS=True, SIGN_IN_LIMIT=3)
        grant = {"grant_type": "password", "username": ada.username, "password": "wrong, wrong"}
        # when
        told = [
            caller.post(
                "/api/v1/auth/token",
                json=grant,
                headers=dict.fromkeys(SPOOFED, f"198.51.100.{number}"),
            ).status_code
            for number in range(6)
        ]
        # then
        assert told == [400, 400, 400, 429, 429, 429]
