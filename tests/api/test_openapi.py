"""The two specifications: how a small API of every kind of shape is described, validly in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask_restx import Api, Namespace, Resource
from flask_restx import fields as restx
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from api import openapi
from config import Config
from tests.api.described import FORMS, PATCHES, things

Install = Callable[..., FlaskClient]


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
        assert list(content) == FORMS[::-1]  # clients are generated for the first
        assert content[FORMS[0]]["schema"]["additionalProperties"] == {"type": "string"}
        strict = content[FORMS[0]]["schema"] | {"additionalProperties": False}
        assert content[FORMS[1]]["schema"] == strict
        assert content[FORMS[0]]["schema"]["required"] == ["username"]

    def test_lets_bodies_have_no_other_members_and_answers_any(
        self, document: dict[str, Any]
    ) -> None:
        # when
        schemas = document["components"]["schemas"]
        # then
        assert schemas["Thing"]["additionalProperties"] is False
        assert schemas["Owner"]["additionalProperties"] is False
        assert schemas["Thing"]["properties"]["name"]["pattern"] == r"^[^\x00-\x1f\x7f]*$"
        assert "u202e" in schemas["Thing"]["properties"]["name"]["not"]["pattern"]
        assert "additionalProperties" not in schemas["Odd"]
        assert "additionalProperties" not in schemas["Problem"]

    def test_answers_errors_as_problems(self, document: dict[str, Any]) -> None:
        # when
        answers = document["paths"]["/v1/things"]["post"]["responses"]
        # then
        (conflict,) = answers["409"]["content"].values()
        assert list(answers["409"]["content"]) == ["application/problem+json"]
        assert conflict["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert conflict["examples"] == {"conflict": {"$ref": "#/components/examples/conflict"}}
        assert list(answers["default"]["content"]) == ["application/problem+json"]
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
        assert odd["odd"] == {
            "type": ["integer", "null"],
            "format": "int64",
            "exclusiveMinimum": 0,
        }

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
        assert list(schemes) == ["password", "bearer"]
        assert schemes["bearer"].items() >= {"type": "http", "scheme": "bearer"}.items()
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
