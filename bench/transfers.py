"""Import and export at size: ``python -m bench.transfers [--posts 100000] [--databases sqlite]``.

Lines are imported with all validation, exported, imported into a second database and exported
again; both exports must be the same. Each step is a process of its own, for its peak memory.
"""

from __future__ import annotations

import filecmp
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from api.json_lines import lines_of
from api.transfers import shapes
from bench import databases, texts
from models.engine import database_url, engine_options, prepare
from services import schema
from services.transfer import Options, export, import_records

USERS = 1_000
#: Distinct bodies, told apart by their ends.
TEXTS = 400
_MB = 1_000_000


@click.command()
@click.option("--posts", default=100_000, show_default=True)
@click.option("--databases", "names", default=",".join(databases.NAMES), show_default=True)
@click.option("--once", is_flag=True, help="Leave the second database out.")
def main(posts: int, names: str, once: bool) -> None:
    """Measure import and export, and print what was found."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        given = folder / "given.jsonl"
        with given.open("w") as file:
            file.writelines(json.dumps(record) + "\n" for record in _records(posts))
        for name in names.split(","):
            first = _measure(name, folder, given, posts)
            if not once:
                second = _measure(name, folder, first, posts, again=False)
                same = filecmp.cmp(first, second, shallow=False)
                click.echo(f"{name}: the same bytes: {same}")


def _measure(name: str, folder: Path, source: Path, posts: int, *, again: bool = True) -> Path:
    """Import ``source`` into an empty database and return the file of what is exported then."""
    place = Path(tempfile.mkdtemp(dir=folder))
    out = place / "out.jsonl"
    with databases.database(name, place) as url:
        _tell(f"{name}: import of {source.name}", _apart(_import, url, source), posts, "posts")
        if again:
            _tell(f"{name}: the same again", _apart(_import, url, source), posts, "posts")
        took = _apart(_export, url, out)
        _tell(f"{name}: export", took, out.stat().st_size / _MB, "MB")
    return out


def _tell(step: str, took: tuple[float, float, float], amount: float, unit: str) -> None:
    seconds, cpu, memory = took
    click.echo(
        f"{step}: {amount:,.0f} {unit} in {seconds:.1f} s, {amount / seconds:,.0f} {unit}/s; "
        f"{cpu:.1f} s of CPU, {amount / cpu:,.0f} {unit}/s; at most {memory:.0f} MB"
    )


def _apart(step: Callable[[str, Path], None], url: str, path: Path) -> tuple[float, float, float]:
    """Run a step in a new process; return its time and CPU time (s), and peak memory (MB)."""
    context: Any = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        took: tuple[float, float, float] = pool.apply(_timed, (step, url, path))
    return took


def _timed(step: Callable[[str, Path], None], url: str, path: Path) -> tuple[float, float, float]:
    started, cpu = time.perf_counter(), time.process_time()
    step(url, path)
    took = time.perf_counter() - started, time.process_time() - cpu
    return *took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _import(url: str, path: Path) -> None:
    engine = _connect(url)
    schema.upgrade(engine)
    report = import_records(engine, lines_of([str(path)], lambda _bytes: None), Options(shapes()))
    if not report.is_whole:
        raise click.ClickException(f"Lines were refused: {report}")


def _export(url: str, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(export(_connect(url)))


def _connect(url: str) -> sa.Engine:
    parsed = database_url(url)
    engine = sa.create_engine(parsed, **engine_options(parsed, threads=1))
    prepare(engine)
    return engine


def _records(posts: int) -> Iterator[dict[str, Any]]:
    bodies = [texts.body(number) for number in range(TEXTS)]
    for number in range(USERS):
        name = f"bench{number:04}"
        yield {"type": "user", "username": name, "email": f"{name}@example.org", "name": name}
    for number in range(posts):
        yield {
            "type": "post",
            "author": f"bench{number * 7 % USERS:04}",
            "slug": f"bench-post-{number}",
            "title": texts.title(number),
            "body": f"{bodies[number % TEXTS]}\n\n{number}",
            "tags": texts.tags(number),
            "status": "published",
            "published_at": "2026-01-01T00:00:00Z",
        }


if __name__ == "__main__":
    main()
