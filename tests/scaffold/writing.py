"""``flask extension`` as tests call it: the command's own code, below an app without anything."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from signpost.scaffold.commands import group


def extension(*arguments: str | Path, answers: str | None = None) -> Result:
    """Run ``flask extension ...``.

    Args:
        answers: lines that somebody types.
    """
    info = ScriptInfo(create_app=lambda: Flask("nothing"), set_debug_flag=False)
    return CliRunner().invoke(group, list(map(str, arguments)), obj=info, input=answers)


def written(folder: Path) -> dict[str, str]:
    """Return all files below a folder: path → text; not those that Python compiles."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    files = (path for path in found if path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}
