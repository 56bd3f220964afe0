"""Fixtures. Every test that touches a database runs on both: ``--database=sqlite`` names one.

The application is set up as in production, once per database; rows are deleted after each test.
Flask is imported only by the fixtures that need it: tests/services runs without.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.orm import Session

from config import Config
from models import User
from tests import databases, factories
from tests.flaskless import without_flask
from tests.servers import ADMIN_PASSWORD, LiveServer, live_server
from tests.stores import Store, store

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

#: Makes a migrated database of a name and returns its URL.
MakeDatabase = Callable[[str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", action="append", choices=databases.BACKENDS, help="run on this one only"
    )


def pytest_configure() -> None:
    settings.register_profile("check", deadline=None, max_examples=100)
    settings.register_profile("prove", deadline=None, max_examples=5_000)
    settings.load_profile("prove" if os.environ.get("PROVE") else "check")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database") or databases.BACKENDS
        metafunc.parametrize("backend", chosen, indirect=True, scope="session")


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
def backend(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgresql``."""
    return str(request.param)


@pytest.fixture(scope="session")
def _makers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], MakeDatabase]]:
    with ExitStack() as stack:
        made: dict[str, MakeDatabase] = {}

        def maker(backend: str) -> MakeDatabase:
            if backend not in made:
                made[backend] = stack.enter_context(
                    databases.sqlite_databases(tmp_path_factory.mktemp("sqlite"))
                    if backend == "sqlite"
                    else databases.postgresql_databases()
                )
            return made[backend]

        yield maker


@pytest.fixture(scope="session")
def make_database(backend: str, _makers: Callable[[str], MakeDatabase]) -> MakeDatabase:
    """``make_database("name")``: the URL of a new, migrated database that is the test's own."""
    return _makers(backend)


@pytest.fixture(scope="session")
def database_url(make_database: MakeDatabase) -> str:
    """Return the URL of the database that ``session`` and ``app`` share."""
    return make_database("shared")


@pytest.fixture(scope="session")
def _engine(database_url: str) -> Iterator[sa.Engine]:
    engine = databases.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: sa.Engine) -> Iterator[sa.Engine]:
    """The shared database, without a row; it is emptied again after the test."""
    yield _engine
    databases.clean(_engine)


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session without Flask. It remembers what it read: ``session.refresh(row)`` reads anew."""
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session


@pytest.fixture(scope="session")
def config(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Production settings, but for limits; ``dataclasses.replace`` changes one."""
    return Config(
        DATABASE_URL=database_url,
        DATA_DIR=tmp_path_factory.mktemp("data"),
        SECRET_KEY="0123456789abcdef" * 3,
        ADMIN_PASSWORD=ADMIN_PASSWORD,
        RATE_LIMITS=False,
        WORKERS=1,
    )


@pytest.fixture(scope="session")
def _make_app() -> Callable[[Config], AbstractContextManager[Flask]]:
    from api.app import create_app
    from api.database import db

    @contextmanager
    def make(config: Config) -> Iterator[Flask]:
        app = create_app(config)
        yield app
        with app.app_context():
            db.engine.dispose()

    return make


@pytest.fixture(scope="session")
def _app(
    config: Config, _make_app: Callable[[Config], AbstractContextManager[Flask]]
) -> Iterator[Flask]:
    with _make_app(config) as app:
        yield app


@pytest.fixture
def app(_app: Flask, engine: sa.Engine) -> Flask:
    """The application as in production, on the shared database."""
    return _app


@pytest.fixture
def make_app(
    engine: sa.Engine, _make_app: Callable[[Config], AbstractContextManager[Flask]]
) -> Iterator[Callable[[Config], Flask]]:
    """``make_app(replace(config, REGISTRATION="closed"))``: an application of other settings."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(_make_app(config))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[User], FlaskClient]:
    """``sign_in(user)``: a caller with a real token of a user made by ``make_user``."""

    def sign_in(user: User, password: str = factories.PASSWORD) -> FlaskClient:
        client = app.test_client()
        grant = {"grant_type": "password", "username": user.username, "password": password}
        answer = client.post("/api/v1/auth/token", json=grant)
        assert answer.status_code == 200, answer.text
        token = answer.get_json()["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return sign_in


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


@pytest.fixture
def count_queries() -> Callable[[], AbstractContextManager[list[str]]]:
    """``with count_queries() as queries:`` collects the SELECTs that ran meanwhile."""

    @contextmanager
    def count() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                seen.append(statement)

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)

    return count


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A running S3 server with a bucket."""
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
