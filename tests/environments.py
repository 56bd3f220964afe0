"""Virtual environments for packages of a test's own: they see what is installed where tests run."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: pip builds with what is there, and asks no network; "0" is how pip spells "no isolation".
PIP = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_COMPILE": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_QUIET": "1",
}
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TEST_DATABASE_URL")


@dataclass(frozen=True)
class Environment:
    """One environment; ``data`` is the DATA_DIR of what runs in it."""

    folder: Path
    data: Path

    @property
    def python(self) -> str:
        """What runs Python in it."""
        return str(self.folder / Path(sys.executable).relative_to(sys.prefix))

    def variables(self, **settings: str) -> dict[str, str]:
        """Return the variables of a shell in which it is active."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"FLASK_APP": "wsgi", "DATA_DIR": str(self.data)}
        path = f"{Path(self.python).parent}{os.pathsep}{kept.get('PATH', '')}"
        return kept | PIP | own | {"PATH": path} | settings

    def run(
        self, *command: str | Path, cwd: Path, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m`` something, and return how that went, with all that it printed."""
        return subprocess.run(
            [self.python, "-m", *map(str, command)],
            cwd=cwd,
            env=self.variables(**settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def install(self, *packages: Path) -> None:
        """Install folders, editable."""
        options = [part for package in packages for part in ("-e", str(package))]
        done = self.run("pip", "install", *options, cwd=self.folder)
        assert done.returncode == 0, done.stdout


def environment(folder: Path) -> Environment:
    """Make an environment that has all that is installed here, and room for more."""
    made = Environment(folder / "venv", folder / "data")
    venv.create(made.folder, symlinks=True)
    here, there = sysconfig.get_path("purelib"), made.folder.glob("lib*/python*/site-packages")
    code = f"import site; site.addsitedir({here!r})"  # reads the .pth files there, too
    next(there).joinpath("present.pth").write_text(code)
    return made
