#!/usr/bin/env python3
"""Install this project and folders of ``extensions/``, editable; remove what is no longer named.

``python -m scripts.extensions calculator frames``, or ``all``, or ``none``; unnamed: all but
``frames``. Nothing is done as long as a folder is older than its stamp, so make asks each time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Distributions by folder; a file's age says since when.
STAMPS = Path(sys.prefix) / ".extensions"
#: Not a name that an extension can have.
PROJECT = "signpost-backend"
#: Its libraries take 300 MB of disk.
UNASKED = {"frames"}


def main(words: list[str]) -> None:
    """Install what is named.

    Raises:
        SystemExit: there is no such extension, or pip failed; said on stderr.
    """
    chosen = _chosen(words)
    STAMPS.mkdir(exist_ok=True)
    gone = [stamp for stamp in STAMPS.iterdir() if stamp.name not in {PROJECT, *chosen}]
    if gone:
        print(f"Removing {_names(gone)} ...")
        _pip("uninstall", "--yes", *(stamp.read_text() for stamp in gone))
        for stamp in gone:
            stamp.unlink()
    if _is_due(ROOT, PROJECT):
        _install({PROJECT: ROOT})
    due = {name: folder for name, folder in chosen.items() if _is_due(folder, name)}
    if due:
        print(f"Installing {_names(due.values())} ...")
        _install(due)


def _chosen(words: list[str]) -> dict[str, Path]:
    """Return folders by name."""
    there = {path.parent.name: path.parent for path in ROOT.glob("extensions/*/pyproject.toml")}
    if words == ["all"]:
        return there
    if words == ["none"]:
        return {}
    if not words:
        return {name: folder for name, folder in there.items() if name not in UNASKED}
    if unknown := set(words) - set(there):
        names = ", ".join(sorted(there))
        sys.exit(f"EXTENSIONS: not in extensions/: {', '.join(sorted(unknown))}; there are {names}")
    return {name: there[name] for name in words}


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths))


def _is_due(folder: Path, name: str) -> bool:
    """Return whether a folder was never installed, or has another declaration or lock since."""
    stamp = STAMPS / name
    told = [folder / "pyproject.toml"]
    if folder != ROOT and (folder / "requirements.txt").exists():
        told.append(folder / "requirements.txt")
    return not stamp.exists() or any(path.stat().st_mtime >= stamp.stat().st_mtime for path in told)


def _install(folders: dict[str, Path]) -> None:
    for name, folder in folders.items():
        lock = folder / "requirements.txt"
        if name != PROJECT and lock.exists():
            _pip("install", "--require-hashes", "-r", str(lock))
    editable = [part for folder in folders.values() for part in ("-e", str(folder))]
    _pip("install", "--no-deps", "--no-build-isolation", *editable)
    for name, folder in folders.items():
        (STAMPS / name).write_text(_distribution(folder))


def _distribution(folder: Path) -> str:
    import tomllib  # only when something is due, like the next one

    declared = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return str(declared["project"]["name"])


def _pip(command: str, *arguments: str) -> None:
    import subprocess

    pip = [sys.executable, "-m", "pip", command, "-qq", "--disable-pip-version-check", *arguments]
    if subprocess.run(pip, check=False).returncode:  # noqa: S603 - folders of this repository
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
