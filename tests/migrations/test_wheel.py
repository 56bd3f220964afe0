"""The wheel: it has what the repository has, and serves from an empty database without it.

With it an extension's wheel, so that one package finds the other as authors' packages do.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from services import schema
from tests.contract.sources import ROOT, files
from tests.servers import ADMIN_PASSWORD, live_server

ROOMS = ("api/", "models/", "services/", "migrations/", "signpost/")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheels of this project and of an extension, just built."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    for source in (ROOT, ROOT / "extensions/calculator"):
        subprocess.run(build, cwd=source, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that they were installed into, without their dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["-qq", "--no-index", "--no-deps", "--no-compile", "--target", str(folder)]
    packages = map(str, wheels.glob("*.whl"))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *packages], check=True)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python that knows nothing of this repository, which is installed where we run."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, symlinks=True)
    return str(folder / Path(sys.executable).relative_to(sys.prefix))


class TestContents:
    def test_are_those_of_the_repository(self, wheels: Path) -> None:
        # given
        wheel = next(wheels.glob("signpost_backend-*.whl"))
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
        others = entry_points(group="signpost.extensions").names - {"calculator"}
        settings = {"PYTHONPATH": path, "EXTENSIONS_DISABLED": ",".join(sorted(others))}
        # when
        with live_server(empty_url, tmp_path, python, **settings) as server:
            answers = {
                path: server.client.get(path)
                for path in ("/readyz", "/docs", "/manual/clients.md", "/api/v1/openapi.json")
            }
            weak = {"username": "ada", "email": "ada@example.org", "password": "password1234"}
            refused = server.client.post("/api/v1/users", json=weak)
            token = server.token("admin", ADMIN_PASSWORD)
            sum_ = server.client.get("/api/calculator/sum?number1=13&number2=28")
        # then
        assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
            answers, 200
        )
        assert refused.json()["code"] == "validation"  # it has the list of common passwords
        assert token
        assert sum_.json()["total_sum"] == 41.0
        assert schema.head() in server.log
        assert str(ROOT) not in server.log
