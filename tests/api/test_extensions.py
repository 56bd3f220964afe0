"""What is mounted below /api/<name>: who may call it, what it answers, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import flask_restx
import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.loading import Extension
from config import Config
from models import User
from signpost import Namespace, RequestParser, Resource, abort, access, jsonify

SignIn = Callable[[User], FlaskClient]


class Broken(Exception):
    """What the namespace below knows what to make of."""


def _shape(problem: dict[str, Any]) -> tuple[dict[str, Any], int]:
    status = 422 if problem["status"] == 400 else problem["status"]
    return {"errors": {problem["code"]: [problem["detail"]]}}, status


def _things() -> Namespace:
    things = Namespace("things", "Things of a test.", token_schemes=("Token",))
    things.add_resource(_open(things), "/open")
    things.add_resource(Mixed, "/mixed")
    things.add_resource(Undeclared, "/undeclared", "/undeclared/<name>")
    things.add_resource(_plain(things), "/plain")
    things.add_resource(Fails, "/fails/<how>")

    @things.errorhandler(Broken)
    def broken(_error: Broken) -> NoReturn:
        abort(410, "Gone.", headers={"X-Gone": "yes"})

    return things


def _open(things: Namespace) -> type[Resource]:
    parser = RequestParser()
    parser.add_argument("size", int, required=True)
    parser.add_argument("colour", str)

    class Open(Resource):
        access = "anyone"

        @things.expect(parser)
        def get(self) -> dict[str, Any]:
            return parser.parse_args()

        def post(self) -> tuple[dict[str, str], int, dict[str, str]]:
            return {"made": "it"}, 201, {"Location": "/api/things/open"}

        def delete(self) -> tuple[None, int]:
            return None, 204

    return Open


def _plain(things: Namespace) -> type[flask_restx.Resource]:
    class Plain(flask_restx.Resource):  # type: ignore[misc]
        @things.doc(security=[])
        def get(self) -> dict[str, bool]:
            return {"plain": True}

        def post(self) -> dict[str, bool]:
            return {"plain": True}

    return Plain


class Mixed(Resource):
    access = {"GET": "signed-in", "POST": "editor"}

    def get(self) -> list[Any]:
        return [self.caller.role]

    def post(self) -> str:
        return "done"


class Undeclared(Resource):
    def get(self, name: str = "") -> str:
        return name


class Fails(Resource):
    access = "anyone"

    def get(self, how: str) -> Any:
        if how == "mapped":
            raise Broken("secret")
        if how == "crash":
            raise RuntimeError("secret")
        if how == "now":
            abort(409, "Not now.", colour="red")
        return {"rubbish": object(), "nothing": None}[how]


def _functions() -> Blueprint:
    blueprint = Blueprint("anything", __name__)

    @blueprint.get("/hello/<name>")
    @access("anyone")
    def hello(name: str) -> Any:
        """Greet somebody"""
        return jsonify(hello=name)

    @blueprint.post("/undeclared")
    def undeclared() -> dict[str, bool]:
        return {"done": True}

    return blueprint


def made(**namespaces: Any) -> list[Extension]:
    return [
        Extension(name, f"signpost-{name}", "1.0", namespace=namespace, module=__name__)
        for name, namespace in namespaces.items()
    ]


@pytest.fixture(scope="module")
def mounted(config: Config) -> Flask:
    shaped = Namespace("shaped", shape=_shape)
    return create_app(config, made(things=_things(), functions=_functions(), shaped=shaped))


@pytest.fixture
def app(mounted: Flask, engine: object) -> Flask:
    """Return the application for which ``sign_in`` signs in, with the extensions."""
    return mounted


@pytest.fixture
def call(app: Flask) -> FlaskClient:
    return app.test_client()


def code(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]


class TestAnswer:
    def test_is_what_a_verb_returns(self, call: FlaskClient) -> None:
        answer = call.get("/api/things/open?size=3")
        assert (answer.status_code, answer.get_json()) == (200, {"size": 3, "colour": None})
        assert answer.content_type == "application/json"

    def test_is_sent_once(self, call: FlaskClient) -> None:
        tag = call.get("/api/things/open?size=3").headers["ETag"]
        again = call.get("/api/things/open?size=3", headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")

    def test_has_a_status_and_headers(self, call: FlaskClient) -> None:
        answer = call.post("/api/things/open")
        assert (answer.status_code, answer.get_json()) == (201, {"made": "it"})
        assert answer.headers["Location"] == "/api/things/open"
        assert "ETag" not in answer.headers

    def test_may_be_nothing(self, call: FlaskClient) -> None:
        answer = call.delete("/api/things/open")
        assert (answer.status_code, answer.data) == (204, b"")
        assert "Content-Type" not in answer.headers

    def test_to_head_has_no_body(self, call: FlaskClient) -> None:
        answer = call.head("/api/things/open?size=3")
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["ETag"] == call.get("/api/things/open?size=3").headers["ETag"]

    def test_of_a_plain_resource_or_function(self, call: FlaskClient) -> None:
        assert call.get("/api/things/plain").get_json() == {"plain": True}
        assert call.get("/api/functions/hello/ada").get_json() == {"hello": "ada"}


class TestArguments:
    def test_that_are_wrong_are_told_all_at_once(self, call: FlaskClient) -> None:
        answer = call.get("/api/things/open?size=x&weight=1&colour=a&colour=b")
        told = {fault["field"]: fault["code"] for fault in answer.get_json()["errors"]}
        assert code(answer) == (400, "validation")
        assert told == {"size": "format", "weight": "unknown", "colour": "repeated"}

    def test_that_are_missing_are_told(self, call: FlaskClient) -> None:
        assert call.get("/api/things/open").get_json()["errors"][0]["code"] == "required"


class TestAccess:
    def test_of_anyone_minds_a_bad_token_still(self, call: FlaskClient) -> None:
        answer = call.get("/api/things/open?size=1", headers={"Authorization": "Bearer a.b.c"})
        assert code(answer) == (401, "unauthenticated")

    def test_by_verb_and_role(
        self, call: FlaskClient, sign_in: SignIn, ada: User, admin: User
    ) -> None:
        assert code(call.get("/api/things/mixed")) == (401, "unauthenticated")
        author, admins = sign_in(ada), sign_in(admin)
        assert author.get("/api/things/mixed").get_json() == ["author"]
        assert code(author.post("/api/things/mixed")) == (403, "forbidden")
        assert admins.post("/api/things/mixed").get_json() == "done"

    @pytest.mark.parametrize(
        ("verb", "url"),
        [
            ("GET", "/api/things/undeclared"),
            ("GET", "/api/things/undeclared/x"),
            ("POST", "/api/things/plain"),
            ("POST", "/api/functions/undeclared"),
        ],
    )
    def test_that_nobody_declared_is_for_admins(
        self, call: FlaskClient, sign_in: SignIn, ada: User, admin: User, verb: str, url: str
    ) -> None:
        assert code(call.open(url, method=verb)) == (401, "unauthenticated")
        assert code(sign_in(ada).open(url, method=verb)) == (403, "forbidden")
        assert sign_in(admin).open(url, method=verb).status_code == 200

    def test_by_a_scheme_of_its_own(self, call: FlaskClient, sign_in: SignIn, ada: User) -> None:
        bearer = sign_in(ada).environ_base["HTTP_AUTHORIZATION"]
        own = {"Authorization": bearer.replace("Bearer", "Token")}
        assert call.get("/api/things/mixed", headers=own).status_code == 200
        assert call.get("/api/v1/auth/whoami", headers=own).status_code == 401
        assert call.get("/api/functions/hello/x", headers=own).status_code == 401

    def test_that_is_no_word_is_refused(self, config: Config) -> None:
        wrong = Namespace("wrong")
        with pytest.raises(ValueError, match="access is one of"):

            @wrong.route("/x")
            class Wrong(Resource):
                access = "everybody"

                def get(self) -> None: ...


class TestProblem:
    def test_of_abort_has_its_members(self, call: FlaskClient) -> None:
        answer = call.get("/api/things/fails/now")
        assert code(answer) == (409, "conflict")
        assert answer.get_json()["detail"] == "Not now."
        assert answer.get_json()["colour"] == "red"

    def test_of_an_error_of_its_own(self, call: FlaskClient) -> None:
        answer = call.get("/api/things/fails/mapped")
        assert (answer.status_code, answer.get_json()["status"]) == (410, 410)
        assert answer.headers["X-Gone"] == "yes"
        assert "secret" not in answer.text

    @pytest.mark.parametrize("how", ["crash", "rubbish", "nothing"])
    def test_of_a_mistake_says_nothing_of_it(self, call: FlaskClient, how: str) -> None:
        answer = call.get(f"/api/things/fails/{how}")
        assert code(answer) == (500, "internal")
        assert "secret" not in answer.text

    def test_below_it_is_one_too(self, call: FlaskClient) -> None:
        assert code(call.get("/api/things/nowhere")) == (404, "not-found")
        assert code(call.put("/api/things/open")) == (405, "method-not-allowed")

    def test_has_the_shape_of_its_extension(self, call: FlaskClient) -> None:
        answer = call.get("/api/shaped/nowhere")
        assert answer.status_code == 404
        assert answer.content_type == "application/json"
        assert list(answer.get_json()["errors"]) == ["not-found"]
        assert code(call.get("/api/v1/nowhere")) == (404, "not-found")


class TestSpecifications:
    def test_describe_it_in_a_group_of_its_own(self, call: FlaskClient) -> None:
        told = call.get("/api/v1/openapi.json").get_json()
        assert [tag["name"] for tag in told["tags"]][-2:] == ["things", "functions"]
        assert told["paths"]["/things/open"]["get"]["tags"] == ["things"]
        assert told["paths"]["/functions/hello/{name}"]["get"]["summary"] == "Greet somebody"

    def test_tell_operations_apart(self, call: FlaskClient) -> None:
        told = call.get("/api/v1/openapi.json").get_json()["paths"]
        ids = [
            operation["operationId"]
            for item in told.values()
            for verb, operation in item.items()
            if verb != "parameters"
        ]
        assert len(ids) == len(set(ids))

    def test_tell_who_may_call_it(self, call: FlaskClient) -> None:
        told = call.get("/api/v1/openapi.json").get_json()["paths"]
        assert {} in told["/things/open"]["get"]["security"]
        assert {} not in told["/things/mixed"]["get"]["security"]
        assert {} not in told["/functions/undeclared"]["post"]["security"]


class TestMounting:
    def test_of_one_that_fails_leaves_the_others(self, config: Config) -> None:
        clashing = Namespace("clashing")
        clashing.model("Post", {})
        extensions = made(good=_functions(), number=3, clashing=clashing)

        app = create_app(replace(config, LOG_LEVEL="error"), extensions)

        listed = app.test_client().get("/api/v1/extensions").get_json()["items"]
        assert {each["name"]: each["state"] for each in listed} == {
            "good": "loaded",
            "number": "failed",
            "clashing": "failed",
        }
        assert app.test_client().get("/api/good/hello/x").status_code == 200
        assert app.test_client().get("/api/number").status_code == 404


class TestList:
    def test_tells_what_there_is(self, call: FlaskClient) -> None:
        page = call.get("/api/v1/extensions?total=true").get_json()
        assert (page["next"], page["total"]) == (None, 3)
        assert page["items"][0] == {
            "name": "things",
            "package": "signpost-things",
            "version": "1.0",
            "state": "loaded",
            "error": None,
        }

    def test_is_paged(self, call: FlaskClient) -> None:
        first = call.get("/api/v1/extensions?limit=2").get_json()
        rest = call.get(f"/api/v1/extensions?limit=2&cursor={first['next']}").get_json()
        numbered = call.get("/api/v1/extensions?limit=2&page=2").get_json()
        assert [each["name"] for each in first["items"]] == ["things", "functions"]
        assert [each["name"] for each in rest["items"]] == ["shaped"]
        assert (rest["next"], numbered["items"]) == (None, rest["items"])

    def test_tells_admins_alone_why_one_failed(
        self, config: Config, sign_in: SignIn, admin: User
    ) -> None:
        failed = replace(made(bad=None)[0], state="failed", error="ImportError: no module")
        app = create_app(config, [failed])
        token = sign_in(admin).environ_base["HTTP_AUTHORIZATION"]

        told = app.test_client().get("/api/v1/extensions", headers={"Authorization": token})

        assert told.get_json()["items"][0]["error"] == "ImportError: no module"
        assert app.test_client().get("/api/v1/extensions").get_json()["items"][0]["error"] is None
