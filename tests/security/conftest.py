"""Fixtures of the attack cases: strict servers, callers, and all that the database holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa

from models import Base, Follow, Post, User
from services import clock
from tests.conftest import MakeDatabase
from tests.factories import make_comment, make_post, make_user
from tests.security.sender import Sender
from tests.security.surface import Operation, operations
from tests.security.world import FORM, FORM_TYPE, token_of
from tests.servers import LiveServer, live_server

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

#: Returns every row of every table.
Stored = Callable[[], dict[str, list[Any]]]
Locate = Callable[[Operation], str]
#: The name that the strict server is known by, and the origin whose pages may call it.
HOST, ORIGIN = "signpost.example", "https://good.com"


@pytest.fixture(scope="session")
def strict_server(
    make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A live server with every protection on, and an environment that asks for a debugger."""
    settings = {
        "PUBLIC_URL": f"https://{HOST}",
        "CORS_ORIGINS": ORIGIN,
        "RATE_LIMITS": "on",
        "FLASK_DEBUG": "1",
        "FLASK_ENV": "development",
    }
    folder = tmp_path_factory.mktemp("strict")
    with live_server(make_database("strict"), folder, **settings) as server:
        yield server


@pytest.fixture
def strict(strict_server: LiveServer) -> Iterator[httpx.Client]:
    """A caller of the strict server, by its name."""
    with strict_server.caller() as client:
        client.headers["Host"] = HOST
        yield client


@pytest.fixture
def surface(app: Flask) -> list[Operation]:
    """Every operation that there is."""
    found = operations(app.test_client())
    assert len(found) > 20
    return found


@pytest.fixture
def existing(callers: dict[str, FlaskClient], victim: User, session: Session) -> Locate:
    """``existing(operation)``: its URL for something that the admin may do it to."""
    public = session.scalars(sa.select(Post).where(Post.author_id == victim.id)).one()
    made = callers["author"].post("/api/v1/posts", json={"title": "zq-deleted", "body": "b"})
    assert callers["author"].delete(made.headers["Location"]).status_code == 204
    uploaded = callers["author"].post("/api/v1/files", data=FORM, content_type=FORM_TYPE)
    fan = make_user(session, "fan")
    for one, other in ((fan, victim), (victim, fan)):
        follow = {"follower_id": one.id, "followed_id": other.id, "created_at": clock.now()}
        session.add(Follow(**follow))
    session.commit()
    own = callers["admin"].get("/api/v1/auth/sessions").get_json()["items"][0]["id"]
    ids = {
        "posts": public.id,
        "comments": make_comment(session, public, victim).id,
        "users": victim.id,
        "files": uploaded.get_json()["items"][0]["id"],
        "trash": made.get_json()["id"],
        "auth": own,
    }

    def locate(operation: Operation) -> str:
        noun = operation.path.split("/")[3]
        return operation.url(id=ids.get(noun), username=victim.username, slug=public.slug)

    return locate


@pytest.fixture
def sender(callers: dict[str, FlaskClient], surface: list[Operation], existing: Locate) -> Sender:
    """Sends as an admin."""
    return Sender(callers["admin"], surface, existing)


@pytest.fixture
def stored(engine: sa.Engine) -> Stored:
    """``stored()``: every row there is, to compare before and after."""

    def stored() -> dict[str, list[Any]]:
        with engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(_ordered(table))]
                for table in Base.metadata.sorted_tables
            }

    return stored


def _ordered(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(*table.primary_key)


@pytest.fixture
def callers(
    app: Flask, client: FlaskClient, session: Session, ada: User, admin: User
) -> dict[str, FlaskClient]:
    """An anonymous caller, an author and an admin."""
    found = {"anonymous": client}
    for name, user in (("author", ada), ("admin", admin)):
        found[name] = app.test_client()
        token = token_of(app, session, user)  # signing in would take 25 ms each time
        found[name].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return found


@pytest.fixture
def victim(session: Session) -> User:
    """Somebody with secrets, and a published post."""
    victim = make_user(
        session, "victim", email="zq-secret@example.org", name="Vic", bio="Anything but secret"
    )
    make_post(session, victim, title="By the victim", tags=["zq-tag"])
    return victim


@pytest.fixture
def draft(session: Session, victim: User) -> Post:
    """A post that only its author and editors see."""
    return make_post(session, victim, title="zq-hidden", status="draft", slug="zq-hidden")


@pytest.fixture
def hidden(session: Session, victim: User, draft: Post) -> dict[str, dict[str, object]]:
    """Objects that nobody else may see, as variables of a path: the noun, then why."""
    soon = clock.now() + timedelta(hours=1)
    suspended = make_user(session, "zq-suspended", status="suspended")
    deleted = make_user(session, "zq-deleted", deleted_at=clock.now())
    posts = {
        "draft": draft,
        "archived": make_post(session, victim, status="archived"),
        "scheduled": make_post(session, victim, published_at=soon),
        "deleted": make_post(session, victim, deleted_at=clock.now()),
        "of-suspended": make_post(session, suspended),
        "of-deleted": make_post(session, deleted),
    }
    users = {"suspended": suspended, "deleted": deleted}
    return {f"posts {why}": {"id": each.id, "slug": each.slug} for why, each in posts.items()} | {
        f"users {why}": {"id": each.id, "username": each.username} for why, each in users.items()
    }
