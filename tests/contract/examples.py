"""Examples of the docs: code blocks of a page, run in order, and what they are said to print.

The blocks of one language make one program. A ``text`` block is what each block before it prints,
back to the last such one or the heading; ``...`` stands for anything, alone for any lines.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TYPESCRIPT = Path(__file__).parents[2] / "node_modules" / "typescript" / "bin" / "tsc"
#: Seconds that a program may take.
PATIENCE = 60

#: A heading of the second level, or a block with its language.
PART = re.compile(r"^## |^```(\w+)[^\n]*\n(.*?)^```$", re.M | re.S)
#: Printed between two blocks by the programs; no example prints it.
MARK = "--8<--"
#: Language → the statement that prints ``MARK``.
_MARKERS = {
    "sh": f"\nprintf '\\n%s\\n' '{MARK}'\n",
    "python": f"\nprint('\\n{MARK}', flush=True)\n",
    "ts": f"\nconsole.log('\\n{MARK}');\n",
}


@dataclass(frozen=True)
class Block:
    """One block of code."""

    language: str
    code: str
    line: int
    """Where it begins in the page, from 1."""
    output: str | None
    """What it prints, if the page says so."""


def blocks(text: str) -> list[Block]:
    """Return the blocks of code of a page that can be run, in order."""
    found: list[Block] = []
    waiting: list[Block] = []
    for part in PART.finditer(text):
        language, code = part[1], part[2]
        line = text.count("\n", 0, part.start()) + 1
        if language is None:
            found += waiting
            waiting = []
        elif language == "text":
            found += [Block(each.language, each.code, each.line, code) for each in waiting]
            waiting = []
        elif language in _MARKERS:
            waiting.append(Block(language, code, line, None))
    return sorted(found + waiting, key=lambda block: block.line)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    return re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def program(parts: list[Block]) -> str:
    """Return the program that blocks of one language make."""
    return "".join(part.code + _MARKERS[part.language] for part in parts)


def run(command: list[str | Path], folder: Path) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def compiled(code: str, folder: Path, *options: str) -> str:
    """Return TypeScript once its types are checked, unless options say otherwise, and removed."""
    file = folder / "client.mts"
    file.write_text(code)
    target = ["--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--module", "nodenext"]
    run(["node", TYPESCRIPT, "--strict", *target, *options, file], folder)
    return file.with_suffix(".mjs").read_text()


def assert_printed(parts: list[Block], printed: str, page: Path) -> None:
    """Compare what a program printed with what its page says."""
    chunks = printed.split(f"\n{MARK}\n")
    assert len(chunks) == len(parts) + 1, printed[-2000:]
    for part, chunk in zip(parts, chunks, strict=False):
        if part.output is not None:
            where = f"{page.name}, line {part.line}: {chunk}"
            assert matches(part.output, chunk), where


def matches(output: str, printed: str) -> bool:
    """Return whether a program printed what its page says."""
    return bool(re.fullmatch(_pattern(output), printed.rstrip("\n") + "\n", re.S))


def _pattern(output: str) -> str:
    lines = ("(?:[^\\n]*\\n)*" if line == "..." else _line(line) for line in output.splitlines())
    return "".join(lines)


def _line(line: str) -> str:
    return "[^\\n]*".join(map(re.escape, line.split("..."))) + "\\n"
