"""The programs beside this file: how each is built on the generated client of its language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.clients.generator import JAR
from tests.servers import ROOT

HERE = Path(__file__).parent
MODULES = ROOT / "node_modules"
#: Seconds that a program may take to build, and to run.
PATIENCE = 120
#: Language → what has to be there; where ``CI`` is set, it is a failure if it is not.
REQUIRED = {"python": (), "typescript": ("node",), "types": ("node",), "java": ("java", "javac")}
#: Language → what may be missing; then the client is made, but not run.
OPTIONAL = {"php": ("php",), "ruby": ("ruby",)}
#: Language → a program that fails without the libraries that its client stands on.
_LIBRARIES = {
    "php": ("php", "-r", "exit((int) !@include 'GuzzleHttp/autoload.php');"),
    "ruby": ("ruby", "-rtyphoeus", "-e", "exit"),
}
_TSC = ("node", str(MODULES / "typescript" / "bin" / "tsc"), "--strict", "--target", "es2022")


def lacks(language: str) -> str:
    """Return why the programs of a language cannot be run here, or nothing."""
    for name in {**REQUIRED, **OPTIONAL}[language]:
        if not shutil.which(name):
            return f"{name} is not installed"
    check = _LIBRARIES.get(language)
    if check and subprocess.run(check, check=False, capture_output=True).returncode:
        return f"{' '.join(check)} fails: a library is not installed"
    return ""


def run(command: Iterable[object], folder: Path, **environment: str) -> str:
    """Run a program in ``folder`` and return what it printed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=kept | {"LANG": "C.UTF-8"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def python(client: Path, folder: Path, *arguments: str, program: Path | None = None) -> str:
    """Run use_python.py, or another program."""
    command = [sys.executable, "-W", "error", program or HERE / "use_python.py", *arguments]
    return run(command, folder, PYTHONPATH=str(client), PYTHONIOENCODING="utf-8")


def typescript(client: Path, folder: Path, *arguments: str, program: Path | None = None) -> str:
    """Check the types of use_typescript.ts, or another program, and the client; run both."""
    (folder / "client").symlink_to(client)
    return _node(folder, program or HERE / "use_typescript.ts", *arguments)


def types(description: Path, folder: Path, *arguments: str, program: Path | None = None) -> str:
    """Have openapi-typescript make types; check use_types.ts, or another program, and run it."""
    maker = MODULES / "openapi-typescript" / "bin" / "cli.js"
    run(["node", maker, description, "--output", folder / "signpost.d.ts"], folder)
    return _node(folder, program or HERE / "use_types.ts", *arguments)


def java(client: Path, folder: Path, *arguments: str) -> str:
    """Compile and run UseJava.java, with what the generator itself is made of as libraries."""
    sources = [*(client / "src" / "main").rglob("*.java"), *(HERE / "java").rglob("*.java")]
    (folder / "sources").write_text("\n".join(map(str, [*sources, HERE / "UseJava.java"])))
    options = ["-encoding", "UTF-8", "-proc:none", "-nowarn", "-cp", JAR, "-d", folder / "classes"]
    run(["javac", *options, "@sources"], folder)
    encodings = [f"-D{name}.encoding=UTF-8" for name in ("file", "stdout")]
    path = f"{folder / 'classes'}{os.pathsep}{JAR}"
    return run(["java", *encodings, "-cp", path, "UseJava", *arguments], folder)


def php(client: Path, folder: Path, *arguments: str) -> str:
    """Run use_php.php; the libraries are those of the system."""
    (folder / "client").symlink_to(client)
    shutil.copy(HERE / "use_php.php", folder)
    strict = ["-d", "display_errors=1", "-d", "error_reporting=-1"]
    return run(["php", *strict, "use_php.php", *arguments], folder)


def ruby(client: Path, folder: Path, *arguments: str) -> str:
    """Run use_ruby.rb; the libraries are those of the system."""
    return run(["ruby", "-I", client / "lib", HERE / "use_ruby.rb", *arguments], folder)


def _node(folder: Path, program: Path, *arguments: str) -> str:
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(program, folder / "program.ts")
    libraries = ["--lib", "es2022,dom,dom.iterable", "--module", "nodenext"]
    run([*_TSC, *libraries, "--outDir", "built", "program.ts"], folder)
    return run(["node", "built/program.js", *arguments], folder)
