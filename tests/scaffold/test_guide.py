"""docs/extending.md, followed to the letter by somebody new; and what it says is public."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import signpost
from tests.conftest import MakeDatabase
from tests.contract.examples import matches
from tests.environments import Environment, environment
from tests.packages import install
from tests.scaffold import guide
from tests.scaffold.writing import written
from tests.servers import ROOT, free_port, live_server

TEXT = guide.GUIDE.read_text(encoding="utf-8")
#: Packages of ours below ``signpost`` that authors do not import.
OWN = {"scaffold"}


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment whose Python makes the author's."""
    return environment(tmp_path_factory.mktemp("author"))


class TestSteps:
    def test_lead_from_nothing_to_a_package(
        self, author: Environment, make_database: MakeDatabase, backend: str, tmp_path: Path
    ) -> None:
        # given
        steps = guide.steps(TEXT)
        settings = {"DATABASE_URL": make_database("guide"), "DATA_DIR": str(tmp_path / "data")}
        settings |= {"PORT": str(free_port()), "WORKERS": "1"}
        settings["PYTEST_ADDOPTS"] = f"--database={backend}"
        if backend == "postgresql":
            settings["TEST_DATABASE_URL"] = make_database("for_guide")
        # when
        printed = guide.follow(steps, author, tmp_path, **settings)
        # then
        for step, output in zip(steps, printed, strict=False):
            if step.output is not None:
                assert matches(step.output, output), f"line {step.line}: {output}"
        files = written(tmp_path / "signpost-people" / "signpost_people")
        assert [name for name in files if name.startswith("migrations/")] == [
            "migrations/0001_persons.py",
            "migrations/0002_nicknames.py",
        ]
        assert "Hello Ada." in printed[len(steps) - 1]
        form = guide.page(TEXT).replace(":8000", f":{settings['PORT']}")
        assert (tmp_path / "people.html").read_text() == form


class TestTour:
    """The blocks of Python are an extension that does what the page says."""

    @pytest.fixture(scope="class")
    @classmethod
    def installed(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return a folder in which it is installed."""
        folder = tmp_path_factory.mktemp("tour")
        points = {"tour": "create", "functions": "functions"}
        install(folder, "signpost-tour", guide.modules(TEXT), {"signpost.extensions": points})
        return folder

    def test_does_what_is_said(
        self, author: Environment, installed: Path, make_database: MakeDatabase, tmp_path: Path
    ) -> None:
        # given
        settings = {"PYTHONPATH": installed, "TOUR_MOST": 3, "EXTENSIONS_DISABLED": ""}
        # when
        with live_server(make_database("tour"), tmp_path, author.python, **settings) as server:
            listed = server.client.get("/api/tour/steps/small?count=2")
            token = {"Authorization": f"Token {server.admin_token}"}
            taken = server.client.post("/api/tour/steps/on", headers=token)
            late = server.client.post("/api/tour/steps/back", headers=token)
            anonymous = server.client.post("/api/tour/steps/on")
            far = server.client.get("/api/tour/steps/small?count=4")
            nowhere = server.client.get("/api/tour/nowhere")
            hello = server.client.get("/api/functions/hello/Ada")
            with server.admin as admin:
                admin.post("/api/v1/posts", json={"title": "News", "body": "Some."})
        # then
        assert listed.json() == {"steps": ["small 0", "small 1"]}
        assert (taken.status_code, taken.json()) == (201, {"by": 1})
        assert (late.status_code, late.json()) == (409, {"error": "Too late."})
        assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
        assert (far.status_code, far.json()["error"]) == (400, "That is too far.")
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not-found")
        assert hello.json() == {"hello": "Ada"}
        assert '"event":"told"' in server.log

    def test_has_a_command_and_settings(
        self, author: Environment, installed: Path, make_database: MakeDatabase
    ) -> None:
        # given
        url = make_database("walk")
        settings = {"PYTHONPATH": str(installed), "DATABASE_URL": url}
        # when
        walk = author.run("flask", "tour", "walk", "3", cwd=installed, settings=settings)
        table = author.run("flask", "settings", "table", cwd=installed, settings=settings)
        wrong = author.run(
            "flask", "settings", "table", cwd=installed, settings=settings | {"TOUR_MOST": "0"}
        )
        # then
        assert "0 1 2\n" in walk.stdout
        assert "TOUR_MOST" in table.stdout
        assert wrong.returncode != 0
        assert "TOUR_MOST" in wrong.stdout


def _public() -> dict[str, list[str]]:
    names = [each.name for each in pkgutil.iter_modules(signpost.__path__)]
    modules = ["signpost", *(f"signpost.{name}" for name in names if name not in OWN)]
    return {name: importlib.import_module(name).__all__ for name in modules}


class TestCode:
    @pytest.mark.parametrize(
        "command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join
    )
    def test_is_what_we_would_commit(self, tmp_path: Path, command: list[str]) -> None:
        # given
        file = tmp_path / "signpost_tour.py"
        file.write_text(guide.modules(TEXT))
        config = "--config-file" if command == ["mypy"] else "--config"
        # when
        run = subprocess.run(
            [sys.executable, "-m", *command, config, "pyproject.toml", str(file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        # then
        assert run.returncode == 0, run.stdout + run.stderr


class TestPublic:
    @pytest.mark.parametrize("module", _public())
    def test_every_name_is_listed(self, module: str) -> None:
        # given
        section = TEXT.partition("\n## What is public\n")[2]
        listed = re.search(
            rf"`from {re.escape(module)} import \.\.\.`[^\n]*\n\n(.*?)(?:\n\n|\Z)", section, re.S
        )
        assert listed, module
        # when
        cells = [row.split("|")[1] for row in listed[1].splitlines()[2:]]
        names = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
        # then
        assert sorted(names) == sorted(_public()[module])
