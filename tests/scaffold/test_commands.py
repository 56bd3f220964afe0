"""``flask extension new`` and ``add``: what they write, ask and refuse; nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from signpost.scaffold import commands
from tests.scaffold.writing import extension, written
from tests.servers import ROOT

PERSON = "person: first_name:str! family_name:str!"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the folder of a new package."""
    folder = tmp_path / "signpost-people"
    assert extension("new", "people", "--folder", folder).exit_code == 0
    return folder


class TestNew:
    def test_with_a_greeting(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.chdir(tmp_path)
        # when
        run = extension("new", "hi_there")
        # then
        assert run.exit_code == 0, run.output
        assert set(written(tmp_path / "signpost-hi-there")) == {
            ".gitignore",
            "README.md",
            "pyproject.toml",
            "signpost_hi_there/__init__.py",
            "signpost_hi_there/endpoints.py",
            "signpost_hi_there/py.typed",
            "tests/test_hi_there.py",
        }

    def test_with_a_resource(self, tmp_path: Path) -> None:
        # when
        run = extension("new", "people", "--resource", PERSON, "--folder", tmp_path / "new")
        # then
        assert run.exit_code == 0, run.output
        files = written(tmp_path / "new")
        assert {name for name in files if name.startswith("signpost_people/")} == {
            "signpost_people/__init__.py",
            "signpost_people/endpoints.py",
            "signpost_people/migrations/0001_persons.py",
            "signpost_people/models.py",
            "signpost_people/py.typed",
            "signpost_people/services.py",
        }
        rooms = ("models", "services", "endpoints")
        code = "\n".join(files[f"signpost_people/{room}.py"] for room in rooms)
        assert len([line for line in code.splitlines() if line.strip()]) < 120
        project = tomllib.loads(files["pyproject.toml"])["project"]
        assert project["name"] == "signpost-people"
        assert project["entry-points"] == {
            "signpost.extensions": {"people": "signpost_people:create"}
        }

    def test_asks_in_a_terminal(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(commands, "is_terminal", lambda: True)
        # when
        run = extension("new", answers=f"people\n{PERSON}\n")
        # then
        assert run.exit_code == 0, run.output
        assert (tmp_path / "signpost-people/signpost_people/models.py").exists()

    def test_needs_a_name_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.chdir(tmp_path)
        # when
        run = extension("new")
        # then
        assert run.exit_code == 2
        assert written(tmp_path) == {}

    @pytest.mark.parametrize("name", ["v2", "People", "calculator", "a-b"])
    def test_refuses_a_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        # given
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("api.loading.names", lambda: frozenset({"calculator"}))
        # when
        run = extension("new", name)
        # then
        assert run.exit_code == 1
        assert written(tmp_path) == {}

    @pytest.mark.parametrize("noun", ["post", "user", "tag", "author", "comment"])
    def test_refuses_a_resource_that_the_core_has(self, tmp_path: Path, noun: str) -> None:
        # when
        run = extension("new", "x", "--resource", f"{noun}: a:str", "--folder", tmp_path / "x")
        # then
        assert run.exit_code == 1
        assert written(tmp_path) == {}

    def test_does_not_touch_a_folder_that_is_there(self, package: Path) -> None:
        # given
        before = written(package)
        # when
        run = extension("new", "others", "--folder", package)
        # then
        assert run.exit_code == 1
        assert written(package) == before


class TestAdd:
    @pytest.mark.parametrize(
        ("kind", "point", "files"),
        [
            ("command", ("signpost.commands", "people.greet"), {"greet.py"}),
            ("hook", ("signpost.hooks", "people.greet"), {"greet.py"}),
            (
                "namespace",
                ("signpost.extensions", "greet"),
                {"greet/__init__.py", "greet/endpoints.py", "greet/py.typed"},
            ),
        ],
    )
    def test_writes_entry_point_file_and_test(
        self, package: Path, kind: str, point: tuple[str, str], files: set[str]
    ) -> None:
        # given
        before = written(package)
        # when
        run = extension("add", "--folder", package, "--type", kind, "--id", "greet")
        # then
        assert run.exit_code == 0, run.output
        after = written(package)
        new = {f"signpost_people/{name}" for name in files} | {"tests/test_greet.py"}
        assert after["README.md"].startswith(before["README.md"])
        assert "greet" in after["README.md"]
        assert set(after) - set(before) == new
        group, key = point
        assert key in tomllib.loads(after["pyproject.toml"])["project"]["entry-points"][group]
        same = set(before) - {"pyproject.toml", "README.md"}
        assert {name: after[name] for name in same} == {name: before[name] for name in same}

    def test_keeps_the_rest_of_the_project_as_it_is_written(self, package: Path) -> None:
        # given
        path = package / "pyproject.toml"
        path.write_text(path.read_text().replace("[project]", "# Ours.\n[project]  # the package"))
        before = path.read_text().splitlines()
        # when
        extension("add", "--folder", package, "--type", "hook", "--id", "tell")
        # then
        after = path.read_text().splitlines()
        new = [
            '[project.entry-points."signpost.hooks"]',
            '"people.tell" = "signpost_people.tell:tell"',
        ]
        assert [line for line in after if line not in before] == new
        assert [line for line in after if line and line not in new] == [x for x in before if x]

    def test_asks_in_a_terminal(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.setattr(commands, "is_terminal", lambda: True)
        # when
        run = extension(
            "add", "--folder", package, answers="command\nimport_csv\nimporting.py\npeople\n"
        )
        # then
        assert run.exit_code == 0, run.output
        assert "people.import_csv" in (package / "pyproject.toml").read_text()
        assert (package / "signpost_people/importing.py").exists()

    @pytest.mark.parametrize(
        "options",
        [
            ("--type", "command", "--id", "Greet"),
            ("--type", "command", "--id", "greet", "--file", "endpoints"),
            ("--type", "command", "--id", "greet", "--file", "../greet"),
            ("--type", "command", "--id", "greet", "--namespace", "others"),
            ("--type", "hook", "--id", "v1"),
            ("--type", "namespace", "--id", "people"),
        ],
    )
    def test_refuses(self, package: Path, options: tuple[str, ...]) -> None:
        # given
        before = written(package)
        # when
        run = extension("add", "--folder", package, *options)
        # then
        assert run.exit_code == 1, run.output
        assert written(package.parent) == {f"{package.name}/{key}": before[key] for key in before}

    def test_refuses_to_add_the_same_again(self, package: Path) -> None:
        # given
        options = ("add", "--folder", package, "--type", "hook", "--id", "tell")
        extension(*options)
        before = written(package)
        # when
        again = extension(*options, "--file", "other")
        # then
        assert again.exit_code == 1
        assert written(package) == before

    @pytest.mark.parametrize("text", [None, "", "[project", "[project]\nname = 'x'\n"])
    def test_needs_a_package_of_ours(self, tmp_path: Path, text: str | None) -> None:
        # given
        if text is not None:
            (tmp_path / "pyproject.toml").write_text(text)
        before = written(tmp_path)
        # when
        run = extension("add", "--folder", tmp_path, "--type", "hook", "--id", "tell")
        # then
        assert run.exit_code == 1
        assert written(tmp_path) == before


class TestCost:
    def test_a_start_does_not_import_the_scaffold(self) -> None:
        # given
        script = (
            "import sys\n"
            "from api.app import create_app\n"
            "from config import Config\n"
            "create_app(Config(SECRET_KEY='0123456789abcdef' * 3), [])\n"
            "print(sorted({'signpost', 'tomlkit', 'alembic'} & set(sys.modules)))\n"
        )
        # when
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        # then
        assert run.stdout == "[]\n"
