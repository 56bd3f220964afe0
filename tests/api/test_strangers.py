"""Rows of an extension that is gone, over HTTP: unseen, harmless, and back when it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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
from services import registry, schema
from signpost import Collection, Item, Namespace, Spec, expose, fields
from tests import databases, people
from tests.conftest import MakeDatabase
from tests.people import Note, NoteService

ns = Namespace("people", description="Notes of people.")
_shape = ns.model("Note", {"title": fields.String(required=True, min_length=1, example="Hello")})
_output = ns.model(
    "NoteShown",
    {
        "id": fields.Integer(required=True, readonly=True, example=1),
        "version": fields.Integer(required=True, readonly=True, example=1),
        **_shape,
    },
)
notes = Spec(name="note", service=NoteService, output=_output, create=_shape)
NOTES, TRASH = "/api/people/notes", "/api/v1/trash"


@expose(ns, "/notes")
class NoteCollection(Collection):
    spec = notes


@expose(ns, "/notes/<id:id>")
class NoteItem(Item):
    spec = notes


PEOPLE = Extension("people", "signpost-people", "1.0", namespace=ns, module="tests.people")


@pytest.fixture(scope="module")
def settings(
    config: Config, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Config:
    """Settings of a database that has the tables of an extension, too."""
    url = make_database("strangers_http")
    engine = databases.connect(url)
    schema.upgrade(engine, people.history(tmp_path_factory.mktemp("people")))
    engine.dispose()
    return replace(config, DATABASE_URL=url)


@pytest.fixture
def engine(settings: Config) -> Iterator[sa.Engine]:
    engine = databases.connect(settings.DATABASE_URL)
    yield engine
    registry.reset()
    databases.clean(engine, ["people"])
    engine.dispose()


def _made(settings: Config, extension: Extension) -> Flask:
    registry.reset()
    return create_app(settings, [extension])


@pytest.fixture
def app(settings: Config, engine: sa.Engine) -> Iterator[Flask]:
    """The service with the extension."""
    app = _made(settings, PEOPLE)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def uninstall(settings: Config, app: Flask) -> Iterator[Callable[[FlaskClient], FlaskClient]]:
    """``uninstall(client)``: the same caller of a service on the same database, without it."""
    made: list[Flask] = []

    def uninstall(client: FlaskClient) -> FlaskClient:
        made.append(_made(settings, replace(PEOPLE, state="disabled", namespace=None)))
        caller = made[-1].test_client()
        caller.environ_base = client.environ_base
        return caller

    yield uninstall
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def note(sign_in: Callable[[User], FlaskClient], ada: User) -> int:
    """The id of a note by ada."""
    answer = sign_in(ada).post(NOTES, json={"title": "Ada's"})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


Uninstall = Callable[[FlaskClient], FlaskClient]
SignIn = Callable[[User], FlaskClient]


def _types(client: FlaskClient) -> list[str]:
    return [each["type"] for each in client.get(TRASH).get_json()["items"]]


class TestItsOwnDeletion:
    def test_is_nobodys_to_see_until_it_is_back(
        self, sign_in: SignIn, ada: User, note: int, uninstall: Uninstall, settings: Config
    ) -> None:
        client = sign_in(ada)
        assert client.delete(f"{NOTES}/{note}").status_code == 204
        assert _types(client) == ["people_notes"]
        url = f"{TRASH}/people_notes/{note}"

        gone = uninstall(client)

        assert _types(gone) == []
        answers = (
            gone.get(url),
            gone.delete(url),
            gone.post(f"{url}/restoration"),
            gone.get(f"{NOTES}/{note}"),
        )
        assert [answer.status_code for answer in answers] == [404] * 4
        assert gone.get(f"{TRASH}?types=people_notes").status_code == 400

        registry.register(NoteService)

        assert client.get(url).get_json()["title"] == "Ada's"
        assert client.post(f"{url}/restoration").status_code == 200
        assert client.get(f"{NOTES}/{note}").get_json()["version"] == 3


class TestOfAUser:
    def test_restored_while_it_is_gone_has_it_again(
        self, sign_in: SignIn, admin: User, ada: User, note: int, uninstall: Uninstall
    ) -> None:
        client = sign_in(admin)
        assert client.delete(f"/api/v1/users/{ada.id}").status_code == 204
        assert client.get(f"{NOTES}/{note}").status_code == 404

        restored = uninstall(client).post(f"{TRASH}/users/{ada.id}/restoration")

        assert restored.status_code == 200
        assert client.get(f"{NOTES}/{note}").get_json()["title"] == "Ada's"

    @pytest.mark.parametrize("takes_it", [True, False])
    def test_purged_while_it_is_gone_leaves_nothing(
        self,
        sign_in: SignIn,
        admin: User,
        ada: User,
        note: int,
        uninstall: Uninstall,
        session: Session,
        takes_it: bool,
    ) -> None:
        client = sign_in(admin)
        gone = client if takes_it else uninstall(client)
        assert gone.delete(f"/api/v1/users/{ada.id}").status_code == 204
        gone = uninstall(client)

        assert gone.delete(f"{TRASH}/users/{ada.id}").status_code == 204

        assert session.scalar(sa.select(sa.func.count()).select_from(Note)) == 0
        assert _types(client) == []
