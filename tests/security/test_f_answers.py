"""Section F: every answer, errors included, has one form, is protected and tells nothing of us."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api.problems import CODES
from services.posts import PostService
from tests.conftest import MakeDatabase
from tests.security.conftest import HOST
from tests.security.raw import Answer, ask
from tests.security.world import API, World
from tests.servers import PATIENCE, ROOT, LiveServer, free_port

STATUSES: dict[int, tuple[str, str, dict[str, object]]] = {
    200: ("GET", f"{API}/posts", {}),
    304: ("GET", f"{API}/openapi.json", {"headers": {"If-None-Match": "*"}}),
    400: ("GET", f"{API}/posts?limit=0", {}),
    401: ("GET", f"{API}/trash", {}),
    404: ("GET", "/nowhere", {}),
    405: ("DELETE", f"{API}/posts", {}),
    413: ("POST", f"{API}/users", {"content": b"x" * 2_100_000}),
    414: ("GET", f"{API}/posts?{'q' * 5_000}", {}),
    415: ("POST", f"{API}/users", {"content": b"{}"}),
}


@pytest.mark.parametrize("status", STATUSES)
def test_case_088_every_answer_has_the_headers_that_protect(
    strict: httpx.Client, status: int
) -> None:
    # given
    method, path, more = STATUSES[status]
    # when
    answer = strict.request(method, path, **more)  # type: ignore[arg-type]
    # then
    assert answer.status_code == status
    assert_protected(answer)
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/validation"])
def test_case_088_our_own_pages_load_nothing_from_elsewhere(
    strict: httpx.Client, path: str
) -> None:
    # when
    answer = strict.get(path, headers={"Accept": "text/html"})
    # then
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = assert_protected(answer)
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|javascript:|style=", answer.text)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)


def assert_protected(answer: httpx.Response) -> str:
    """See that all headers are there, once each; return the policy."""
    names = [name.lower() for name, _ in answer.headers.multi_items()]
    assert len(names) == len(set(names))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert int(answer.headers["Strict-Transport-Security"].removeprefix("max-age=")) >= 31_536_000
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    return policy


#: What a crash may hold, and no answer may: a hash, a statement, a path, a row, an address.
SECRET = "$argon2id$ SELECT /srv/secret.py ada@example.com 10.0.0.7"
CRASHES: list[Exception] = [
    ZeroDivisionError(SECRET),
    KeyError(SECRET),
    OSError(13, SECRET, SECRET),
    RecursionError(SECRET),
    UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
    sa.exc.IntegrityError(SECRET, {"password_hash": SECRET}, Exception(SECRET)),
    sa.exc.ProgrammingError(SECRET, {"password_hash": SECRET}, Exception(SECRET)),
    sa.exc.OperationalError(SECRET, {"password_hash": SECRET}, Exception(SECRET)),
    sa.exc.DataError(SECRET, {"password_hash": SECRET}, Exception(SECRET)),
    sa.exc.InvalidRequestError(SECRET),
    sa.exc.TimeoutError(SECRET),
]


@pytest.mark.parametrize("mode", ["TESTING", "DEBUG", "PROPAGATE_EXCEPTIONS", "none"])
@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: type(crash).__name__)
def test_case_089_a_crash_is_a_problem_like_any_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch, crash: Exception, mode: str
) -> None:
    # given
    def fail(*_: object) -> None:
        raise crash

    monkeypatch.setitem(app.config, mode, True)
    monkeypatch.setattr(PostService, "list", fail)
    client = app.test_client()
    # when
    answer = client.get(f"{API}/posts", headers={"Accept": "text/html, */*;q=0.1"})
    # then
    assert answer.status_code in {500, 409, 503}
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert set(problem) == {
        "type", "title", "status", "code", "detail", "instance", "request_id",
    }  # fmt: skip
    assert CODES[problem["code"]].status == answer.status_code
    for word in SECRET.split():
        assert word not in answer.text + str(answer.headers)


def test_case_089_a_taken_name_shows_nothing_of_who_has_it(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    user = world.people["owner"]
    body = {"username": user.username, "email": "else@example.com", "password": "a violin in Oslo"}
    # when
    answer = world.caller("anonymous").post(f"{API}/users", json=body)
    # then
    assert answer.status_code == 409
    for secret in (user.email, user.password_hash, "INSERT", "uq_", "users_", "sqlite", "psycopg"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/docs", f"{API}/openapi.json", "/nowhere"]
)
def test_case_090_nothing_tells_strangers_what_runs_here(strict: httpx.Client, path: str) -> None:
    # when
    answer = strict.get(path)
    # then
    told = f"{answer.headers}\n{'' if path == '/docs' else answer.text}"
    names = ("flask", "flask-restx", "werkzeug", "granian", "sqlalchemy", "signpost", "pyjwt")
    versions = {*map(_version, names), platform.python_version()} - {""}
    assert not [each for each in versions if each in told]
    assert not re.search(r"CPython|Werkzeug|SQLAlchemy|psycopg|[Pp]ostgre|sqlite", told)
    assert socket.gethostname() not in told.split()
    assert not {"x-powered-by", "via", "x-runtime"} & set(answer.headers)
    assert not re.search(r"\d", answer.headers["Server"])
    assert str(ROOT) not in told


def _version(name: str) -> str:
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return ""


def test_case_090_the_specs_tell_the_version_of_the_contract_only(client: FlaskClient) -> None:
    for name in ("openapi", "swagger"):
        # when
        info = client.get(f"{API}/{name}.json").get_json()["info"]
        # then
        assert info["version"] == "1"
        assert set(info) <= {"title", "version", "description"}


DEBUGGER = [
    "/console",
    "/?__debugger__=yes&cmd=resource&f=debugger.js",
    "/?__debugger__=yes&cmd=pinauth",
]


def assert_no_debugger(answers: list[Answer]) -> None:
    for answer in answers:
        assert answer.status in {200, 400, 404}
        assert "javascript" not in answer.headers["content-type"]
        for word in (b"EVALEX", b"Interactive Console", b"Traceback", b"pinauth", b"SECRET ="):
            assert word not in answer.body


def test_case_091_the_server_has_no_debugger_whatever_the_environment_says(
    strict_server: LiveServer,
) -> None:
    assert_no_debugger([ask(strict_server.url, path, f"Host: {HOST}") for path in DEBUGGER])


@contextmanager
def flask_run(database_url: str, folder: Path) -> Iterator[str]:
    """Serve by ``FLASK_DEBUG=1 flask run``, as one may do by mistake; give the URL."""
    port = free_port()
    environment = {
        "PATH": str(Path(sys.executable).parent),
        "PYTHONPATH": str(ROOT),
        "FLASK_APP": str(ROOT / "wsgi.py"),
        "FLASK_DEBUG": "1",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", "flask", "run", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError):
                ask(url, "/healthz")
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_case_091_flask_run_has_no_debugger_either(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    with flask_run(make_database("flask_run"), tmp_path) as url:
        # when
        answers = [ask(url, path) for path in DEBUGGER]
        # then
        assert_no_debugger(answers)
        assert ask(url, "/healthz").status == 200
