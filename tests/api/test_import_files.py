"""Files of imports and exports: bad bytes, endless lines, processes that are killed."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.json_lines import MAX_LINE, read_lines
from models import Change, User
from services.errors import Fault
from services.transfer import export
from tests import databases
from tests.api.importing import ADA, NOTE, Run, as_lines, command, count, told
from tests.conftest import MakeDatabase


class TestBadBytes:
    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"{", "malformed-json"),
            (b"null", "type"),
            (b"[]", "type"),
            (b'{"type": "user", "type": "user"}', "malformed-json"),
            ('{"type": "usér"}'.encode("latin-1"), "malformed-json"),
            ('{"type": "user"}'.encode("utf-16"), "malformed-json"),
            (b'{"type": NaN}', "malformed-json"),
            (b'{"type": 1e999}', "malformed-json"),
            (b'{"type": ' + b"1" * 5000 + b"}", "malformed-json"),
            (rb'{"type": "\ud800"}', "malformed-json"),
            (b'{"type": ' + b"[" * 40 + b"]" * 40 + b"}", "malformed-json"),
            (b"[" * 100_000, "malformed-json"),
            (b"\0" * 10, "malformed-json"),
            (b'{"type": "user", "username": "a', "malformed-json"),
        ],
    )
    def test_are_refused_and_disturb_no_other_line(
        self, run: Run, tmp_path: Path, engine: sa.Engine, raw: bytes, code: str
    ) -> None:
        # given
        raw = raw.replace(b"\n", b"")
        report = tmp_path / "report"
        # when
        stdin = as_lines(ADA) + raw + b"\n" + as_lines(NOTE)
        result = run("import", "-", "--report", report, stdin=stdin)
        # then
        assert result.exit_code == 1
        refused = json.loads(report.read_bytes())  # one line
        assert (refused["line"], refused["errors"][0]["code"]) == (2, code)
        assert count(engine) == 1

    @pytest.mark.parametrize("text", ["nul \0", "\x1b[2J", "\u202e"])
    def test_that_cannot_stand_in_a_name(self, run: Run, engine: sa.Engine, text: str) -> None:
        result = run("import", "-", stdin=as_lines(ADA | {"name": text}))
        assert result.exit_code == 1
        assert text not in result.stderr
        assert count(engine, User) == 0

    def test_a_byte_order_mark_blank_lines_and_returns_are_ignored(
        self, run: Run, engine: sa.Engine
    ) -> None:
        stdin = b"\xef\xbb\xbf" + as_lines(ADA, NOTE).replace(b"\n", b"\r\n\r\n")
        assert run("import", "-", stdin=stdin).exit_code == 0
        assert count(engine) == 1

    def test_a_last_line_without_a_break_is_read(self, run: Run, engine: sa.Engine) -> None:
        assert run("import", "-", stdin=as_lines(ADA, NOTE).rstrip()).exit_code == 0
        assert count(engine) == 1

    def test_a_compressed_file_that_is_cut(self, run: Run, engine: sa.Engine) -> None:
        noise = [NOTE | {"slug": f"n-{n}", "body": os.urandom(500).hex()} for n in range(300)]
        packed = gzip.compress(as_lines(ADA, *noise))
        result = run("import", "-", stdin=packed[: len(packed) // 2])
        assert result.exit_code == 1
        assert told(result)[-1].endswith("(cut)")
        assert 0 < count(engine) < 300

    def test_a_line_of_a_gigabyte_needs_no_memory(self) -> None:
        # given
        stream = io.BufferedReader(_Gigabyte(b"\n" + as_lines(ADA)))
        tracemalloc.start()
        # when
        lines = list(read_lines(stream, "big", lambda _bytes: None))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # then
        assert isinstance(lines[0].record, Fault)
        assert lines[0].record.code == "too-large"
        assert (lines[1].number, lines[1].record) == (2, ADA)
        assert peak < 4 * MAX_LINE

    def test_a_line_of_just_the_limit(self) -> None:
        raw = as_lines(ADA)[:-1]
        whole = raw + b" " * (MAX_LINE - len(raw) - 1) + b"\n"
        first, second = read_lines(io.BytesIO(whole + b" " + whole), "f", lambda _bytes: None)
        assert first.record == ADA
        assert isinstance(second.record, Fault)


class TestExport:
    def test_is_what_an_import_takes(
        self, run: Run, file: Path, tmp_path: Path, engine: sa.Engine
    ) -> None:
        # given
        run("import", file)
        target, packed = tmp_path / "out.jsonl", tmp_path / "out.jsonl.gz"
        # when
        results = [run("export", target), run("export", packed), run("export", "-")]
        # then
        assert [result.exit_code for result in results] == [0, 0, 0]
        assert gzip.decompress(packed.read_bytes()) == target.read_bytes()
        assert results[2].stdout_bytes == target.read_bytes()
        assert {path.stat().st_mode & 0o777 for path in (target, packed)} == {0o600}
        assert {path.name for path in tmp_path.iterdir()} == {
            *("in.jsonl", "out.jsonl", "out.jsonl.gz"),
        }
        result = run("import", target)
        assert result.exit_code == 0
        assert "4 unchanged" in result.stdout

    def test_never_overwrites_unless_told(
        self, run: Run, tmp_path: Path, engine: sa.Engine
    ) -> None:
        target = tmp_path / "precious"
        target.write_text("precious")
        assert run("export", target).exit_code == 1
        assert target.read_text() == "precious"
        assert run("export", target, "--force").exit_code == 0
        assert target.read_text() != "precious"
        assert target.stat().st_mode & 0o777 == 0o600

    def test_that_fails_leaves_nothing(
        self, run: Run, tmp_path: Path, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> Any:
            yield b"half"
            raise OSError("No space left on device")

        monkeypatch.setattr("services.transfer.export", broken)
        assert run("export", tmp_path / "out").exit_code == 1
        assert run("export", tmp_path / "no/where").exit_code == 1
        assert list(tmp_path.iterdir()) == []

    def test_without_passwords(self, run: Run, engine: sa.Engine, ada: User) -> None:
        assert "argon2" in run("export", "-").stdout
        assert "argon2" not in run("export", "-", "--without-passwords").stdout


class TestProcess:
    def test_killed_half_way_is_completed_by_the_next_run(
        self,
        run: Run,
        engine: sa.Engine,
        make_database: MakeDatabase,
        backend: str,
        tmp_path: Path,
    ) -> None:
        # given
        notes = [NOTE | {"slug": f"note-{n}", "tags": [f"tag {n % 7}"]} for n in range(700)]
        assert run("import", "-", stdin=as_lines(ADA, *notes)).exit_code == 0
        file = tmp_path / "export.jsonl"
        run("export", file)
        url = make_database("killed")
        target = databases.connect(url)
        # when
        for enough in (1, 300):
            process = command(url, tmp_path, "import", str(file))
            while process.poll() is None and count(target) < enough:
                pass
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            assert process.returncode == -signal.SIGKILL
            assert enough <= count(target) < 700
        last = command(url, tmp_path, "import", str(file))
        last.communicate(timeout=120)
        # then
        assert last.returncode == 0
        assert b"".join(export(target)) == file.read_bytes()
        with target.connect() as connection:
            changes = connection.scalar(sa.select(sa.func.count()).select_from(Change))
        target.dispose()
        assert changes == 701

    def test_shows_how_far_it_is_on_a_terminal_only(
        self, make_database: MakeDatabase, backend: str, file: Path, tmp_path: Path
    ) -> None:
        # given
        url = make_database("terminal")
        ours, theirs = os.openpty()
        # when
        shown = command(url, tmp_path, "import", str(file), stderr=theirs)
        shown.communicate(timeout=60)
        os.close(theirs)
        plain = command(url, tmp_path, "import", str(file), stderr=subprocess.PIPE)
        _, quiet = plain.communicate(timeout=60)
        # then
        assert b"100%" in os.read(ours, 10_000)
        os.close(ours)
        assert (shown.returncode, plain.returncode) == (0, 0)
        assert b"%" not in quiet


class _Gigabyte(io.RawIOBase):
    """Gives 2**30 times ``a``, and then something else."""

    def __init__(self, rest: bytes) -> None:
        self._left, self._rest = 2**30, io.BytesIO(rest)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            return self._rest.readinto(buffer)
        size = min(len(buffer), self._left)
        buffer[:size] = b"a" * size
        self._left -= size
        return size
