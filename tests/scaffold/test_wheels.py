"""Signpost and a new extension from wheels alone, in an environment without this repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.scaffold.writing import extension
from tests.servers import ROOT, live_server

RESOURCE = "person: first_name:str! family_name:str!"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that both wheels were installed into."""
    folder = tmp_path_factory.mktemp("wheels")
    package, target = folder / "package", folder / "installed"
    made = extension("new", "people", "--resource", RESOURCE, "--folder", package)
    assert made.exit_code == 0, made.output
    for source in (ROOT, package):
        build = ["hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
        _run(source, *build)
    wheels = [str(path) for path in (folder / "dist").glob("*.whl")]
    assert len(wheels) == 2
    options = ["-qq", "--no-index", "--no-deps", "--no-compile", "--target", str(target)]
    _run(folder, "pip", "install", *options, *wheels)
    return target


def _run(folder: Path, *command: str) -> None:
    subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True, capture_output=True)


def test_serve(installed: Path, make_database: MakeDatabase, tmp_path: Path) -> None:
    # given
    venv.create(tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv" / Path(sys.executable).relative_to(sys.prefix))
    # What both depend on; no .pth file is read there, so nothing of this repository is found.
    path = f"{installed}:{sysconfig.get_path('purelib')}"
    settings = {"PYTHONPATH": path, "EXTENSIONS_DISABLED": "", "WORKERS": 1}
    # when
    with live_server(make_database("wheels"), tmp_path / "data", python, **settings) as server:
        found = server.client.get("/api/v1/extensions").json()["items"]
        with server.admin as admin:
            given = {"first_name": "Ada", "family_name": "Byron"}
            made = admin.post("/api/people/persons", json=given)
        listed = server.client.get("/api/people/persons?fields=first_name").json()["items"]
    # then
    [people] = [each for each in found if each["name"] == "people"]
    assert (people["state"], people["package"]) == ("loaded", "signpost-people")
    assert made.status_code == 201, made.text
    assert listed == [{"first_name": "Ada"}]
