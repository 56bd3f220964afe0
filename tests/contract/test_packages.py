"""The packages in ``extensions/``: what each declares, imports and pins."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions, version
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.contract.sources import ROOT, files, imports, text
from tests.contract.test_floors import FLOORS, pinned

PACKAGES = tuple(PurePath(name).parts[1] for name in files("extensions/*/pyproject.toml"))
#: What authors may import of ours, and libraries that are part of what ``signpost`` offers.
PUBLIC = {"signpost", "alembic", "click", "flask", "flask_restx", "sqlalchemy"}
FROZEN = "migrations.columns."
LOCKS = files("extensions/*/requirements.txt")
#: What comes with Signpost, so that nobody has to pin it twice.
OURS = {
    Requirement(each).name
    for each in tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]
}


def project(package: str) -> dict[str, Any]:
    """Return what a package says of itself."""
    read: dict[str, Any] = tomllib.loads(text(f"extensions/{package}/pyproject.toml"))["project"]
    return read


def needed(package: str) -> dict[str, Requirement]:
    """Return what a package depends on, by canonical name."""
    found = [Requirement(each) for each in project(package)["dependencies"]]
    return {canonicalize_name(each.name): each for each in found}


@pytest.mark.parametrize("package", PACKAGES)
class TestPackage:
    def test_is_named_as_its_folder(self, package: str) -> None:
        # when
        points = project(package)["entry-points"]["signpost.extensions"]
        # then
        assert canonicalize_name(project(package)["name"]) == canonicalize_name(
            f"signpost-{package}"
        )
        assert points[package].startswith(f"signpost_{package}")
        assert (ROOT / f"extensions/{package}/README.md").is_file()

    def test_imports_what_is_public_and_what_it_declares(self, package: str) -> None:
        # given
        own = f"signpost_{package}"
        origins, declared = packages_distributions(), set(needed(package))
        # when
        foreign = {
            (name, module)
            for name in files(f"extensions/{package}/{own}/**.py")
            for module in imports(name)
            if (top := module.split(".")[0]) not in {own} | PUBLIC | sys.stdlib_module_names
            and not module.startswith(FROZEN)
            and not declared & {canonicalize_name(each) for each in origins.get(top, ())}
        }
        # then
        assert "signpost-backend" in declared
        assert foreign == set()

    def test_pins_what_signpost_does_not_bring(self, package: str) -> None:
        # given
        beyond = {name for name in needed(package) if not name.startswith("signpost-")} - OURS
        lock = f"extensions/{package}/requirements.txt"
        # then
        assert (lock in LOCKS) == bool(beyond)
        assert not beyond or beyond <= set(pinned(lock))

    def test_is_installed_where_tests_run(self, package: str) -> None:
        assert package in entry_points(group="signpost.extensions").names
        assert find_spec(f"signpost_{package}")


@pytest.mark.parametrize("lock", LOCKS)
class TestLock:
    def test_is_at_or_above_every_floor(self, lock: str) -> None:
        # when
        below = {
            name
            for name, each in pinned(lock).items()
            if name in FLOORS and not Version(str(each.specifier)[2:]) >= FLOORS[name]
        }
        # then
        assert below == set()

    def test_differs_from_no_other_lock(self, lock: str) -> None:
        # given
        others = pinned("requirements-dev.txt")
        # when
        different = {
            name: (str(each), str(others[name]))
            for name, each in pinned(lock).items()
            if name in others and others[name].specifier != each.specifier
        }
        # then
        assert different == {}

    def test_is_what_is_installed(self, lock: str) -> None:
        # given
        lines = [line for line in text(lock).splitlines() if line[:1].isalnum()]
        wanted = [Requirement(line.rstrip(" \\")) for line in lines]
        # when
        different = {
            str(each): version(each.name)
            for each in wanted
            if (each.marker is None or each.marker.evaluate())
            and version(each.name) not in each.specifier
        }
        # then
        assert different == {}, "run make test again"

    def test_has_hashes_and_names_no_index(self, lock: str) -> None:
        # when
        lines = [line for line in text(lock).splitlines() if line[:1].isalnum()]
        # then
        assert lines
        assert [line for line in lines if not line.endswith("\\")] == []
        assert [line for line in text(lock).splitlines() if line.startswith("--")] == []
