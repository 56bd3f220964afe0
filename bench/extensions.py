"""What the extension point costs: ``python -m bench.extensions [--rounds 9] [--starts 11]``.

A request of the core's, without extensions and beside ten; the same list declared in the core and
in an extension; and a start, without extensions and with ten trivial ones. Each pair is measured
alternately in one run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import create_environ, run_wsgi_app

from api import gate
from api.app import create_app
from api.loading import GROUP, Extension, names
from api.posts import posts
from api.resource import Listing, expose
from bench import databases
from config import Config
from services import schema
from signpost import Namespace, Resource
from signpost.contract.databases import connect
from signpost.contract.factories import make_post, make_user

MANY = 10
#: Requests of a round.
REQUESTS = 400
#: Milliseconds that ten extensions may add to a start.
MOST = 20.0
_KEY = "0123456789abcdef" * 3
_ROOT = Path(__file__).parents[1]
_START = """
import time
from config import Config
from api import gate, logs
from api.app import create_app
from api.loading import load
begun = time.process_time()
config = Config(SECRET_KEY={key!r}, EXTENSIONS_DISABLED={others!r})
found = load(config)
create_app(config, found)
print(sum(each.state == "loaded" for each in found), time.process_time() - begun)
"""
_TRIVIAL = """
from signpost import Namespace, Resource

ns = Namespace("Trivial")


@ns.route("/things")
class Things(Resource):
    access = "anyone"

    def get(self):
        return {{"number": {number}}}


def create():
    return ns
"""


@click.command()
@click.option("--rounds", default=9, show_default=True)
@click.option("--starts", default=11, show_default=True)
@click.option("--databases", "backends", default="sqlite", show_default=True)
def main(rounds: int, starts: int, backends: str) -> None:
    """Measure, and print each pair and its ratio."""
    with tempfile.TemporaryDirectory() as place:
        for name in backends.split(","):
            with databases.database(name, Path(place)) as url:
                _fill(url)
                config = Config(DATABASE_URL=url, DATA_DIR=Path(place), SECRET_KEY=_KEY)
                _requests(name, config, rounds)
        _starts(Path(place), starts)


def _fill(url: str) -> None:
    engine = connect(url)
    schema.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        author = make_user(session, "ada")
        for _ in range(30):
            make_post(session, author)
    engine.dispose()


def _requests(name: str, config: Config, rounds: int) -> None:
    alone = _app(config, 0)
    beside = _app(config, MANY)
    for path in ("/api/v1/posts", "/api/v1/posts/1"):
        told = f"{name}: GET {path} beside {MANY} extensions, without"
        _versus(told, _asked(beside, path), _asked(alone, path), rounds)
    own, core = _asked(beside, "/api/trivial0/posts"), _asked(beside, "/api/v1/posts")
    _versus(f"{name}: the same list in an extension, in the core", own, core, rounds)


def _app(config: Config, extensions: int) -> Flask:
    """Return the application as it is served: behind its gate."""
    found = [_extension(number) for number in range(extensions)]
    app = create_app(config, found)
    gate.init_app(app, config)
    return app


def _extension(number: int) -> Extension:
    name = f"trivial{number}"
    ns = Namespace(name)

    @expose(ns, "/posts", get={"id": f"listPosts{number}"})
    class Posts(Listing):
        spec = posts

    @ns.route("/things")
    class Things(Resource):
        access = "anyone"

        def get(self) -> dict[str, int]:
            return {"number": number}

    return Extension(name, f"signpost-{name}", "1", namespace=ns, module=__name__)


def _asked(app: Flask, path: str) -> Callable[[], float]:
    """Return what asks for a path, anew each time, and tells the µs of CPU that it took."""
    environ = create_environ(path, headers={"X-Anew": "1"})

    def ask() -> float:
        begun = time.process_time()
        for _ in range(REQUESTS):
            body, status, _headers = run_wsgi_app(app.wsgi_app, environ)
            b"".join(body)
        taken = time.process_time() - begun
        assert status == "200 OK", status
        return taken / REQUESTS * 1e6

    return ask


def _versus(told: str, one: Callable[[], float], other: Callable[[], float], rounds: int) -> None:
    one(), other()
    pairs = [(one(), other()) for _ in range(rounds)]
    ratio = median(first / second for first, second in pairs)
    first, second = (median(column) for column in zip(*pairs, strict=True))
    click.echo(f"{told}: {first:.0f} / {second:.0f} us = {ratio:.3f}")


def _starts(place: Path, starts: int) -> None:
    folder = place / "installed"
    folder.mkdir()
    for number in range(MANY):
        _install(folder, number)
    others = tuple(sorted(names()))
    pairs = [(_start(others, folder), _start(others)) for _ in range(starts)]
    # The fastest of each: whatever else the machine does only adds.
    with_them, without = (min(column) for column in zip(*pairs, strict=True))
    click.echo(
        f"start with {MANY} extensions, without: {with_them:.0f} / {without:.0f} ms of CPU:"
        f" +{with_them - without:.1f} ms (at most {MOST:.0f})"
    )


def _start(others: tuple[str, ...], *folders: Path) -> float:
    """Return the ms of CPU in which extensions are loaded and the application is made."""
    command = [sys.executable, "-c", _START.format(others=others, key=_KEY)]
    path = ":".join(map(str, (_ROOT, *folders)))
    done = subprocess.run(
        command, env={"PYTHONPATH": path}, check=True, capture_output=True, text=True
    )
    loaded, seconds = done.stdout.split()
    assert int(loaded) == (MANY if folders else 0), done.stdout
    return float(seconds) * 1000


def _install(folder: Path, number: int) -> None:
    """Leave a package as pip does."""
    name = f"trivial{number}"
    (folder / f"{name}.py").write_text(_TRIVIAL.format(number=number))
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}:create\n")


if __name__ == "__main__":
    main()
