"""``flask import`` and ``flask export``: files, exit statuses and what is said of bad lines."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from api.json_lines import read_lines
from api.transfers import shapes
from config import Config
from models import Change, User
from services.transfer import Options, import_records
from tests.api.importing import ADA, NOTE, ROOT, Run, as_lines, count, told
from tests.services.worlds import SHAPES


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


class TestDatabase:
    """Of databases that the service has not been started on; a SQLite file is enough for that."""

    @pytest.fixture
    def elsewhere(
        self, make_app: Callable[[Config], Flask], config: Config, tmp_path: Path
    ) -> Callable[..., click.testing.Result]:
        """Runs a command on a database that is made by it."""
        url = f"sqlite:///{tmp_path}/new.sqlite"
        app = make_app(replace(config, DATABASE_URL=url))
        return lambda *arguments: app.test_cli_runner().invoke(args=[str(a) for a in arguments])

    def test_that_is_empty_gets_its_tables(self, elsewhere: Run, file: Path) -> None:
        assert elsewhere("import", file).exit_code == 0
        assert elsewhere("export", "-").stdout.count('"type":"post"') == 1

    @pytest.mark.parametrize("arguments", [("import", "--dry-run"), ("export", "--force")])
    def test_that_is_empty_is_left_alone_by_what_stores_nothing(
        self, elsewhere: Run, file: Path, tmp_path: Path, arguments: tuple[str, ...]
    ) -> None:
        before = file.read_bytes()
        assert elsewhere(*arguments, file).exit_code == 2
        assert file.read_bytes() == before
        with closing(sqlite3.connect(tmp_path / "new.sqlite")) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []

    def test_of_a_newer_release(self, elsewhere: Run, file: Path, tmp_path: Path) -> None:
        elsewhere("import", file)
        with closing(sqlite3.connect(tmp_path / "new.sqlite")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
        assert elsewhere("import", file).exit_code == 2

    def test_that_is_away(
        self, make_app: Callable[[Config], Flask], config: Config, file: Path
    ) -> None:
        app = make_app(replace(config, DATABASE_URL="postgresql://u:p@127.0.0.1:1/d"))
        result = app.test_cli_runner().invoke(args=["import", str(file)])
        assert result.exit_code == 1
        assert "Traceback" not in result.output


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


class TestShapes:
    def test_are_those_of_requests(self) -> None:
        """What tests without Flask declare for themselves is what the API declares."""
        for kind in ("user", "post", "comment"):
            theirs, ours = getattr(shapes(), kind), getattr(SHAPES, kind)
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


def test_an_import_by_hand_is_the_interface_of_converters(engine: sa.Engine) -> None:
    lines = read_lines(io.BytesIO(as_lines(ADA, NOTE)), "any", lambda _bytes: None)
    assert import_records(engine, lines, Options(shapes())).is_whole
