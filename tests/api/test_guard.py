"""The guard before every view of the API: what is for anyone, and that the rest is closed."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask_restx import Api, Namespace, Resource

from api import auth
from api.app import ProblemApi
from config import Config
from models import User


class Things(Resource):  # type: ignore[misc]  # RESTX is untyped
    """As an extension may write it: plain RESTX."""

    def get(self) -> dict[str, Any]:
        return {"actor": getattr(auth.current_actor(), "id", None)}

    def post(self) -> dict[str, Any]:
        return self.get()


class Ignorant(Things):
    takes_token: ClassVar[bool] = False


@pytest.fixture
def guarded(app: Flask, config: Config) -> FlaskClient:
    """A small API of plain resources beside the real one."""
    from api.app import create_app

    own = create_app(config, ())
    api: Api = ProblemApi(doc=False, decorators=[auth.guard])
    namespace = Namespace("things", path="/things")
    open_reads = type("OpenReads", (Things,), {"get": namespace.doc(security=[])(_get)})
    ignorant = namespace.doc(security=None)(type("Open", (Ignorant,), {}))
    namespace.add_resource(type("Closed", (Things,), {}), "/closed")
    namespace.add_resource(open_reads, "/open")
    namespace.add_resource(ignorant, "/ignorant")
    api.add_namespace(namespace)
    blueprint = Blueprint("extra", __name__, url_prefix="/extra")
    api.init_app(blueprint, add_specs=False)
    own.register_blueprint(blueprint)
    return own.test_client()


def _get(self: Any) -> dict[str, Any]:
    return Things.get(self)


@pytest.fixture
def header(guarded: FlaskClient, ada: User) -> dict[str, str]:
    from tests.factories import PASSWORD

    grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    token = guarded.post("/api/v1/auth/token", json=grant).get_json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


class TestGuard:
    @pytest.mark.parametrize("verb", ["get", "head", "post"])
    def test_closes_what_says_nothing(self, guarded: FlaskClient, verb: str) -> None:
        assert getattr(guarded, verb)("/extra/things/closed").status_code == 401

    def test_opens_what_is_documented_as_open(self, guarded: FlaskClient) -> None:
        assert guarded.get("/extra/things/open").get_json() == {"actor": None}
        assert guarded.head("/extra/things/open").status_code == 200
        assert guarded.post("/extra/things/open").status_code == 401

    def test_lets_admins_alone_in_where_nothing_is_said(
        self, guarded: FlaskClient, header: dict[str, str]
    ) -> None:
        answer = guarded.get("/extra/things/closed", headers=header)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")

    @pytest.mark.parametrize("path", ["open", "ignorant"])
    def test_tells_who_is_calling(
        self, guarded: FlaskClient, header: dict[str, str], ada: User, path: str
    ) -> None:
        # when
        answer = guarded.get(f"/extra/things/{path}", headers=header)
        # then
        assert answer.get_json() == {"actor": None if path == "ignorant" else ada.id}

    @pytest.mark.parametrize(
        ("path", "status"), [("closed", 401), ("open", 401), ("ignorant", 200)]
    )
    def test_refuses_a_bad_token_unless_none_is_taken(
        self, guarded: FlaskClient, path: str, status: int
    ) -> None:
        # when
        answer = guarded.get(f"/extra/things/{path}", headers={"Authorization": "Bearer x"})
        # then
        assert answer.status_code == status
