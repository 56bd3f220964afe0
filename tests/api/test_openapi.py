"""The two specifications: how a small API of every kind of shape is described, validly in both."""

# mypy: disable-error-code="untyped-decorator"
# RESTX, whose decorators these are, is untyped.

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask_restx import Api, Namespace, Resource, reqparse
from flask_restx import fields as restx
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from api import fields, openapi
from api.app import create_app
from api.swagger import CONSUMES
from config import Config

Install = Callable[..., FlaskClient]


class _Odd(restx.Raw):  # type: ignore[misc]  # RESTX is untyped
    """A field of an extension, in JSON Schema's words rather than Swagger 2.0's."""

    def schema(self) -> dict[str, Any]:
        return {"type": ["integer", "null"], "exclusiveMinimum": 0}


class _Either(restx.Raw):  # type: ignore[misc]  # RESTX is untyped
    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"$ref": "#/definitions/Owner"}, {"type": "null"}]}


def things() -> Namespace:
    """Return a namespace with a bit of everything."""
    ns = Namespace("things", path="/v1/things", description="Things.")
    owner = fields.shape(ns, "Owner", name=fields.String(required=True))
    thing = fields.shape(
        ns,
        "Thing",
        id=fields.Integer(required=True, min=1, readonly=True),
        name=fields.String(required=True, max_length=10, example="hammer"),
        colour=fields.String(enum=("red", "blue"), nullable=True),
        at=fields.DateTime(nullable=True),
        owner=fields.Nested(owner, nullable=True, description="Who has it."),
        tags=fields.List(fields.String(max_length=5), max_items=3),
        more=fields.Raw(),
    )
    odd = ns.model("Odd", {"odd": _Odd(), "either": _Either()})
    query = reqparse.RequestParser()
    query.add_argument("colour", action="append", choices=("red", "blue"), location="args")
    query.add_argument("limit", type=int, location="args", required=True)
    form = reqparse.RequestParser()
    form.add_argument("username", location="form", required=True, help="Or email.")
    form.add_argument("scope", location="form")

    class Things(Resource):  # type: ignore[misc]  # RESTX is untyped
        @ns.doc(id="listThings")
        @ns.expect(query)
        @ns.response(200, "OK", [thing], headers={"Link": {"type": "string", "description": "x"}})
        def get(self) -> None:
            """List things"""

        @ns.doc(id="createThing", security="bearer")
        @ns.expect(thing)
        @ns.response(201, "Created", thing)
        @ns.response(409, "Taken")
        def post(self) -> None:
            """Create a thing"""

    class ThingItem(Resource):  # type: ignore[misc]  # RESTX is untyped
        @ns.doc(id="patchThing", security="bearer", vendor={CONSUMES: PATCHES})
        @ns.expect(thing)
        @ns.response(200, "OK", odd)
        def patch(self, id: int) -> None:
            """Change a thing"""

        @ns.doc(id="signIn", security=[], vendor={CONSUMES: FORMS})
        @ns.expect(form)
        def post(self, id: int) -> None:
            """Sign in"""

    ns.add_resource(Things, "")
    ns.add_resource(ThingItem, "/<int:id>")
    return ns


PATCHES = ["application/merge-patch+json", "application/json", "application/json-patch+json"]
FORMS = ["application/x-www-form-urlencoded", "application/json"]


@pytest.fixture
def install() -> Install:
    """``install(namespace, PUBLIC_URL=...)``: a caller of an app that describes it."""

    def make(*namespaces: Namespace, **settings: object) -> FlaskClient:
        config = Config(SECRET_KEY="0123456789abcdef" * 3, **settings)  # type: ignore[arg-type]
        app = Flask("api")
        app.config["RESTX_INCLUDE_ALL_MODELS"] = True
        api = Api(doc=False, title="Things", version="1")
        for namespace in namespaces:
            api.add_namespace(namespace)
        blueprint = Blueprint("api", __name__, url_prefix="/api")
        api.init_app(blueprint, add_specs=False)
        app.register_blueprint(blueprint)
        openapi.install(app, api, config)
        return app.test_client()

    return make


@pytest.fixture
def swagger(install: Install) -> dict[str, Any]:
    """Return the Swagger 2.0 document of the small API."""
    return dict(install(things()).get("/api/v1/swagger.json").get_json())


@pytest.fixture
def document(install: Install) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the small API."""
    return dict(install(things()).get("/api/v1/openapi.json").get_json())


class TestSwagger:
    def test_is_valid(self, swagger: dict[str, Any]) -> None:
        # then
        assert list(OpenAPIV2SpecValidator(swagger).iter_errors()) == []
        assert swagger["swagger"] == "2.0"

    def test_has_the_api_as_its_base(self, install: Install, swagger: dict[str, Any]) -> None:
        # given
        client = install(things(), PUBLIC_URL="https://example.org/blog")
        # when
        prefixed = client.get("/api/v1/swagger.json").get_json()
        # then
        assert swagger["basePath"] == "/api"
        assert "host" not in swagger
        assert set(swagger["paths"]) == {"/v1/things", "/v1/things/{id}"}
        assert prefixed["basePath"] == "/blog/api"

    def test_offers_signing_in_where_its_absolute_url_is_known(
        self, install: Install, swagger: dict[str, Any]
    ) -> None:
        # when
        public = install(things(), PUBLIC_URL="https://example.org/blog").get(
            "/api/v1/swagger.json"
        )
        # then
        flow = public.get_json()["securityDefinitions"]["password"]
        assert flow["tokenUrl"] == "https://example.org/blog/api/v1/auth/token"
        assert list(OpenAPIV2SpecValidator(public.get_json()).iter_errors()) == []
        assert list(swagger["securityDefinitions"]) == ["bearer"]
        assert swagger["paths"]["/v1/things"]["post"]["security"] == [{"bearer": []}]

    def test_says_null_in_words_of_its_own(self, swagger: dict[str, Any]) -> None:
        # when
        odd = swagger["definitions"]["Odd"]["properties"]
        # then
        assert odd["odd"] == {
            "type": "integer",
            "x-nullable": True,
            "minimum": 0,
            "exclusiveMinimum": True,
        }
        assert odd["either"] == {"x-nullable": True, "allOf": [{"$ref": "#/definitions/Owner"}]}

    def test_reads_forms_only_where_there_is_a_form(self, swagger: dict[str, Any]) -> None:
        # then
        assert swagger["paths"]["/v1/things/{id}"]["post"]["consumes"] == FORMS[:1]
        assert swagger["paths"]["/v1/things/{id}"]["patch"]["consumes"] == PATCHES


class TestOpenApi:
    def test_is_valid(self, document: dict[str, Any]) -> None:
        # then
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
        assert document["openapi"] == "3.1.1"

    def test_has_the_api_as_its_server(self, install: Install, document: dict[str, Any]) -> None:
        # given
        client = install(things(), PUBLIC_URL="https://example.org/blog")
        # when
        prefixed = client.get("/api/v1/openapi.json").get_json()
        # then
        assert document["servers"] == [{"url": "/api"}]
        assert prefixed["servers"] == [{"url": "/blog/api"}]

    def test_lists_the_bodies_of_a_patch(self, document: dict[str, Any]) -> None:
        # when
        content = document["paths"]["/v1/things/{id}"]["patch"]["requestBody"]["content"]
        # then
        assert list(content) == PATCHES
        assert content[PATCHES[0]]["schema"] == {"$ref": "#/components/schemas/Thing"}
        assert content[PATCHES[2]]["schema"] == {"$ref": "#/components/schemas/JsonPatch"}

    def test_reads_the_same_form_as_json(self, document: dict[str, Any]) -> None:
        # when
        content = document["paths"]["/v1/things/{id}"]["post"]["requestBody"]["content"]
        # then
        assert list(content) == FORMS
        assert content[FORMS[0]] == content[FORMS[1]]
        assert content[FORMS[0]]["schema"]["required"] == ["username"]

    def test_answers_errors_as_problems(self, document: dict[str, Any]) -> None:
        # when
        answers = document["paths"]["/v1/things"]["post"]["responses"]
        # then
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert answers["409"]["content"] == problem
        assert answers["default"]["content"] == problem
        assert list(answers["201"]["content"]) == ["application/json"]

    def test_describes_the_headers_of_answers(self, document: dict[str, Any]) -> None:
        # when
        answers = document["paths"]["/v1/things"]
        # then
        assert set(answers["post"]["responses"]["201"]["headers"]) == {"X-Request-Id", "Location"}
        assert set(answers["get"]["responses"]["200"]["headers"]) == {"X-Request-Id", "Link"}
        assert set(answers["post"]["responses"]["409"]["headers"]) == {"X-Request-Id"}

    def test_makes_null_a_type(self, document: dict[str, Any]) -> None:
        # when
        thing = document["components"]["schemas"]["Thing"]["properties"]
        odd = document["components"]["schemas"]["Odd"]["properties"]
        # then
        assert thing["at"]["type"] == ["string", "null"]
        assert thing["colour"]["enum"] == ["red", "blue", None]
        assert {"type": "null"} in thing["owner"]["anyOf"]
        assert thing["owner"]["description"] == "Who has it."
        assert odd["odd"] == {"type": ["integer", "null"], "exclusiveMinimum": 0}

    def test_repeats_a_list_parameter(self, document: dict[str, Any]) -> None:
        # when
        colour, limit = document["paths"]["/v1/things"]["get"]["parameters"]
        # then
        assert colour["schema"] == {
            "type": "array",
            "items": {"type": "string", "enum": ["red", "blue"]},
        }
        assert (colour["style"], colour["explode"]) == ("form", True)
        assert limit["required"] is True

    def test_offers_signing_in_by_password_or_token(self, document: dict[str, Any]) -> None:
        # when
        operations = document["paths"]["/v1/things"]
        schemes = document["components"]["securitySchemes"]
        # then
        assert operations["post"]["security"] == [{"bearer": []}, {"password": []}]
        assert operations["get"]["security"] == [{}, {"bearer": []}, {"password": []}]
        assert document["paths"]["/v1/things/{id}"]["post"]["security"] == []
        assert schemes["bearer"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        assert schemes["password"]["flows"]["password"]["tokenUrl"] == "/api/v1/auth/token"


@pytest.mark.parametrize("name", ["swagger.json", "openapi.json"])
class TestServed:
    def test_is_kept_by_its_etag(self, install: Install, name: str) -> None:
        # given
        client = install(things())
        first = client.get(f"/api/v1/{name}")
        # when
        again = client.get(f"/api/v1/{name}", headers={"If-None-Match": first.headers["ETag"]})
        # then
        assert first.status_code == 200
        assert first.content_type == "application/json"
        assert first.headers["Cache-Control"] == "public, no-cache"
        assert first.headers["ETag"].startswith('"')
        assert again.status_code == 304
        assert again.data == b""
        assert again.headers["ETag"] == first.headers["ETag"]

    def test_changes_its_etag_with_its_content(self, install: Install, name: str) -> None:
        # given
        other = install(things(), PUBLIC_URL="https://example.org/blog")
        # then
        first = install(things()).head(f"/api/v1/{name}")
        assert other.head(f"/api/v1/{name}").headers["ETag"] != first.headers["ETag"]


class TestStart:
    def test_fails_on_operations_of_one_name(self, install: Install) -> None:
        # given
        one, other = _with_get("one", "Say one", "say"), _with_get("other", "Say other", "say")
        # then
        with pytest.raises(openapi.SpecError, match="2 operations are called say"):
            install(one, other)

    def test_fails_on_an_operation_without_summary(self, install: Install) -> None:
        # then
        with pytest.raises(openapi.SpecError, match="GET /v1/one has no summary"):
            install(_with_get("one", "", "say"))

    def test_fails_on_different_models_of_one_name(self, install: Install) -> None:
        # given
        one, other = _with_get("one", "Say one", "sayOne"), _with_get("other", "Say", "sayOther")
        one.model("Word", {"text": restx.String()})
        other.model("Word", {"text": restx.Integer()})
        # then
        with pytest.raises(openapi.SpecError, match="one and other both have a model Word"):
            install(one, other)

    def test_fails_with_what_restx_stumbles_over(self, install: Install) -> None:
        # given
        ns = _with_get("one", "Say one", "say")
        ns.resources[0].resource.__apidoc__ = {"get": {"responses": {"200": ("OK", "Nobody")}}}
        # then
        with pytest.raises(ValueError, match="Nobody not registered"):
            install(ns)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A caller of the whole application; nothing here touches its database."""
    folder = tmp_path_factory.mktemp("data")
    return create_app(Config(SECRET_KEY="0123456789abcdef" * 3, DATA_DIR=folder)).test_client()


@pytest.fixture(scope="module")
def published(real: FlaskClient) -> dict[str, Any]:
    """Return the OpenAPI document of the whole application."""
    return dict(real.get("/api/v1/openapi.json").get_json())


def operations_of(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and operation of everything that a document describes."""
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


class TestApplication:
    def test_is_described_validly_in_both_forms(
        self, real: FlaskClient, published: dict[str, Any]
    ) -> None:
        # when
        swagger = real.get("/api/v1/swagger.json").get_json()
        # then
        assert list(OpenAPIV2SpecValidator(swagger).iter_errors()) == []
        assert list(OpenAPIV31SpecValidator(published).iter_errors()) == []

    def test_is_described_as_it_is_routed(
        self, real: FlaskClient, published: dict[str, Any]
    ) -> None:
        # when
        routed = {
            (method, re.sub(r"<(?:[^>]+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api"))
            for rule in real.application.url_map.iter_rules()
            for method in rule.methods or ()
            if rule.endpoint.startswith("api.") and rule.endpoint != "api.root"
            if method not in ("HEAD", "OPTIONS")
        }
        # then
        assert {(method, path) for method, path, _ in operations_of(published)} == routed

    def test_has_names_fit_for_generated_clients(self, published: dict[str, Any]) -> None:
        # when
        names = [operation["operationId"] for _, _, operation in operations_of(published)]
        # then
        assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name)] == []
        assert len(set(names)) == len(names)

    def test_shows_what_every_answer_holds(self, published: dict[str, Any]) -> None:
        # when
        bare = [
            (method, path, status)
            for method, path, operation in operations_of(published)
            for status, answer in operation["responses"].items()
            if status not in ("202", "204", "301", "304") and "content" not in answer
        ]
        # then
        assert set(bare) <= {
            ("POST", "/v1/auth/revoke", "200"),  # nothing to say (RFC 7009)
            ("POST", "/v1/trash/{type}/{id}/restoration", "200"),  # one of several shapes
        }

    def test_asks_for_a_token_wherever_it_writes(self, published: dict[str, Any]) -> None:
        # when
        anyone = {
            operation["operationId"]
            for method, _, operation in operations_of(published)
            if method != "GET" and (not operation["security"] or {} in operation["security"])
        }
        # then
        assert anyone == {"createUser", "createToken", "revokeToken"}

    def test_counts_ids(self, published: dict[str, Any]) -> None:
        # when
        (item,) = published["paths"]["/v1/posts/{id}"]["get"]["parameters"][-1:]
        # then
        assert item["name"] == "id"
        assert item["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}

    def test_explains_every_parameter(self, published: dict[str, Any]) -> None:
        # when
        mute = [
            (method, path, parameter["name"])
            for method, path, operation in operations_of(published)
            for parameter in operation.get("parameters", ())
            if not parameter.get("description")
        ]
        # then
        assert mute == []


def _with_get(name: str, summary: str, operation: str) -> Namespace:
    """Return a namespace of one operation."""
    ns = Namespace(name, path=f"/v1/{name}")

    class Only(Resource):  # type: ignore[misc]  # RESTX is untyped
        def get(self) -> None:
            pass

    Only.get.__doc__ = summary
    Only.get.__apidoc__ = {"id": operation}  # type: ignore[attr-defined]
    ns.add_resource(Only, "")
    return ns
