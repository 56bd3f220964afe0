"""``make bench``: Signpost beside the textbook app, on SQLite and PostgreSQL, in one run.

For each database: start Signpost on it (which makes the tables), seed it, start both servers over
it, go through bench/measures.py, print the table. Timings never fail it.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import databases, measures, report
from bench.load import NoLoadTool, require_wrk
from bench.seed import seed
from bench.servers import NotStarted, signpost, textbook
from config import Config
from models.engine import database_url

_FULL = measures.Plan(rounds=5, seconds=2, starts=5)
_QUICK = measures.Plan(rounds=2, seconds=1, starts=2)


def main() -> int:
    """Measure what was asked for; return 0 unless something did not run."""
    options = _parser().parse_args()
    try:
        require_wrk()
        results = {name: _measure(name, options) for name in options.databases}
    except (NoLoadTool, NotStarted) as exc:
        print(exc, file=sys.stderr)
        return 1
    around = report.circumstances()
    for name, rows in results.items():
        print(f"\n{report.table(name, rows)}")
    print(f"{around['system']}, commit {around['commit']}; kept in {report.save(around, results)}")
    return 0


def _measure(name: str, options: argparse.Namespace) -> list[report.Row]:
    config = Config(SECRET_KEY=secrets.token_hex(32))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signpost-bench-")))
        url = stack.enter_context(databases.database(name, folder))
        ours = signpost(url, folder)
        theirs = textbook(url, folder, workers=config.WORKERS, threads=config.THREADS)
        stack.callback(ours.stop)
        stack.callback(theirs.stop)
        ours.start()
        _say(f"{name}: seeding")
        seed(database_url(url), report=_say)
        theirs.start()
        plan = _QUICK if options.quick else _FULL
        return _rows(measures.Setting(ours, theirs, plan), options.only)


def _rows(setting: measures.Setting, only: Sequence[str]) -> list[report.Row]:
    measures.warm_up(setting)
    rows = []
    for measure in measures.ALL:
        if only and measure.__name__ not in only:
            continue
        started = time.perf_counter()
        rows += measure(setting)
        _say(f"  {measure.__name__}: {rows[-1].figure} [{time.perf_counter() - started:.0f} s]")
    return rows


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--databases", nargs="+", choices=databases.NAMES, default=list(databases.NAMES)
    )
    names = [measure.__name__ for measure in measures.ALL]
    parser.add_argument("--only", nargs="+", choices=names, default=[], help="these measures alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
