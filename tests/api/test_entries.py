"""Commands that are imported when they are needed: found, told of, run, and failing alone."""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api import entries
from api.loading import COMMANDS, Extension
from tests.packages import install

CODE = """
    import click

    @click.command()
    @click.argument("who")
    def greet(who: str) -> None:
        \"\"\"Greet WHO.\"\"\"
        click.echo(f"Hello {who}.")

    nothing = None
"""
NAMED = {"people.greet": "greet", "people.nothing": "nothing", "people.gone": "gone"}


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> click.Group:
    """Return the commands that a package names for ``people``."""
    points = {COMMANDS: NAMED | {"others.greet": "greet"}}
    install(tmp_path, "signpost-met", CODE, points)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    made = click.Group("people")
    named = tuple(metadata.distribution("signpost-met").entry_points.select(group=COMMANDS))
    for command in entries.of(Extension("people", "signpost-met", "1.2", commands=named)):
        made.add_command(command)
    return made


def test_those_of_an_extension_are_found(group: click.Group) -> None:
    assert set(group.commands) == {"greet", "nothing", "gone"}


def test_one_is_run(group: click.Group) -> None:
    # when
    run = CliRunner().invoke(group, ["greet", "Ada"])
    # then
    assert (run.exit_code, run.output) == (0, "Hello Ada.\n")


def test_help_tells_what_each_does(group: click.Group) -> None:
    # when
    run = CliRunner().invoke(group, ["--help"])
    # then
    assert run.exit_code == 0
    assert "Greet WHO." in run.output
    assert "signpost_met:nothing is no command" in run.output


@pytest.mark.parametrize("name", ["nothing", "gone"])
def test_one_that_is_none_fails_alone(group: click.Group, name: str) -> None:
    # when
    run = CliRunner().invoke(group, [name])
    # then
    assert run.exit_code == 1
    assert run.output.startswith("Error: ")
