"""At start the database is waited for, checked, migrated and given its first admin."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from api import doctor
from api import prepare as preparation
from api.loading import Extension
from api.prepare import CannotStart, prepare
from config import Config
from models import Change, User
from models.engine import WRITES
from services import passwords
from tests import databases, people
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
_serial = itertools.count(1)
_PREPARE = """
import sys
from config import Config
from api.prepare import prepare
prepare(Config(DATABASE_URL=sys.argv[1], SECRET_KEY="0123456789abcdef" * 3))
assert "flask" not in sys.modules
"""


@pytest.fixture
def users(config: Config, engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to the database of ``config``, on which no user is."""
    with engine.connect() as connection:
        yield connection


def _admins(connection: sa.Connection) -> list[str]:
    connection.rollback()
    return list(connection.scalars(sa.select(User.username).where(User.role == "admin")))


class TestFirstAdmin:
    def test_is_made_of_the_settings(self, config: Config, users: sa.Connection) -> None:
        prepare(replace(config, ADMIN_USERNAME="grace", ADMIN_EMAIL="grace@example.org"))

        grace = users.execute(sa.select(User)).one()
        assert (grace.username, grace.email, grace.role) == ("grace", "grace@example.org", "admin")
        assert passwords.verify(grace.password_hash, config.ADMIN_PASSWORD)
        change = users.execute(sa.select(Change)).one()
        assert (change.op, change.actor_id, change.via) == ("create", None, "system")

    def test_gets_a_random_password_that_is_told_once(
        self, config: Config, users: sa.Connection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            prepare(replace(config, ADMIN_PASSWORD=""))

        told = capsys.readouterr().out
        assert told.count("password:") == 1
        stored = users.scalar(sa.select(User.password_hash))
        assert passwords.verify(stored, told.split("password: ")[1].split()[0])

    def test_a_given_password_is_not_told(
        self, config: Config, users: sa.Connection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        prepare(config)

        captured = capsys.readouterr()
        assert config.ADMIN_PASSWORD not in captured.out + captured.err

    def test_is_not_made_where_one_is(self, config: Config, users: sa.Connection) -> None:
        prepare(config)

        prepare(replace(config, ADMIN_USERNAME="mallory"))

        assert _admins(users) == ["admin"]

    def test_settings_that_are_wrong_are_all_named(
        self, config: Config, users: sa.Connection
    ) -> None:
        wrong = replace(config, ADMIN_EMAIL="ada@a..b", ADMIN_PASSWORD="12345678")

        with pytest.raises(CannotStart) as caught:
            prepare(wrong)

        for setting in ("ADMIN_EMAIL", "ADMIN_PASSWORD"):
            assert setting in str(caught.value)
        assert "12345678" not in str(caught.value)
        assert _admins(users) == []

    def test_of_a_name_that_is_taken(self, config: Config, users: sa.Connection) -> None:
        prepare(config)
        with users.execution_options(**{WRITES: True}).begin():
            users.execute(sa.update(User).values(role="reader"))

        with pytest.raises(CannotStart, match="ADMIN_USERNAME"):
            prepare(config)

        assert _admins(users) == []

    def test_of_several_nodes_one_makes_it(self, database_url: str, users: sa.Connection) -> None:
        command = [sys.executable, "-W", "ignore", "-c", _PREPARE, database_url]
        nodes = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
        ]

        told = [node.communicate(timeout=60)[0] for node in nodes]

        assert [node.returncode for node in nodes] == [0] * 4
        assert sum("password:" in each for each in told) == 1
        assert _admins(users) == ["admin"]


class TestWait:
    @pytest.fixture
    def away(self, config: Config) -> Config:
        """Settings of a PostgreSQL where nobody listens."""
        return replace(config, DATABASE_URL="postgresql://signpost:hidden@127.0.0.1:1/signpost")

    def test_for_a_database_that_stays_away_ends_in_one_line(
        self, away: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(preparation, "PATIENCE", 0.1)
        monkeypatch.setattr(preparation, "PAUSE", 0.05)

        with pytest.raises(SystemExit) as caught:
            prepare(away)

        line = str(caught.value.code)
        assert "did not answer" in line
        assert "\n" not in line
        assert "hidden" not in line + caplog.text
        assert len(caplog.records) == 1

    def test_goes_on_when_it_answers(
        self, config: Config, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused = iter([True, True, False])

        def refuse(*_: object) -> None:
            if next(refused, False):
                raise sa.exc.OperationalError("connect", {}, ConnectionRefusedError("refused"))

        monkeypatch.setattr(preparation, "PAUSE", 0)
        monkeypatch.setattr(preparation, "_check_file", preparation._wait)  # on both databases
        sa.event.listen(sa.Engine, "do_connect", refuse)
        try:
            prepare(config)
        finally:
            sa.event.remove(sa.Engine, "do_connect", refuse)

        with engine.connect() as connection:
            assert _admins(connection) == ["admin"]


class TestFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "folder" / "signpost.sqlite"

    @pytest.fixture
    def settings(self, tmp_path: Path, file: Path) -> Config:
        return Config(
            DATABASE_URL=f"sqlite:///{file}", DATA_DIR=tmp_path, SECRET_KEY="0123456789abcdef" * 3
        )

    def test_is_made_with_its_folder(self, settings: Config, file: Path) -> None:
        prepare(settings)

        assert file.exists()
        engine = databases.connect(settings.DATABASE_URL)
        with engine.connect() as connection:
            assert _admins(connection) == ["admin"]
        engine.dispose()

    def test_that_is_none_of_ours_is_refused(self, settings: Config, file: Path) -> None:
        file.parent.mkdir()
        file.write_text("This is a letter to my aunt. " * 1000)

        with pytest.raises(CannotStart, match="cannot be opened"):
            prepare(settings)

        assert file.read_text().startswith("This is a letter")

    def test_that_is_damaged_is_refused(self, settings: Config, file: Path) -> None:
        prepare(settings)
        content = bytearray(file.read_bytes())
        content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
        file.write_bytes(content)

        with pytest.raises(CannotStart, match=r"damaged|cannot be opened"):
            prepare(settings)

    def test_of_a_newer_release_is_refused(self, settings: Config) -> None:
        prepare(settings)
        engine = databases.connect(settings.DATABASE_URL)
        with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        engine.dispose()

        with pytest.raises(CannotStart, match="9999"):
            prepare(settings)


class TestExtensions:
    @pytest.fixture
    def settings(self, config: Config, make_database: MakeDatabase) -> Config:
        """Settings of a database of this test's own."""
        return replace(config, DATABASE_URL=make_database(f"prepare{next(_serial)}"))

    @pytest.fixture
    def make(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Extension]:
        """``make("people")``: an extension with a table, and a folder for more steps."""

        def make(name: str, **changes: Any) -> Extension:
            module = ModuleType(f"signpost_{name}")
            module.__file__ = str(tmp_path / name / "__init__.py")
            monkeypatch.setitem(sys.modules, module.__name__, module)
            (tmp_path / name).mkdir()
            people.history(tmp_path / name / "migrations", name)
            given = Extension(name, f"signpost-{name}", "1.0", module=module.__name__)
            return replace(given, namespace=object(), **changes)

        return make

    def test_have_their_tables_made(self, settings: Config, make: Callable[..., Extension]) -> None:
        given = [make("people"), make("places", state="disabled"), make("plays", state="failed")]

        assert prepare(settings, given) == given
        assert prepare(settings, given) == given

        assert _tables(settings, given) == ["people_notes"]

    def test_of_which_one_fails_alone(
        self,
        settings: Config,
        make: Callable[..., Extension],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        given = [make(name) for name in ("first", "broken", "quitting", "second")]
        people.add_step(given[1].history, "1 / 0")
        people.add_step(given[2].history, "raise SystemExit('out')")

        found = prepare(settings, given)

        assert [each.state for each in found] == ["loaded", "failed", "failed", "loaded"]
        assert "ZeroDivisionError" in str(found[1].error)
        assert found[1].namespace is None
        told = capfd.readouterr()  # by whatever logging an earlier test set up
        assert "broken" in caplog.text + told.out + told.err
        assert _tables(settings, given) == ["first_notes", "second_notes"]

    def test_of_a_newer_version_fail(
        self, settings: Config, make: Callable[..., Extension]
    ) -> None:
        given = [make("people")]
        people.add_step(given[0].history, "pass")
        prepare(settings, given)
        (given[0].history.folder / "0002_next.py").unlink()

        assert [each.state for each in prepare(settings, given)] == ["failed"]

    def test_several_of_one_module_have_folders_of_their_own(
        self, settings: Config, make: Callable[..., Extension]
    ) -> None:
        both = make("people")
        steps = both.history.folder
        (steps / "0001_notes.py").unlink()
        other = replace(both, name="places")
        for each in (both, other):
            people.history(steps / each.name, each.name)

        assert [each.state for each in prepare(settings, [both, other])] == ["loaded"] * 2

        assert _tables(settings, [both, other]) == ["people_notes", "places_notes"]

    def test_that_are_behind_are_found_by_the_doctor(
        self, settings: Config, make: Callable[..., Extension]
    ) -> None:
        behind, newer, sound, failed = (make(name) for name in ("a", "b", "c", "d"))
        people.add_step(newer.history, "pass")
        failed = replace(failed, state="failed", error="KeyError: 'x'")
        prepare(settings, [newer, sound])
        (newer.history.folder / "0002_next.py").unlink()

        found = doctor.examine(settings, [behind, newer, sound, failed])

        extensions = [each for each in found if each.subject.startswith("extension")]
        assert [each.subject for each in extensions] == [
            "extension a",
            "extension b",
            "extension d",
        ]
        assert "older version" in extensions[0].fault
        assert "0002" in extensions[1].fault
        assert "KeyError" in extensions[2].fault


def _tables(config: Config, extensions: Sequence[Extension]) -> list[str]:
    """Return the tables that the extensions have."""
    engine = databases.connect(config.DATABASE_URL)
    with engine.connect() as connection:
        found = sa.inspect(connection).get_table_names()
    engine.dispose()
    return sorted(name for name in found if name in {f"{each.name}_notes" for each in extensions})
