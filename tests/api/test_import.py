"""``flask import`` and ``flask export``: files, exit statuses and what is said of bad lines."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from api.transfers import MAX_LINE, read_lines, shapes
from models import Change, Post, User
from services.errors import Fault
from services.transfer import Options, export, import_records
from tests import databases
from tests.conftest import MakeDatabase
from tests.services.worlds import SHAPES

ROOT = Path(__file__).parents[2]
ADA = {"type": "user", "username": "ada", "email": "ada@example.com"}
NOTE = {
    "type": "post",
    "author": "ada",
    "slug": "note",
    "title": "Nötiz",
    "body": "*Note*",
    "status": "published",
    "published_at": "2026-01-02T03:04:05Z",
    "tags": ["Ü"],
}
Run = Callable[..., click.testing.Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """``run("import", path)``: a command of the application on the shared database."""

    def run(*arguments: object, stdin: bytes | None = None) -> click.testing.Result:
        runner = app.test_cli_runner()
        return runner.invoke(args=[str(each) for each in arguments], input=stdin)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a user and a post."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(as_lines(ADA, NOTE))
    return path


def as_lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def told(result: click.testing.Result) -> list[str]:
    """Return what stderr says beside the log."""
    return [line for line in result.stderr.splitlines() if not line.startswith("{")]


def count(engine: sa.Engine, model: type[Any] = Post) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def command(url: str, folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command as operators do."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi"}
    environment |= {"DATABASE_URL": url, "DATA_DIR": str(folder)}
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL} | options
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments], env=environment, cwd=folder, **given
    )


class TestImport:
    def test_is_seen_over_http(
        self, run: Run, file: Path, client: FlaskClient, engine: sa.Engine
    ) -> None:
        # when
        result = run("import", file)
        # then
        assert result.exit_code == 0, result.output
        assert result.stdout == "Lines: 2 created, 0 updated, 0 unchanged, 0 skipped, 0 refused.\n"
        answer = client.get("/api/v1/posts/by-slug/note").get_json()
        assert (answer["title"], answer["html"]) == ("Nötiz", "<p><em>Note</em></p>\n")
        found = client.get("/api/v1/posts?q=notiz&tag=ü").get_json()
        assert [post["slug"] for post in found["items"]] == ["note"]

    def test_a_second_time_changes_nothing(self, run: Run, file: Path, engine: sa.Engine) -> None:
        run("import", file)
        before = count(engine, Change)
        result = run("import", file)
        assert (result.exit_code, count(engine, Change)) == (0, before)
        assert "2 unchanged" in result.stdout

    def test_from_stdin_and_compressed(self, run: Run, file: Path, engine: sa.Engine) -> None:
        packed = gzip.compress(file.read_bytes())
        assert run("import", "-", stdin=packed).exit_code == 0
        assert count(engine) == 1

    def test_of_several_files(self, run: Run, tmp_path: Path, engine: sa.Engine) -> None:
        for name, record in (("a", ADA), ("b", NOTE)):
            (tmp_path / name).write_bytes(as_lines(record))
        assert run("import", tmp_path / "a", tmp_path / "b").exit_code == 0
        assert count(engine) == 1

    def test_tells_every_fault_of_every_refused_line(
        self, run: Run, tmp_path: Path, engine: sa.Engine
    ) -> None:
        # given
        path, report = tmp_path / "in.jsonl", tmp_path / "report.jsonl"
        bad = {"type": "post", "author": "nobody", "title": "", "tags": "x", "colour": "red"}
        path.write_bytes(as_lines(ADA, bad, NOTE) + b"{nonsense\n")
        # when
        result = run("import", path, "--report", report)
        # then
        assert result.exit_code == 1
        assert count(engine) == 1
        lines = [json.loads(line) for line in report.read_bytes().splitlines()]
        assert [line["line"] for line in lines] == [2, 4]
        assert {(error["field"], error["code"]) for error in lines[0]["errors"]} == {
            *[("title", "too_short"), ("tags", "type"), ("body", "required")],
            ("colour", "unknown"),
        }
        assert lines[1]["errors"][0]["code"] == "malformed-json"
        assert report.stat().st_mode & 0o777 == 0o600
        assert len(told(result)) == 5
        assert all(line.startswith(f"{path}, line ") for line in told(result))

    def test_as_a_rehearsal(self, run: Run, file: Path, engine: sa.Engine) -> None:
        result = run("import", file, "--dry-run")
        assert result.exit_code == 0
        assert result.stdout.startswith("Would be: 2 created")
        assert count(engine) == count(engine, User) == count(engine, Change) == 0

    @pytest.mark.parametrize(
        "arguments", [(), ("/nowhere",), ("/",), ("-", "-"), ("-", "--on-conflict=destroy")]
    )
    def test_of_nothing_that_could_be_read(
        self, run: Run, engine: sa.Engine, arguments: tuple[str, ...]
    ) -> None:
        assert run("import", *arguments).exit_code == 2

    def test_of_another_version(self, run: Run, engine: sa.Engine) -> None:
        header = {"type": "header", "format": "signpost", "version": 99}
        result = run("import", "-", stdin=as_lines(header, ADA))
        assert result.exit_code == 2
        assert count(engine, User) == 0


class TestDocumentation:
    def test_shows_lines_that_can_be_imported(self, run: Run, engine: sa.Engine) -> None:
        # given
        page = (ROOT / "docs/operations.md").read_text()
        example = page.split("### The format")[1].split("```json\n")[1].split("```")[0]
        # when
        result = run("import", "-", stdin=example.encode())
        # then
        assert result.exit_code == 0, result.output
        assert "2 created" in result.stdout

    def test_names_every_type_and_field(self) -> None:
        page = (ROOT / "docs/operations.md").read_text()
        format = page.split("### The format")[1].split("### From elsewhere")[0]
        known = {*shapes().user.members, *shapes().post.members}
        for kind, record in shapes().records.items():
            assert f"| `{kind}` |" in format
            own = {name for name, member in record.members.items() if not member.read_only}
            assert {name for name in own - known if f"`{name}`" not in format} == set()


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


class TestShapes:
    def test_are_those_of_requests(self) -> None:
        """What tests without Flask declare for themselves is what the API declares."""
        for ours, theirs in ((SHAPES.user, shapes().user), (SHAPES.post, shapes().post)):
            writable = {
                name: member for name, member in theirs.members.items() if not member.read_only
            }
            assert {name: member.rule for name, member in writable.items()} == {
                name: member.rule for name, member in ours.members.items()
            }

    @pytest.mark.parametrize(
        "changes",
        [
            *({"title": ""}, {"title": "x" * 201}, {"title": "a\nb"}, {"title": 1}),
            *({"body": "x" * 100_001}, {"body": "\0"}, {"slug": "No"}, {"tags": ["x"] * 21}),
            *({"status": "new"}, {"published_at": "yesterday"}, {"id": 1}, {"unknown": 1}),
            *({"excerpt": None}, {"body": ">" * 500}, {"tags": ["\u200b"]}),
        ],
    )
    def test_refuse_what_a_request_is_refused_for(
        self,
        run: Run,
        tmp_path: Path,
        ada: User,
        sign_in: Callable[[User], FlaskClient],
        changes: dict[str, Any],
    ) -> None:
        # given
        body = {"title": "T", "body": "B", **changes}
        report = tmp_path / "report"
        # when
        answer = sign_in(ada).post("/api/v1/posts", json=body)
        line = {"type": "post", "author": "ada", **body}
        run("import", "-", "--report", report, stdin=as_lines(line))
        # then
        assert answer.status_code == 400
        assert json.loads(report.read_bytes())["errors"] == answer.get_json()["errors"]


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


def test_an_import_by_hand_is_the_interface_of_converters(engine: sa.Engine) -> None:
    lines = read_lines(io.BytesIO(as_lines(ADA, NOTE)), "any", lambda _bytes: None)
    assert import_records(engine, lines, Options(shapes())).is_whole
