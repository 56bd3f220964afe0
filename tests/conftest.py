"""Fixtures. Every test that touches a database runs on both: ``--database=sqlite`` names one.

Those of a database and an application are the kit's for authors, signpost/contract/plugin.py, but
without extensions. Tests of services and models run with Flask made unimportable.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy.orm import Session

from models import User
from services import registry
from signpost.contract import factories
from signpost.contract.plugin import (
    MakeDatabase,
    _app,
    _engine,
    _make_app,
    _makers,
    app,
    backend,
    client,
    config,
    count_queries,
    database_url,
    engine,
    make_app,
    make_database,
    session,
    sign_in,
    subject,
)
from tests.flaskless import without_flask
from tests.servers import LiveServer, live_server
from tests.stores import Store, store

#: Named again, they are fixtures of these tests alone: what they share is made without extensions.
__all__ = [
    "MakeDatabase",
    "_app",
    "_engine",
    "_make_app",
    "_makers",
    "app",
    "backend",
    "client",
    "config",
    "count_queries",
    "database_url",
    "engine",
    "make_app",
    "make_database",
    "session",
    "sign_in",
    "subject",
]


def pytest_configure() -> None:
    settings.register_profile("check", deadline=None, max_examples=100)
    settings.register_profile("prove", deadline=None, max_examples=5_000)
    settings.load_profile("prove" if os.environ.get("PROVE") else "check")


def pytest_collection_finish() -> None:
    """Spare the collector what lives to the end: it took a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Where ``CI`` is set, nothing may be skipped."""
    report = yield
    return _not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """Where ``CI`` is set, no file may be skipped."""
    report = yield
    return _not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run tests of services and models with Flask made unimportable."""
    room = item.path.relative_to(item.config.rootpath).parts[1]
    with without_flask() if room in {"services", "models"} else nullcontext():
        return (yield)


def _not_skipped(report: Any) -> Any:
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"Skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def extensions() -> tuple[()]:
    """None: what is installed beside the core is tested by itself."""
    return ()


@pytest.fixture
def ada(session: Session) -> User:
    """The author who writes."""
    return factories.make_user(session, "ada")


@pytest.fixture
def bob(session: Session) -> User:
    """The reader."""
    return factories.make_user(session, "bob", role="reader")


@pytest.fixture
def mallory(session: Session) -> User:
    """Another author, who must not."""
    return factories.make_user(session, "mallory")


@pytest.fixture
def editor(session: Session) -> User:
    """Who may edit what others wrote."""
    return factories.make_user(session, "grace", role="editor")


@pytest.fixture
def admin(session: Session) -> User:
    """Who may also manage users."""
    return factories.make_user(session, "root", role="admin")


@pytest.fixture(autouse=True)
def core() -> None:
    """Forget the resources of extensions that a test before this one mounted."""
    registry.reset()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Run an S3 server with a bucket; once it was frozen it keeps a core busy for nothing."""
    with store(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A live server with a database of its own, which is not emptied: make users of new names."""
    folder: Path = tmp_path_factory.mktemp("server")
    with live_server(make_database("live"), folder) as server:
        yield server


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """``make_server(WORKERS=1)``: a server of the test's own."""
    url = f"sqlite:///{tmp_path}/server.sqlite"
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            live_server(url, tmp_path / "server", **settings)
        )
