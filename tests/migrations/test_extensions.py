"""Each extension has a history of its own: nobody else's steps, tables or failures are in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from models.base import Base
from models.engine import WRITES
from services import drafts, schema
from tests import people

ROOT = Path(__file__).parents[2]
_UPGRADE = """
import sys
from pathlib import Path
from services import schema
from tests.databases import connect
engine = connect(sys.argv[1])
schema.upgrade(engine)
print(schema.upgrade(engine, schema.history_of("people", Path(sys.argv[2]))))
"""


def _start(url: str, history: schema.History) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", _UPGRADE, url, str(history.folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def core(empty: sa.Engine) -> sa.Engine:
    """A database with the core's tables."""
    schema.upgrade(empty)
    return empty


@pytest.fixture
def history(tmp_path: Path) -> schema.History:
    return people.history(tmp_path / "migrations")


def _tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def _version(engine: sa.Engine, history: schema.History = schema.CORE) -> str | None:
    with engine.connect() as connection:
        return schema.current(connection, history)


class TestUpgrade:
    def test_makes_its_tables_and_leaves_the_cores(
        self, core: sa.Engine, history: schema.History
    ) -> None:
        before = _tables(core)

        assert schema.upgrade(core, history) is True

        assert _tables(core) - before == {"people_notes", "alembic_version_people"}
        assert _version(core, history) == "0001"
        assert _version(core) == schema.head()

    def test_of_a_current_database_does_nothing(
        self, core: sa.Engine, history: schema.History
    ) -> None:
        schema.upgrade(core, history)

        assert schema.upgrade(core, history) is False

    def test_goes_on_where_it_was(self, core: sa.Engine, history: schema.History) -> None:
        schema.upgrade(core, history)
        people.add_step(history, 'op.execute("CREATE INDEX ix_more ON people_notes (title)")')

        assert schema.upgrade(core, history) is True

        assert _version(core, history) == "0002"

    @pytest.mark.parametrize(
        "what",
        [
            'op.execute("CREATE TABLE people_more (id INTEGER)"); raise RuntimeError',
            'op.execute("CREATE TABLE people_more (id INTEGER)"); op.execute("nonsense")',
            "syntax error",
        ],
    )
    def test_that_fails_leaves_no_trace(
        self, core: sa.Engine, history: schema.History, what: str
    ) -> None:
        before = _tables(core)
        people.add_step(history, what)

        with pytest.raises((RuntimeError, SyntaxError, sa.exc.DBAPIError)):
            schema.upgrade(core, history)

        assert _tables(core) == before
        assert _version(core, history) is None
        assert _version(core) == schema.head()

    def test_of_a_newer_release_is_refused(self, core: sa.Engine, history: schema.History) -> None:
        people.add_step(history, "pass")
        schema.upgrade(core, history)
        (history.folder / "0002_next.py").unlink()

        with pytest.raises(schema.SchemaMismatch, match="0002 of people"):
            schema.upgrade(core, history)

    def test_without_steps_is_none(self, core: sa.Engine, tmp_path: Path) -> None:
        before = _tables(core)
        none = schema.history_of("none", tmp_path / "migrations")

        assert schema.upgrade(core, none) is False

        assert _tables(core) == before
        assert schema.head(none) == ""


class TestSeveralProcesses:
    def test_one_of_them_migrates(
        self, empty_url: str, empty: sa.Engine, history: schema.History
    ) -> None:
        processes = [_start(empty_url, history) for _ in range(4)]

        answers = [process.communicate(timeout=60)[0].strip() for process in processes]

        assert sorted(answers) == ["False"] * 3 + ["True"]
        assert drafts.differences(empty, history) == []

    def test_a_killed_one_has_done_nothing_to_its_tables(
        self, empty_url: str, core: sa.Engine, history: schema.History
    ) -> None:
        before = _tables(core)
        people.add_step(history, "import os; os.kill(os.getpid(), 9)")
        killed = _start(empty_url, history)

        killed.communicate(timeout=60)

        assert killed.returncode == -9
        assert _tables(core) == before
        (history.folder / "0002_next.py").unlink()
        assert schema.upgrade(core, history) is True


class TestDowngrade:
    def test_takes_its_tables_away_alone(self, core: sa.Engine, history: schema.History) -> None:
        before = _tables(core)
        schema.upgrade(core, history)

        schema.downgrade(core, history)

        assert _tables(core) == before | {"alembic_version_people"}

    def test_of_the_core_and_up_again_leaves_them(
        self, core: sa.Engine, history: schema.History
    ) -> None:
        schema.upgrade(core, history)

        schema.downgrade(core, version="0003")
        schema.upgrade(core)

        assert _version(core, history) == "0001"
        assert drafts.differences(core, history) == []


class TestDifferences:
    def test_each_sees_its_own_tables(self, core: sa.Engine, history: schema.History) -> None:
        assert drafts.differences(core, history)[0][0] == "add_table"

        schema.upgrade(core, history)

        assert drafts.differences(core, history) == []
        assert drafts.differences(core) == []

    def test_what_is_left_of_an_extension_is_nobodys(
        self, core: sa.Engine, history: schema.History, tmp_path: Path
    ) -> None:
        schema.upgrade(core, history)
        other = schema.history_of("peop", tmp_path / "none")

        assert drafts.differences(core, other) == []

    def test_names_a_column_too_many(self, core: sa.Engine, history: schema.History) -> None:
        schema.upgrade(core, history)
        _run(core, "ALTER TABLE people_notes ADD COLUMN colour TEXT")
        _run(core, "ALTER TABLE posts ADD COLUMN colour TEXT")

        for owner, table in ((history, "people_notes"), (schema.CORE, "posts")):
            found: list[Any] = drafts.differences(core, owner)
            assert [(each[0], each[2]) for each in found] == [("remove_column", table)]


class TestMakeRevision:
    def test_writes_a_step_that_makes_what_the_models_say(
        self, core: sa.Engine, tmp_path: Path
    ) -> None:
        history = schema.history_of("people", tmp_path / "50 % drafted")
        before = _tables(core)

        path = drafts.make_revision(core, history, "Notes of people")

        assert path == history.folder / "0001_notes_of_people.py"
        step = path.read_text()
        assert "columns.Moment" in step
        assert not any(f'"{table}"' in step for table in Base.metadata.tables)
        assert _tables(core) == before
        schema.upgrade(core, history)
        assert drafts.differences(core, history) == []
        schema.downgrade(core, history)
        assert _tables(core) == before | {history.table}

    def test_goes_on_after_the_last(self, core: sa.Engine, history: schema.History) -> None:
        schema.upgrade(core, history)
        _run(core, "DROP INDEX ix_people_notes_author_id")

        path = drafts.make_revision(core, history, "More")

        assert path == history.folder / "0002_more.py"
        schema.upgrade(core, history)
        assert drafts.differences(core, history) == []

    def test_writes_none_where_none_is_due(self, core: sa.Engine, history: schema.History) -> None:
        schema.upgrade(core, history)

        assert drafts.make_revision(core, history, "Nothing") is None

        assert schema.versions(history) == ["0001"]


def _run(engine: sa.Engine, statement: str) -> None:
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.exec_driver_sql(statement)
