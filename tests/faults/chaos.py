"""Extensions that misbehave, installed as pip leaves packages, and what the core does meanwhile."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api import loading
from tests import packages
from tests.servers import ROOT, LiveServer, free_port, live_server

#: What no answer may tell.
SECRET = "a word that nobody is to read"
#: Seconds that a handler sleeps, longer than any test waits for it.
SLEEP = 3
#: KiB of addresses that a process of a capped server may have; its threads' stacks are most of it.
CAP = 2**20

#: Name → module of an extension that fails in a way of its own, and alone.
FAILING = {
    "raises": f"raise RuntimeError('{SECRET}')",
    "exits": "raise SystemExit(3)",
    "garbled": "def create(:",
    "lacking": "import nothing_of_this_name\ndef create(): ...",
    "rubbish": "def create(): return {'rubbish': object()}",
    "nothing": "def create(): return None",
    "crashing": f"def create(): raise ValueError('{SECRET}')",
    "table": """
        from sqlalchemy.orm import Mapped
        from signpost import models

        class Taken(models.base_of("table")):
            __tablename__ = "posts"
            id: Mapped[models.PrimaryKey]

        def create(): ...
    """,
    "kind": """
        from signpost import Item, Namespace, Spec, expose, fields, services

        ns = Namespace("Kind")

        class Taken(services.UserService):
            type = "posts"

        @expose(ns, "/posts/<id:id>")
        class TakenItem(Item):
            spec = Spec(name="taken", service=Taken, output=ns.model("Taken", {
                "id": fields.Integer(required=True),
                "version": fields.Integer(required=True),
            }))

        def create(): return ns
    """,
    "word": """
        from signpost import Namespace, Resource

        ns = Namespace("Word")

        class Wrong(Resource):
            def get(self): ...

        def create():
            Wrong.access = "everybody"
            ns.route("/wrong")(Wrong)
            return ns
    """,
    "broken_step": """
        from signpost import Namespace

        def create(): return Namespace("Broken step")
    """,
}
STEP = '''"""A step that fails half-way."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table("broken_step_things", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO nowhere VALUES (1)")


def downgrade() -> None: ...
'''
#: Routes that misbehave when they are asked.
CHAOS = f"""
    import time

    from flask_restx import Resource as Plain
    from signpost import Namespace, Resource, abort

    ns = Namespace("Chaos")
    SECRET = {SECRET!r}

    class Silent(Exception):
        def __str__(self):
            raise RuntimeError(SECRET)

    RAISED = {{
        "error": lambda: RuntimeError(SECRET),
        "exit": lambda: SystemExit(SECRET),
        "interrupt": lambda: KeyboardInterrupt(SECRET),
        "memory": lambda: MemoryError(SECRET),
        "recursion": lambda: RecursionError(SECRET),
        "silent": Silent,
    }}
    RETURNED = {{
        "object": object(), "nothing": None, "status": ({{}}, "fine"), "long": (1, 2, 3, 4),
        "class": Resource, "function": len, "bytes": b"\\xff",
        "header": ({{}}, 200, {{"A": "b\\n"}}), "number": ({{}}, 99),
    }}

    @ns.route("/fine")
    class Fine(Resource):
        access = "anyone"
        def get(self): return {{"fine": True}}

    @ns.route("/raises/<how>")
    class Raises(Resource):
        access = "anyone"
        def get(self, how): raise RAISED[how]()

    @ns.route("/returns/<how>")
    class Returns(Resource):
        access = "anyone"
        def get(self, how): return RETURNED[how]

    @ns.route("/sleeps")
    class Sleeps(Resource):
        access = "anyone"
        def get(self):
            time.sleep({SLEEP})
            return {{"slept": True}}

    @ns.route("/hoards")
    class Hoards(Resource):
        access = "anyone"
        def get(self):
            hoard = []
            while True:
                hoard.append(bytearray(2 ** 24))

    @ns.route("/undeclared")
    class Undeclared(Resource):
        def get(self): return {{"seen": True}}
        def delete(self): return {{"done": True}}

    @ns.route("/plain")
    class Undocumented(Plain):
        def get(self): return {{"seen": True}}

    def create(): return ns
"""


def install(folder: Path, **modules: str) -> Path:
    """Install extensions, each a distribution ``test-<name>``; return the folder."""
    folder.mkdir(exist_ok=True)
    for name, code in modules.items():
        distribution = f"test-{name.replace('_', '-')}"
        packages.install(folder, distribution, code, {loading.GROUP: {name: "create"}})
    return folder


@contextmanager
def serving(
    url: str, data: Path, folder: Path, python: str = sys.executable
) -> Iterator[LiveServer]:
    """Run a server with the extensions of a folder, and no others."""
    others = ",".join(sorted(loading.names()))
    path = os.pathsep.join((str(ROOT), str(folder)))
    with live_server(url, data, python, EXTENSIONS_DISABLED=others, PYTHONPATH=path) as server:
        yield server


def start(folder: Path, data: Path) -> subprocess.Popen[str]:
    """Begin a start that is to end by itself."""
    data.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "api.serve"],
        cwd=data,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder))),
            "DATA_DIR": str(data),
            "PORT": str(free_port()),
            "EXTENSIONS_DISABLED": ",".join(sorted(loading.names())),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def capped(folder: Path) -> str:
    """Return an interpreter whose processes may have ``CAP`` of addresses."""
    python = folder / "capped-python"
    python.write_text(f'#!/bin/sh\nulimit -v {CAP}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return str(python)


@dataclass
class Reads:
    """Reads of the core, one after the other on one connection, and how they went."""

    server: LiveServer
    seconds: list[float] = field(default_factory=list)
    failures: list[Any] = field(default_factory=list)

    def ask(self, count: int) -> None:
        """Read a list and an item by turns."""
        with self.server.caller() as client:
            for number in range(count):
                begun = time.perf_counter()
                answer = client.get("/api/v1/posts" if number % 2 else "/api/v1/users/1")
                self.seconds.append(time.perf_counter() - begun)
                if answer.status_code != 200:
                    self.failures.append((answer.status_code, answer.text[:200]))

    def told(self) -> dict[str, Any]:
        """Return the figures; times in ms."""
        centiles = statistics.quantiles(self.seconds, n=100)
        return {
            "requests": len(self.seconds),
            "failures": len(self.failures),
            "p50_ms": round(centiles[49] * 1000, 2),
            "p99_ms": round(centiles[98] * 1000, 2),
        }


def meanwhile(
    server: LiveServer, count: int, trouble: Callable[[], Any], callers: int
) -> tuple[Reads, list[Any]]:
    """Read ``count`` times while each of ``callers`` makes trouble once, or again until the end."""
    reads, answers = Reads(server), []
    is_over = False

    def keep_on() -> None:
        while not is_over:
            answers.append(trouble())

    with ThreadPoolExecutor(callers) as pool:
        running = [pool.submit(keep_on) for _ in range(callers)]
        try:
            reads.ask(count)
        finally:
            is_over = True
        for each in running:
            each.result()
    return reads, answers
