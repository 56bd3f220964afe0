"""The example of a real collection: by a file, and over HTTP to a live server."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from examples import peps, peps_http
from models import Post, User
from tests.servers import ADMIN_PASSWORD, PATIENCE, ROOT, LiveServer, free_port

DATA = ROOT / "examples" / "data"
LONG = 100_001
AIMS = "## Aims\n\nSee [PEP 8](https://peps.python.org/pep-0008/).\n"


@pytest.fixture(scope="module")
def given() -> list[dict[str, Any]]:
    """The records that the repository ships."""
    with (DATA / "peps.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rows(given: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The same as rows of the collection, with one post that is too long; paths of both files."""
    folder = tmp_path_factory.mktemp("rows")
    users = [{**each} for each in given if each["type"] == "user"]
    names = {each["username"] for each in users}
    posts = [_row(each, names) for each in given if each["type"] == "post"]
    posts.append({**posts[0], "number": 9999, "body": "x" * LONG})
    with gzip.open(folder / "posts.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in posts)
    (folder / "users.jsonl").write_text("".join(json.dumps(row) + "\n" for row in users))
    return str(folder / "posts.jsonl.gz"), str(folder / "users.jsonl")


def _row(post: dict[str, Any], names: set[str]) -> dict[str, Any]:
    others = [tag for tag in post["tags"] if tag in names]
    return {
        "number": int(post["slug"].removeprefix("pep-")),
        "title": post["title"],
        "authors": [post["author"], *others],
        "tags": [tag for tag in post["tags"] if tag not in names],
        "published_at": post["published_at"],
        "body": "Aims\n====\n\nSee :pep:`8`.\n",
    }


class TestFile:
    def test_is_imported_line_by_line(
        self,
        app: Flask,
        session: Session,
        rows: tuple[str, str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        # given
        peps.main(list(rows))
        file = tmp_path / "peps.jsonl"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        # when
        result = app.test_cli_runner().invoke(args=["import", str(file)])
        # then
        assert result.exit_code == 1
        assert "77 created" in result.stdout
        assert f"{file}, line 79: body: " in result.stderr
        zen = app.test_client().get("/api/v1/posts/by-slug/pep-20").get_json()
        assert (zen["author"]["username"], zen["body"]) == ("tim-peters", AIMS)
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) == 40
        assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 37

    def test_of_some_has_their_authors_only(self, rows: tuple[str, str]) -> None:
        made = list(peps.records(peps.rows(Path(rows[0])), peps.rows(Path(rows[1])), [20]))
        assert [each["type"] for each in made] == ["header", "user", "post", "end"]
        assert made[-1]["records"] == 2


class TestOverHttp:
    @pytest.fixture
    def upload(
        self, server: LiveServer, rows: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], int]:
        """Run the example against the live server and return its exit status."""
        monkeypatch.setenv("SIGNPOST_PASSWORD", ADMIN_PASSWORD)
        return lambda: peps_http.main([*rows, "--url", server.url])

    def test_all_come_in_their_authors_names_and_once(
        self, upload: Callable[[], int], server: LiveServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # when
        first, said = upload(), capsys.readouterr()
        second, again = upload(), capsys.readouterr()
        # then
        assert (first, second) == (1, 1)
        assert said.out == "77 created, 0 unchanged, 1 refused.\n"
        assert again.out == "0 created, 77 unchanged, 1 refused.\n"
        assert "pep-9999: validation: body: " in said.err
        zen = server.client.get("/api/v1/posts/by-slug/pep-20").json()
        assert (zen["author"]["username"], zen["version"]) == ("tim-peters", 1)
        assert server.client.get("/api/v1/posts/by-slug/pep-9999").status_code == 404

    def test_who_is_not_let_in_hears_so(
        self, server: LiveServer, rows: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SIGNPOST_PASSWORD", "wrong")
        with pytest.raises(httpx.HTTPStatusError):
            peps_http.main([*rows, "--url", server.url, "--admin", "nobody"])


class TestData:
    def test_each_document_says_that_it_is_free(self, given: list[dict[str, Any]]) -> None:
        bodies = [each["body"].lower() for each in given if each["type"] == "post"]
        assert len(bodies) == 40
        assert all("public domain" in " ".join(each.split()) or "cc0" in each for each in bodies)

    def test_no_author_has_a_password(self, given: list[dict[str, Any]]) -> None:
        assert not [each for each in given if "password" in each or "password_hash" in each]


class TestDemo:
    def test_serves_the_posts_and_starts_again_on_what_is_there(self, tmp_path: Path) -> None:
        port, client_port = free_port(), free_port()
        own = {"PORT": str(port), "CLIENT_PORT": str(client_port), "WORKERS": "1"}
        own["DEMO_DIR"] = str(tmp_path / "demo")
        for outcome in ("80 created", "80 unchanged"):
            with demo(own) as said:
                assert outcome in said
                assert f"http://127.0.0.1:{port}/docs" in said
                url = f"http://127.0.0.1:{port}/api/v1"
                client = f"http://127.0.0.1:{client_port}"
                assert f"  {client} " in said
                assert f'"{url}"' in httpx.get(client, trust_env=False).text
                page = httpx.get(f"{url}/posts?total=true", timeout=PATIENCE, trust_env=False)
                assert page.json()["total"] == 40
                accounts = re.findall(r"^  (\w+) {3,}(.+?) {3,}", said, re.M)
                assert [name for name, _ in accounts] == ["admin", "grace", "ada", "bob"]
                for name, password in accounts:
                    grant = {"grant_type": "password", "username": name, "password": password}
                    answer = httpx.post(f"{url}/auth/token", data=grant, trust_env=False)
                    assert answer.status_code == 200, name


@contextmanager
def demo(own: dict[str, str]) -> Iterator[str]:
    """Run the demo until the block ends; what it said until it served."""
    process = subprocess.Popen(
        [str(ROOT / "scripts" / "demo")],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        yield "".join(iter(partial(_unless_serving, process.stdout), ""))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def _unless_serving(output: IO[str]) -> str:
    line = output.readline()
    return "" if line.startswith("Signpost serves") else line
