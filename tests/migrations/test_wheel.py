"""The wheel: it has what the repository has, and serves from an empty database without it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from services import schema
from tests.contract.sources import ROOT, files
from tests.servers import ADMIN_PASSWORD, live_server

ROOMS = ("api/", "models/", "services/", "migrations/", "signpost/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this project, just built."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that it was installed into, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["-qq", "--no-index", "--no-deps", "--no-compile", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python that knows nothing of this repository, which is installed where we run."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, symlinks=True)
    return str(folder / Path(sys.executable).relative_to(sys.prefix))


class TestContents:
    def test_are_those_of_the_repository(self, wheel: Path) -> None:
        # given
        modules = {name for name in files("*.py") if "/" not in name}
        rooms = {name for name in files() if name.startswith(ROOMS)}
        manual = {f"api/manual/{name.removeprefix('docs/')}" for name in files("docs/**")}
        # when
        names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        # then
        assert names == modules | rooms | manual


class TestServing:
    def test_from_an_empty_database_in_another_folder(
        self, installed: Path, python: str, empty_url: str, tmp_path: Path
    ) -> None:
        # given
        path = f"{installed}:{sysconfig.get_path('purelib')}"  # of which no .pth file is read
        # when
        with live_server(empty_url, tmp_path, python, PYTHONPATH=path) as server:
            answers = {
                path: server.client.get(path)
                for path in ("/readyz", "/docs", "/manual/clients.md", "/api/v1/openapi.json")
            }
            weak = {"username": "ada", "email": "ada@example.org", "password": "password1234"}
            refused = server.client.post("/api/v1/users", json=weak)
            token = server.token("admin", ADMIN_PASSWORD)
        # then
        assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
            answers, 200
        )
        assert refused.json()["code"] == "validation"  # it has the list of common passwords
        assert token
        assert schema.head() in server.log
        assert str(ROOT) not in server.log
