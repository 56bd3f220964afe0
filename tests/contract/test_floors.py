"""No package is older than its last hole that was closed; the floors are in floors.txt."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.contract.sources import text

LOCKS = ("requirements.txt", "requirements-dev.txt")
FLOORS = {
    line.split()[0]: Version(line.split()[1])
    for line in text("tests/contract/floors.txt").splitlines()
    if line and not line.startswith("#")
}


def pinned(lock: str) -> dict[str, Requirement]:
    """Return the requirements of a lock file by canonical name."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*)", text(lock), re.M)
    found = [Requirement(line.strip()) for line in lines]
    return {canonicalize_name(each.name): each for each in found}


@pytest.mark.parametrize("lock", LOCKS)
class TestLock:
    def test_is_at_or_above_every_floor(self, lock: str) -> None:
        # when
        below = {
            name: str(each.specifier)
            for name, each in pinned(lock).items()
            if name in FLOORS and not Version(str(each.specifier)[2:]) >= FLOORS[name]
        }
        # then
        assert below == {}

    def test_pins_every_package_with_hashes(self, lock: str) -> None:
        # given
        requirements = pinned(lock)
        # when
        loose = [each for each in requirements.values() if not str(each.specifier).startswith("==")]
        bare = re.findall(r"^[A-Za-z0-9][^\\\n]*$", text(lock), re.M)
        # then
        assert len(requirements) > 20
        assert (loose, bare) == ([], [])

    def test_names_no_package_index(self, lock: str) -> None:
        assert re.findall(r"--(?:extra-)?index-url|--find-links|https?://|file:", text(lock)) == []


def test_development_has_what_production_has() -> None:
    # given
    production, development = (pinned(lock) for lock in LOCKS)
    # when
    different = {
        name: (str(each), str(development.get(name)))
        for name, each in production.items()
        if name not in development or development[name].specifier != each.specifier
    }
    # then
    assert different == {}


def test_what_is_installed_is_what_is_pinned() -> None:
    # given
    different = {}
    # when
    for name, each in pinned("requirements-dev.txt").items():
        if each.marker and not each.marker.evaluate():
            continue
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "nothing"
        if installed != str(each.specifier)[2:]:
            different[name] = (str(each.specifier), installed)
    # then
    assert different == {}, f"run make test again; this is {sys.executable}"


def test_every_dependency_has_a_reason() -> None:
    # given
    declared = tomllib.loads(text("pyproject.toml"))
    project, groups = declared["project"], declared["dependency-groups"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"], *groups["build"]]
    # when
    rows = re.findall(r"^\| ([a-z][^|]*) \|", text("docs/decisions/0002-dependencies.md"), re.M)
    told = {Requirement(name).name for row in rows for name in row.split(", ")} - {"package"}
    # then
    assert told == {Requirement(each).name for each in wanted}
