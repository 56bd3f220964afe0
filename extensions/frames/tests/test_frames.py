"""``/api/frames`` over HTTP: what is stored, whose it is, and when its content goes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from signpost.contract import make_user
from signpost.models import User

FRAMES = "/api/frames"
CSV = (
    b"name,price,at,ok\n"
    b"Red,1.5,2026-01-02,true\n"
    b"blue,,2026-01-03T10:00:00.123456,false\n"
    b",3,,\n"
    b"red wine,2.25,2026-01-01,true\n"
)
ROWS = [
    {"name": "Red", "price": 1.5, "at": "2026-01-02T00:00:00.000Z", "ok": True},
    {"name": "blue", "price": None, "at": "2026-01-03T10:00:00.123Z", "ok": False},
    {"name": None, "price": 3.0, "at": None, "ok": None},
    {"name": "red wine", "price": 2.25, "at": "2026-01-01T00:00:00.000Z", "ok": True},
]
SignIn = Callable[[User | str], FlaskClient]


def send(
    caller: FlaskClient, content: bytes = CSV, name: str = "a.csv", **said: str
) -> TestResponse:
    """Upload a file."""
    return caller.post(FRAMES, data={"files": (BytesIO(content), name), **said})


def made(caller: FlaskClient, content: bytes = CSV, name: str = "a.csv", **said: str) -> str:
    """Upload a table; return its URL."""
    answer = send(caller, content, name, **said)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def items(answer: TestResponse) -> Any:
    """Return what a list has."""
    assert answer.status_code == 200, answer.text
    return answer.get_json()["items"]


def faults(answer: TestResponse, status: int = 400) -> list[tuple[str, str]]:
    """Return what a refusal finds wrong."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    return [(each["field"], each["code"]) for each in answer.get_json()["errors"]]


def stored(config: Config) -> set[str]:
    """Return the keys of all contents on the disk."""
    return {path.name for path in config.files.rglob("*") if path.is_file()}


def row(session: Session, url: str) -> Any:
    """Return the row of a table."""
    session.rollback()
    statement = sa.text("SELECT * FROM frames_tables WHERE id = :id")
    return session.execute(statement, {"id": int(url.rsplit("/", 1)[1])}).one_or_none()


class TestUpload:
    def test_makes_a_private_table(self, author: FlaskClient, client: FlaskClient) -> None:
        # when
        answer = send(author)
        # then
        assert answer.status_code == 201
        url, shown = answer.headers["Location"], answer.get_json()
        assert url == f"{FRAMES}/{shown['id']}"
        assert {name: shown[name] for name in ("name", "visibility", "format")} == {
            "name": "a.csv",
            "visibility": "private",
            "format": "csv",
        }
        assert (shown["rows_count"], shown["columns_count"], shown["version"]) == (4, 4, 1)
        assert author.get(url).headers["ETag"] == answer.headers["ETag"]
        assert client.get(url).status_code == 404

    def test_takes_a_name_and_who_sees_it(self, author: FlaskClient, client: FlaskClient) -> None:
        url = made(author, name="b.tsv", visibility="public")
        assert client.get(url).get_json()["name"] == "b.tsv"
        named = author.post(
            FRAMES, data={"files": (BytesIO(CSV), "c.csv"), "name": "Mine", "visibility": "public"}
        )
        assert named.get_json()["name"] == "Mine"

    def test_takes_parquet(self, author: FlaskClient) -> None:
        # given
        file = BytesIO()
        pq.write_table(pa.table({"big": [2**53 + 1, None], "text": ["x", "y"]}), file)
        # when
        url = made(author, file.getvalue(), "a.parquet")
        # then
        assert author.get(url).get_json()["format"] == "parquet"
        assert items(author.get(f"{url}/rows")) == [
            {"big": 2**53 + 1, "text": "x"},
            {"big": None, "text": "y"},
        ]

    def test_of_a_bad_table_tells_the_line_and_keeps_nothing(
        self, author: FlaskClient, config: Config
    ) -> None:
        # given
        before = stored(config)
        # when
        answer = send(author, b"a,b\n1,2\n1,2,3\n")
        # then
        assert faults(answer) == [("files.0", "format")]
        assert answer.get_json()["line"] == 3
        assert items(author.get(FRAMES)) == []
        assert stored(config) == before

    @pytest.mark.parametrize(
        ("content", "name", "code"),
        [(b"", "a.csv", "too_short"), (b"PK\3\4", "a.xlsx", "choice"), (b"x", "a.pq", "format")],
    )
    def test_of_what_is_no_table_is_refused(
        self, author: FlaskClient, content: bytes, name: str, code: str
    ) -> None:
        assert faults(send(author, content, name)) == [("files.0", code)]

    def test_of_several_or_of_none_is_refused(self, author: FlaskClient) -> None:
        two = [(BytesIO(CSV), "a.csv"), (BytesIO(CSV), "b.csv")]
        assert faults(author.post(FRAMES, data={"files": two})) == [("files", "too_many")]
        nothing = author.post(FRAMES, data={"name": "x"}, content_type="multipart/form-data")
        assert faults(nothing) == [("files", "required")]
        assert author.post(FRAMES, json={}).status_code == 415

    def test_asks_for_an_author(self, client: FlaskClient, sign_in: SignIn) -> None:
        assert send(client).status_code == 401
        assert send(sign_in("reader")).status_code == 403

    def test_ends_at_the_settings(
        self,
        make_app: Callable[[Config], Flask],
        config: Config,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # given
        monkeypatch.setenv("FRAMES_MAX_BYTES", "300")
        monkeypatch.setenv("FRAMES_MAX_ROWS", "4")
        monkeypatch.setenv("FRAMES_QUOTA_BYTES", "3000")
        caller = make_app(replace(config, MAX_FILE_BYTES=10)).test_client()
        user = make_user(session)
        grant = {"grant_type": "password", "username": user.username}
        token = caller.post(
            "/api/v1/auth/token", json=grant | {"password": "a long way to Tipperary"}
        )
        caller.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token.get_json()['access_token']}"
        # then
        assert send(caller).status_code == 201
        assert send(caller, CSV + b"x" * 300).status_code == 413
        assert faults(send(caller, CSV + b"x,1,,\n")) == [("files.0", "too_large")]
        assert send(caller).status_code == 201
        full = send(caller)
        assert (full.status_code, full.get_json()["code"]) == (413, "too-large")
        assert full.get_json()["left"] < 3000
        assert len(items(caller.get(FRAMES))) == 2


class TestVisibility:
    def test_of_private_tables_is_their_owners_and_admins(
        self, author: FlaskClient, client: FlaskClient, sign_in: SignIn
    ) -> None:
        # given
        private, public = made(author), made(author, visibility="public")
        others = {"client": client, "author": sign_in("author"), "editor": sign_in("editor")}
        # then
        for caller in others.values():
            assert [each["visibility"] for each in items(caller.get(FRAMES))] == ["public"]
            for below in ("", "/columns", "/rows", "/describe", "/plot?x=price&y=price"):
                assert caller.get(private + below).status_code == 404, below
                assert caller.get(public + below).status_code == 200, below
        assert others["author"].patch(public, json={"name": "x"}).status_code == 403
        assert sign_in("admin").get(f"{private}/rows").status_code == 200

    def test_ends_with_a_deletion(self, author: FlaskClient) -> None:
        # given
        url = made(author, visibility="public")
        # when
        deleted = author.delete(url)
        # then
        assert deleted.status_code == 204
        for below in ("", "/columns", "/rows", "/describe", "/plot?x=price&y=price"):
            assert author.get(url + below).status_code == 404
        undo = deleted.headers["Link"].partition(">")[0][1:]
        assert author.post(undo).status_code == 200
        assert items(author.get(f"{url}/rows")) == ROWS


class TestContents:
    def test_are_stored_once_and_go_with_the_last_table(
        self, author: FlaskClient, config: Config, session: Session
    ) -> None:
        # given
        first, second = made(author), made(author, name="b.csv")
        sha256 = row(session, first).sha256
        assert row(session, second).sha256 == sha256
        # when
        purge(author, first)
        # then
        assert sha256 in stored(config)
        assert items(author.get(f"{second}/rows")) == ROWS
        # when
        purge(author, second)
        # then
        assert sha256 not in stored(config)
        left = session.execute(
            sa.text("SELECT count(*) FROM contents WHERE sha256 = :it"), {"it": sha256}
        )
        assert left.scalar() == 0

    def test_stay_while_a_table_has_them_though_a_file_with_them_goes(
        self, author: FlaskClient, config: Config, session: Session
    ) -> None:
        # given
        url = made(author)
        sha256 = row(session, url).sha256
        content = (config.files / sha256[:2] / sha256[2:4] / sha256).read_bytes()
        answer = author.post("/api/v1/files", data={"files": (BytesIO(content), "same")})
        file = answer.get_json()["items"][0]["data"]
        assert file["sha256"] == sha256
        # when
        assert author.delete(f"/api/v1/files/{file['id']}").status_code == 204
        assert author.delete(f"/api/v1/trash/files/{file['id']}").status_code == 204
        # then
        assert sha256 in stored(config)
        assert items(author.get(f"{url}/rows")) == ROWS

    def test_go_with_their_owner(self, sign_in: SignIn, session: Session, config: Config) -> None:
        # given
        owner, admin = make_user(session), sign_in("admin")
        url = made(sign_in(owner))
        sha256 = row(session, url).sha256
        # when
        assert admin.delete(f"/api/v1/users/{owner.id}").status_code == 204
        # then
        assert admin.get(url).status_code == 404
        assert sha256 in stored(config)
        # when
        assert admin.delete(f"/api/v1/trash/users/{owner.id}").status_code == 204
        # then
        assert row(session, url) is None
        assert sha256 not in stored(config)

    @pytest.mark.parametrize("below", ["rows", "describe", "plot?x=price&y=price"])
    def test_that_are_damaged_are_told_and_not_shown(
        self, author: FlaskClient, session: Session, config: Config, below: str
    ) -> None:
        # given
        url = made(author)
        sha256 = row(session, url).sha256
        path = config.files / sha256[:2] / sha256[2:4] / sha256
        content = path.read_bytes()
        path.write_bytes(content[:-1])
        # when
        answer = author.get(f"{url}/{below}")
        path.write_bytes(content)
        # then
        assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")


def purge(caller: FlaskClient, url: str) -> None:
    """Delete a table, and remove it for good."""
    assert caller.delete(url).status_code == 204
    id = url.rsplit("/", 1)[1]
    assert caller.delete(f"/api/v1/trash/frames/{id}").status_code == 204


def test_a_worker_that_nobody_asks_for_a_table_imports_none_of_the_libraries(
    tmp_path: Path,
) -> None:
    # given
    code = f"""
import sys
from pathlib import Path
from config import Config
from api.app import create_app
from api.loading import load
from api.prepare import prepare
config = Config(DATABASE_URL="sqlite:///{tmp_path}/a.sqlite", DATA_DIR=Path("{tmp_path}"),
    SECRET_KEY="0123456789abcdef" * 3, ADMIN_PASSWORD="an elephant in Cairo")
app = create_app(config, prepare(config, [each for each in load(config) if each.name == "frames"]))
client = app.test_client()
for path in ("/api/frames", "/api/v1/swagger.json", "/api/v1/posts", "/api/frames/1"):
    print(client.get(path).status_code)
print(sorted({{"numpy", "pandas", "pyarrow", "matplotlib"}} & set(sys.modules)))
"""
    # when
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    # then
    shown = [line for line in said.stdout.splitlines() if not line.startswith("{")]
    assert shown == ["200", "200", "200", "404", "[]"]
