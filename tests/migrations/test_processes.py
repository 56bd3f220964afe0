"""Migrations among processes: one of several does the work, a killed one has done none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from models import Base
from models.engine import WRITES
from services import schema
from tests.migrations import rows

ROOT = Path(__file__).parents[2]

_UPGRADE = """
import sys
from pathlib import Path
from services import schema
from tests.databases import connect
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else schema.CORE.folder
history = schema.History("", folder, schema.CORE.table)
print(schema.upgrade(connect(sys.argv[1]), history), "alembic" in sys.modules)
"""

#: Rebuilds a table that others refer to, as every change of a column does on SQLite, ...
_STEP = '''"""Rename a column."""
import os, signal
from alembic import op

revision, down_revision = "9999", "{head}"

def upgrade():
    with op.batch_alter_table("posts", recreate="auto") as posts:
        posts.alter_column("excerpt", new_column_name="summary")
    {then}
    op.drop_table("audit_events")
'''


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _UPGRADE, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> str:
    answer, _ = process.communicate(timeout=60)
    return answer.strip()


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """A folder of steps with one more, to be written by ``_write``."""
    folder = tmp_path / "50 % more, or: so"  # as folders may be called
    folder.mkdir()
    for step in schema.CORE.folder.glob("[0-9]*_*.py"):
        (folder / step.name).write_text(step.read_text())
    return folder


def _write(folder: Path, then: str) -> None:
    step = _STEP.format(then=then, head=schema.head())
    (folder / "9999_rename.py").write_text(step)


class TestSeveralProcesses:
    def test_one_of_them_migrates(self, empty_url: str, empty: sa.Engine) -> None:
        processes = [_start(empty_url) for _ in range(4)]

        answers = [_end(process) for process in processes]

        assert [process.returncode for process in processes] == [0] * 4
        assert sorted(answer.split()[0] for answer in answers) == ["False"] * 3 + ["True"]
        rows.fill(empty)

    def test_a_current_database_is_not_worth_importing_alembic(
        self, empty_url: str, empty: sa.Engine
    ) -> None:
        schema.upgrade(empty)

        assert _end(_start(empty_url)) == "False False"


class TestKilled:
    @pytest.mark.parametrize("round", range(3))
    def test_half_way_it_has_done_nothing_and_can_start_again(
        self, empty_url: str, empty: sa.Engine, next_release: Path, round: int
    ) -> None:
        schema.upgrade(empty)
        rows.fill(empty)
        _write(next_release, then="os.kill(os.getpid(), signal.SIGKILL)")

        killed = _start(empty_url, str(next_release))
        _end(killed)

        assert killed.returncode < 0
        assert set(rows.counts(empty).values()) == {3}
        with empty.connect() as connection:
            assert schema.current(connection) == schema.head()

        _write(next_release, then="pass")
        assert _end(_start(empty_url, str(next_release))) == "True True"

    def test_a_rebuilt_table_takes_no_other_rows_along(
        self, empty_url: str, empty: sa.Engine, next_release: Path
    ) -> None:
        schema.upgrade(empty)
        rows.fill(empty)
        _write(next_release, then="pass")

        _end(_start(empty_url, str(next_release)))

        with empty.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            for table in ("posts", "post_tags", "post_slugs"):
                count = sa.select(sa.func.count()).select_from(Base.metadata.tables[table])
                assert connection.scalar(count) == 3
            connection.exec_driver_sql("DELETE FROM posts")  # whose own rows still go with it
            assert connection.exec_driver_sql("SELECT count(*) FROM post_tags").scalar() == 0
