"""Packages that ``flask extension`` wrote: installed, tested, checked, served and changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.environments import Environment, environment
from tests.scaffold.writing import extension
from tests.servers import ROOT, LiveServer, live_server

EVENT = (
    "event: title:str! starts_at:datetime! ends_at:datetime notes:text seats:int is_open:bool! "
    "place:str a_rather_long_name_for_a_number:int another_rather_long_name_for_a_line:str!"
)
NAMES = ("clubs", "events", "people", "plain_one")
GIVEN = {"first_name": "Ada", "family_name": "Byron"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a package in each way there is: name → folder."""
    folder = tmp_path_factory.mktemp("packages")
    made = {name: folder / name for name in ("events", "people", "plain_one")}
    people = ("--folder", made["people"])
    runs = [
        extension("new", "events", "--resource", EVENT, "--folder", made["events"]),
        extension("new", "plain_one", "--folder", made["plain_one"]),
        extension("new", "people", "--resource", "person: " + _fields(GIVEN), *people),
        extension("add", "--type", "namespace", "--id", "clubs", "--file", "of_them", *people),
        extension("add", "--type", "command", "--id", "greet", *people),
        extension("add", "--type", "hook", "--id", "tell", *people),
    ]
    assert [run.exit_code for run in runs] == [0] * len(runs), [run.output for run in runs]
    return made


@pytest.fixture(scope="module")
def installed(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment that they are installed in."""
    made = environment(tmp_path_factory.mktemp("environment"))
    made.install(*packages.values())
    return made


def _fields(given: dict[str, str]) -> str:
    return " ".join(f"{name}:str!" for name in given)


@contextmanager
def serving(installed: Environment, url: str, **settings: object) -> Iterator[LiveServer]:
    """Serve from that environment."""
    settings = {"EXTENSIONS_DISABLED": "", **settings}
    settings = {"EXTENSIONS_DISABLED": ""} | settings
    with live_server(url, installed.data, installed.python, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def server(installed: Environment, make_database: MakeDatabase) -> Iterator[LiveServer]:
    """Return a server of all that was written."""
    with serving(installed, make_database("scaffold")) as server:
        yield server


class TestCode:
    @pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
    def test_passes_ruff(self, packages: dict[str, Path], command: list[str]) -> None:
        # given
        sources = [str(ROOT), *map(str, packages.values())]
        own = (f"src = {sources}", "lint.per-file-ignores = {'**/tests/**' = ['S101']}")
        options = [f"--config={each}" for each in (ROOT / "pyproject.toml", *own)]
        # when
        run = subprocess.run(
            ["ruff", *command, "--no-cache", *options, *packages.values()],
            cwd=packages["people"].parent,  # what files are called by is seen from there
            env={"PATH": str(Path(sys.executable).parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        # then
        assert run.returncode == 0, run.stdout + run.stderr

    def test_passes_mypy(self, packages: dict[str, Path]) -> None:
        # given
        paths = [next(path.glob("signpost_*")) for path in packages.values()]
        # when
        run = subprocess.run(
            [sys.executable, "-m", "mypy", *map(str, paths)],
            cwd=ROOT,
            env={"MYPYPATH": ":".join(map(str, packages.values()))},
            capture_output=True,
            text=True,
            check=False,
        )
        # then
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["events", "people", "plain_one"])
def test_its_own_tests_pass(
    installed: Environment,
    packages: dict[str, Path],
    backend: str,
    make_database: MakeDatabase,
    name: str,
) -> None:
    # given
    is_served = backend == "postgresql"  # then theirs are beside ours
    settings = {"TEST_DATABASE_URL": make_database(f"for_{name}")} if is_served else {}
    # when
    run = installed.run(
        "pytest", "-q", "--database", backend, cwd=packages[name], settings=settings
    )
    # then
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout


class TestServing:
    def test_lists_each(self, server: LiveServer) -> None:
        # when
        found = server.client.get("/api/v1/extensions").json()["items"]
        # then
        states = {each["name"]: each["state"] for each in found if each["name"] in NAMES}
        assert states == dict.fromkeys(NAMES, "loaded")
        packages = {each["name"]: each["package"] for each in found}
        assert packages["clubs"] == packages["people"] == "signpost-people"
        assert packages["plain_one"] == "signpost-plain-one"

    def test_greets(self, server: LiveServer) -> None:
        for name in ("plain_one", "clubs"):
            answer = server.client.get(f"/api/{name}/greeting")
            assert answer.json() == {"message": f"Hello from {name}"}

    def test_keeps_what_is_written(self, server: LiveServer) -> None:
        with server.admin as admin:
            # when
            made = admin.post("/api/people/persons", json=GIVEN)
            # then
            assert made.status_code == 201, made.text
            path = made.headers["Location"]
            assert path.startswith("/api/people/persons/")
            assert admin.delete(path).status_code == 204
            trash = admin.get("/api/v1/trash").json()["items"]
        assert ("persons", "Ada") in {(each["type"], each["title"]) for each in trash}
        assert server.client.post("/api/people/persons", json=GIVEN).status_code == 401

    def test_tells_the_hook(self, server: LiveServer) -> None:
        # when
        with server.admin as admin:
            made = admin.post("/api/people/persons", json=GIVEN).json()
        # then
        told = [line for line in server.log.splitlines() if '"event":"tell"' in line]
        assert any('"type":"persons"' in line and f'"id":{made["id"]}' in line for line in told)

    @pytest.mark.parametrize("spec", ["swagger.json", "openapi.json"])
    def test_describes_each_in_a_group_of_its_own(self, server: LiveServer, spec: str) -> None:
        # when
        told = server.client.get(f"/api/v1/{spec}").json()
        # then
        groups = {"Clubs", "Events", "People", "Plain one"}
        assert groups <= {tag["name"] for tag in told["tags"]}
        assert told["paths"]["/people/persons"]["post"]["operationId"] == "createPerson"
        assert told["paths"]["/people/persons"]["post"]["tags"] == ["People"]
        assert {"get", "put", "patch", "delete"} <= set(told["paths"]["/events/events/{id}"])

    def test_leaves_out_what_is_disabled(
        self, installed: Environment, make_database: MakeDatabase
    ) -> None:
        # given
        paths = ("people/persons", "clubs/greeting", "events/events")
        # when
        with serving(installed, make_database("less"), EXTENSIONS_DISABLED="people") as server:
            answers = [_status(server, path) for path in paths]
            with server.admin as admin:
                admin.post("/api/v1/posts", json={"title": "News", "body": "Some."})
        # then
        assert answers == [404, 200, 200]
        assert '"event":"tell"' not in server.log.rpartition("Signpost serves")[2]


def _status(server: LiveServer, path: str) -> int:
    answer: httpx.Response = server.client.get(f"/api/{path}")
    return answer.status_code


class TestCommands:
    def test_that_was_added(self, installed: Environment, make_database: MakeDatabase) -> None:
        # given
        settings = {"DATABASE_URL": make_database("greeting")}
        # when
        run = installed.run(
            "flask", "people", "greet", "Ada", cwd=installed.folder, settings=settings
        )
        # then
        assert run.returncode == 0, run.stdout
        assert "Hello Ada.\n" in run.stdout


class TestMigrate:
    def test_writes_what_the_models_have_more(
        self, installed: Environment, packages: dict[str, Path], make_database: MakeDatabase
    ) -> None:
        # given
        settings = {"DATABASE_URL": make_database("changing")}
        module = packages["people"] / "signpost_people"
        code = (module / "models.py").read_text()

        def migrate(name: str) -> tuple[int, str]:
            options = ("extension", "migrate", name, "-m", "Nicknames")
            run = installed.run("flask", *options, cwd=installed.folder, settings=settings)
            return run.returncode, run.stdout

        try:
            # when, then
            assert migrate("events") == (0, "Nothing has changed.\n")
            (module / "models.py").write_text(
                code.replace(
                    "    family_name:", "    nickname: Mapped[str | None]\n    family_name:"
                )
            )
            status, said = migrate("people")
            assert status == 0, said
            [step] = module.glob("migrations/0002_*.py")
            assert "op.add_column" in step.read_text()
            assert migrate("people") == (0, "Nothing has changed.\n")
        finally:
            (module / "models.py").write_text(code)
            for step in module.glob("migrations/0002_*.py"):
                step.unlink()
