"""Commands and hooks of installed extensions: run with settings, database and services, logged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import loading
from api.app import create_app
from api.database import db
from config import Config
from models import Change, User
from services.hooks import hooks
from tests.factories import PASSWORD
from tests.packages import install
from tests.servers import ROOT, live_server

PEOPLE = '''
"""Greets users by a command."""

from dataclasses import dataclass

import click

from signpost import (
    OPERATOR, Namespace, current_config, logger, one_of, operation, services, setting, write
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    GREETING: str = setting("Hello", "What they are called.", one_of("Hello", "Hola"))
    KEY: str = setting("", "Of the door.", secret=True)


def create():
    people = Namespace("{name}", description="People.", settings=Settings)

    @people.cli.command("greet")
    @click.argument("username")
    @operation
    def greet(username):
        """Greet a user, in the profile."""
        greeting = people.settings.GREETING

        def work(session):
            users = services.UserService(session, OPERATOR, current_config())
            user = users.by_name(username)
            users.patch(user.id, {"name": f"{greeting} {user.username}"}, None)

        write(work)
        click.echo(f"Greeted {username}.")

    @people.after_commit
    def tell(changes):
        logger.info("told", ops=[(each.type, each.op, each.via) for each in changes])

    return people


def listen(changes):
    if changes[0].op == "create":
        raise ZeroDivisionError("a hook of its own")


def welcome(changes):
    """Write, in the transaction of its own that it is in by now."""
    for each in changes:
        if (each.type, each.op) == ("users", "create"):
            write(lambda session, id=each.id: greet_by_itself(session, id))


def greet_by_itself(session, id):
    users = services.UserService(session, OPERATOR, current_config())
    users.patch(id, {"bio": "Welcome"}, None)


NOTHING = None
'''
PLAIN = '''
"""Has no settings."""

from signpost import Namespace


def create():
    return Namespace("plain", description="Plain.")
'''
Entries = dict[str, dict[str, str]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A folder that packages are installed into; no hook of theirs outlives the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    yield folder
    hooks.configure([])
    for name in [each for each in sys.modules if each.startswith("x_")]:
        del sys.modules[name]


def put(site: Path, name: str = "people", **more: dict[str, str]) -> None:
    """Install an extension; ``hooks={"key": "function"}`` names hooks of the package."""
    entries: Entries = {"signpost.extensions": {name: "create"}}
    entries |= {f"signpost.{group}": keys for group, keys in more.items()}
    install(site, f"x-{name}", PEOPLE.replace("{name}", name), entries)


@pytest.fixture
def flask(site: Path, database_url: str, config: Config) -> Callable[..., Any]:
    """``flask("people", "greet", "ada", PEOPLE_GREETING="Hola")``: as an operator runs it."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
            "FLASK_APP": "wsgi",
            "DATABASE_URL": database_url,
            "DATA_DIR": str(config.DATA_DIR),
            "EXTENSIONS_DISABLED": ",".join(others()),
        }
        return subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            env=environment | settings,
            cwd=site,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def others(*wanted: str) -> tuple[str, ...]:
    """Return the names of all installed extensions but these."""
    return tuple(sorted(loading.names() - {*wanted}))


def lines(log: str, event: str) -> list[dict[str, Any]]:
    """Return the lines of a log about one event."""
    found = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


class TestCommand:
    def test_runs_with_settings_database_and_services(
        self, site: Path, flask: Callable[..., Any], session: Session, ada: User
    ) -> None:
        # given
        put(site)
        (site / ".env").write_text("PEOPLE_GREETING=Hola\n")
        # when
        done = flask("people", "greet", "ADA")
        # then
        assert (done.returncode, done.stdout) == (0, "Greeted ADA.\n"), done.stderr
        session.refresh(ada)
        assert ada.name == "Hola ada"
        (change,) = session.scalars(sa.select(Change))
        assert (change.op, change.actor_id, change.via) == ("update", None, "command")
        [line] = lines(done.stderr, "command")
        assert (line["status"], line["command"].endswith("people greet")) == (0, True)
        assert lines(done.stderr, "told")[0]["ops"] == [["users", "update", "command"]]

    def test_says_in_words_what_it_was_refused_for(
        self, site: Path, flask: Callable[..., Any], session: Session
    ) -> None:
        put(site)
        done = flask("people", "greet", "nobody")
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert [line["status"] for line in lines(done.stderr, "command")] == [1]

    def test_does_not_run_with_a_wrong_setting(
        self, site: Path, flask: Callable[..., Any], session: Session, ada: User
    ) -> None:
        put(site)
        done = flask("people", "greet", "ada", PEOPLE_GREETING="Servus")
        assert done.returncode == 2
        [told] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert told.startswith("PEOPLE_GREETING: ")
        session.refresh(ada)
        assert ada.name is None

    def test_does_not_run_with_a_setting_that_no_extension_has(
        self, site: Path, flask: Callable[..., Any], engine: sa.Engine
    ) -> None:
        put(site)
        install(site, "x-plain", PLAIN, {"signpost.extensions": {"plain": "create"}})
        (site / ".env").write_text("PLAIN_SIZE=1\n")
        done = flask("people", "greet", "ada")
        assert done.returncode == 2
        assert done.stderr == "PLAIN_SIZE: there is no such setting (.env)\n"

    def test_of_a_disabled_extension_is_none(
        self, site: Path, flask: Callable[..., Any], session: Session
    ) -> None:
        put(site)
        done = flask("people", "greet", "ada", EXTENSIONS_DISABLED="people")
        assert done.returncode == 2
        assert "No such command 'people'" in done.stderr

    def test_has_its_settings_printed(
        self, site: Path, flask: Callable[..., Any], engine: sa.Engine
    ) -> None:
        put(site)
        sample, table = flask("settings", "example"), flask("settings", "table")
        assert "#PEOPLE_GREETING=Hello\n" in sample.stdout
        assert "#METRICS_TOKEN=\n" in sample.stdout
        assert "### people\n" in table.stdout
        assert "| `PEOPLE_KEY` |  | Of the door. |\n" in table.stdout

    def test_leaves_stdout_to_what_it_prints_though_others_fail(
        self, site: Path, flask: Callable[..., Any], ada: User
    ) -> None:
        put(site, hooks={"lost": "lost"})
        put(site, "users")
        install(site, "x-broken", "1 / 0", {"signpost.extensions": {"broken": "create"}})
        done = flask("people", "greet", "ada")
        assert (done.returncode, done.stdout) == (0, "Greeted ada.\n"), done.stderr
        failed = {line["extension"] for line in lines(done.stderr, "extension failed")}
        assert {"broken", "users"} <= failed
        assert lines(done.stderr, "hook failed")


class TestName:
    @pytest.mark.parametrize("name", ["users", "doctor", "import", "run"])
    def test_that_is_taken_fails_the_extension_only(
        self,
        site: Path,
        config: Config,
        name: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        put(site, name)
        put(site, "good")
        monkeypatch.syspath_prepend(site)
        # when
        app = create_app(replace(config, EXTENSIONS_DISABLED=others(name, "good")))
        # then
        found = {each.name: each for each in app.extensions["signpost"].extensions}
        assert (found[name].state, found["good"].state) == ("failed", "loaded")
        assert f"`flask {name}`" in (found[name].error or "")
        result = app.test_cli_runner().invoke(args=[name, "--help"])
        assert "greet" not in result.output
        assert "greet" in app.test_cli_runner().invoke(args=["good", "--help"]).output


class TestHook:
    def test_of_an_entry_point_runs_in_every_worker_and_may_fail(
        self, site: Path, tmp_path: Path, backend: str, make_database: Callable[[str], str]
    ) -> None:
        # given
        put(site, hooks={"listen": "listen", "nothing": "NOTHING", "lost": "lost"})
        path = f"{site}{os.pathsep}{ROOT}"
        url = make_database("hooked")
        # when
        with (
            live_server(
                url, tmp_path / "server", PYTHONPATH=path, EXTENSIONS_DISABLED=""
            ) as server,
            server.admin as admin,
        ):
            made = admin.post("/api/v1/posts", json={"title": "T", "body": "b"})
            refused = admin.post("/api/v1/posts", json={"title": "", "body": "b"})
            log = server.log
        # then
        assert (made.status_code, refused.status_code) == (201, 400)
        [told] = [each for each in lines(log, "told") if each["ops"][0][0] == "posts"]
        assert told["ops"] == [["posts", "create", "session"]]
        assert told["request_id"] == made.headers["X-Request-Id"]
        assert sorted(each["hook"] for each in lines(log, "hook failed")) == ["lost", "nothing"]
        [failure] = lines(log, "The hook x_people.listen failed.")
        assert failure["request_id"] == made.headers["X-Request-Id"]
        assert "ZeroDivisionError: a hook of its own" in failure["exception"]

    def test_may_write_by_itself(
        self,
        site: Path,
        config: Config,
        engine: sa.Engine,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        put(site, hooks={"welcome": "welcome"})
        monkeypatch.syspath_prepend(site)
        app = create_app(replace(config, EXTENSIONS_DISABLED=others("people")))
        client = app.test_client()
        body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
        # when
        made = client.post("/api/v1/users", json=body)
        # then
        assert made.status_code == 201
        [eve] = session.scalars(sa.select(User)).all()
        assert (eve.id, eve.bio, eve.version) == (made.get_json()["id"], "Welcome", 2)
        ops = session.execute(sa.select(Change.op, Change.via).order_by(Change.seq)).all()
        assert [tuple(row) for row in ops] == [("create", "anonymous"), ("update", "command")]
        with app.app_context():
            db.engine.dispose()

    @pytest.mark.parametrize(
        ("disabled", "count"), [((), 2), (("people",), 0), (("listen",), 1), (("other",), 2)]
    )
    def test_of_what_is_disabled_is_not_called(
        self,
        site: Path,
        config: Config,
        monkeypatch: pytest.MonkeyPatch,
        disabled: tuple[str, ...],
        count: int,
    ) -> None:
        put(site, hooks={"listen": "listen"})
        monkeypatch.syspath_prepend(site)
        create_app(replace(config, EXTENSIONS_DISABLED=(*others("people"), *disabled)))
        assert [each.__module__ for each in hooks.calls].count("x_people") == count
