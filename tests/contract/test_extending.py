"""docs/extending-core.md, followed to the letter: its resource is built and used over HTTP."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.contract.examples import blocks
from tests.servers import ROOT, LiveServer, live_server

GUIDE = ROOT / "docs" / "extending-core.md"
FILES = ("config.py", "config_env.py", "config_rules.py", "wsgi.py", "alembic.ini")
SOURCES = ("api", "migrations", "models", "services", *FILES)
#: A new file: its name stands in the heading before the block. A line for an old one: in its fence.
NEW_FILE = re.compile(r"^## [^\n]*`([^`\n]+\.py)`\n\n```python\n(.*?)^```", re.M | re.S)
OLD_FILE = re.compile(r"^```python (\S+)\n(.*?)^```", re.M | re.S)
EVENT = {"title": "Meeting", "starts_at": "2030-01-01T18:00:00+01:00"}


@pytest.fixture(scope="module")
def server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server of a copy of the source that follows the guide."""
    root, url = tmp_path_factory.mktemp("extended"), make_database("extending")
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    text = GUIDE.read_text()
    for name, code in NEW_FILE.findall(text):
        (root / name).write_text(code)
    for name, code in OLD_FILE.findall(text):
        (root / name).write_text((root / name).read_text() + code)
    _migration(root, url)
    with live_server(url, tmp_path_factory.mktemp("data"), PYTHONPATH=root) as running:
        yield running


def _migration(root: Path, url: str) -> None:
    command = re.search(r"^\.venv/bin/alembic (.*)$", GUIDE.read_text(), re.M)
    assert command
    environment = os.environ | {"PYTHONPATH": str(root), "DATABASE_URL": url, "DATA_DIR": str(root)}
    arguments = [part.strip('"') for part in command[1].split(" ")]
    subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )


def test_the_guide_builds_a_resource(server: LiveServer) -> None:
    with server.admin as admin:
        made = admin.post("/api/v1/events", json=EVENT)
        assert made.status_code == 201, made.text
        path, tag = made.headers["Location"], made.headers["ETag"]
        assert made.json()["starts_at"] == "2030-01-01T17:00:00.000Z"
        assert made.json()["author"]["username"] == "admin"

        changed = admin.patch(path, json={"place": "Berlin"}, headers={"If-Match": tag})
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert (
            admin.patch(path, json={"place": "Rome"}, headers={"If-Match": tag}).status_code == 412
        )
        replaced = admin.put(path, json=EVENT)
        assert replaced.json()["place"] is None


def test_it_is_used_as_the_guide_says(server: LiveServer) -> None:
    [_, ask] = [block.code for block in blocks(GUIDE.read_text()) if block.language == "sh"]
    environment = os.environ | {"URL": server.url, "TOKEN": server.admin_token}
    command = ["bash", "-euc", ask.replace("curl -s", "curl -si")]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    head, body = done.stdout.lower().split("\n\n")
    assert " 201 " in head
    assert "\nlocation: /api/v1/events/" in head
    assert "\netag: " in head
    assert '"title":"meeting"' in body


def test_it_has_what_every_resource_has(server: LiveServer) -> None:
    with server.admin as admin:
        ids = [admin.post("/api/v1/events", json=EVENT).json()["id"] for _ in range(3)]
        refused = admin.post("/api/v1/events", json={"title": "", "id": 1, "colour": "red"})
        assert refused.json()["code"] == "validation"
        codes = {fault["field"]: fault["code"] for fault in refused.json()["errors"]}
        assert codes == {
            "title": "too_short",
            "starts_at": "required",
            "id": "read_only",
            "colour": "unknown",
        }

        page = server.client.get("/api/v1/events?limit=2&starts_after=2029-01-01T00:00:00Z").json()
        assert len(page["items"]) == 2
        rest = server.client.get(
            "/api/v1/events",
            params={"limit": 2, "starts_after": "2029-01-01T00:00:00Z", "cursor": page["next"]},
        ).json()
        seen = [item["id"] for item in page["items"] + rest["items"]]
        assert len(seen) == len(set(seen))
        assert set(seen) & set(ids)

        deleted = admin.delete(f"/api/v1/events/{ids[0]}")
        assert deleted.status_code == 204
        assert server.client.get(f"/api/v1/events/{ids[0]}").status_code == 404
        undo = deleted.headers["Link"].split(">")[0].removeprefix("<")
        assert admin.post(undo).status_code == 200
        assert server.client.get(f"/api/v1/events/{ids[0]}").json()["version"] == 3


def test_nobody_else_may_change_it(server: LiveServer) -> None:
    with server.admin as admin:
        path = admin.post("/api/v1/events", json=EVENT).headers["Location"]
    assert server.client.post("/api/v1/events", json=EVENT).status_code == 401
    assert server.client.delete(path).status_code == 401
    assert server.client.get(path).status_code == 200


def test_both_specifications_describe_it(server: LiveServer) -> None:
    for name in ("swagger.json", "openapi.json"):
        paths = server.client.get(f"/api/v1/{name}").json()["paths"]
        assert set(paths["/v1/events"]) >= {"get", "post"}
        assert set(paths["/v1/events/{id}"]) >= {"get", "put", "patch", "delete"}
        assert paths["/v1/events"]["post"]["operationId"] == "createEvent"


def test_it_is_about_eighty_lines() -> None:
    code = [line for _, text in NEW_FILE.findall(GUIDE.read_text()) for line in text.splitlines()]
    assert len([line for line in code if line.strip()]) < 120
