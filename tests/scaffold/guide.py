"""docs/extending.md as a program: its steps in order, in a shell of an author's."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.contract.examples import MARK
from tests.environments import Environment
from tests.servers import ROOT

GUIDE = ROOT / "docs" / "extending.md"
#: What is not a step.
_REST = "\n## What else there is\n"
_FENCE = re.compile(r"^```(sh|text|diff|html|python)\n(.*?)^```$", re.M | re.S)
#: Seconds that all steps may take.
PATIENCE = 300

#: ``python -m api.serve`` goes on in the background, and ends the one before. A new environment
#: sees what is installed where tests run, in place of what the network has.
_PRELUDE = """
exec 2>&1
server=
stop() { if [ -n "$server" ]; then kill "$server"; wait "$server" || true; server=; fi; }
trap stop EXIT
serve() {
  stop
  command python -m api.serve >>serve.log &
  server=$!
  for _ in $(seq 300); do
    if curl -sf "http://127.0.0.1:$PORT/readyz" >/dev/null; then return; fi
    kill -0 "$server" || { cat serve.log; exit 1; }
    sleep 0.1
  done
  exit 1
}
flask() { python -m flask "$@"; }
python3() {
  "$BASE_PYTHON" "$@"
  cp "$PRESENT" "$(echo "$3"/lib/python*/site-packages)"
}
"""


@dataclass
class Step:
    """A block of the page, and what it prints, if the page says so."""

    code: str
    line: int
    output: str | None = None


def steps(text: str) -> list[Step]:
    """Return the steps of the page, each as a piece of a script."""
    found: list[Step] = []
    for fence in _FENCE.finditer(text.split(_REST)[0]):
        language, code = fence[1], fence[2]
        if language == "text":
            found[-1].output = code
        else:
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Step(_WAYS[language](code), line))
    return found


def page(text: str) -> str:
    """Return the form of the page."""
    return next(fence[2] for fence in _FENCE.finditer(text) if fence[1] == "html")


def modules(text: str) -> str:
    """Return the blocks of Python of the rest of the page, as one module."""
    rest = text.split(_REST)[1]
    return "\n\n".join(fence[2] for fence in _FENCE.finditer(rest) if fence[1] == "python")


def follow(found: list[Step], author: Environment, folder: Path, **settings: str) -> list[str]:
    """Run steps in one shell; return what each printed."""
    present = next((author.folder).glob("lib*/python*/site-packages/present.pth"))
    own = {"BASE_PYTHON": author.python, "PRESENT": str(present)}
    mark = f"\nprintf '\\n%s\\n' '{MARK}'\n"
    script = _PRELUDE + "".join(f"{step.code}{mark}" for step in found)
    done = subprocess.run(
        ["bash", "-euc", script.replace("127.0.0.1:8000", f"127.0.0.1:{settings['PORT']}")],
        cwd=folder,
        env=author.variables(**own, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout.split(f"\n{MARK}\n")


def _shell(code: str) -> str:
    return re.sub(r"^python -m api\.serve$", "serve", code, flags=re.M)


def _patch(code: str) -> str:
    return f"git apply <<'END'\n{code}END\n"


def _form(code: str) -> str:
    return f"cat >people.html <<'END'\n{code}END\n"


_WAYS = {"sh": _shell, "diff": _patch, "html": _form}
