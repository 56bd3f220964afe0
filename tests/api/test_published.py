"""The specifications of the whole application: valid, complete, and as it is routed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from api.app import create_app
from config import Config


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A caller of the whole application; nothing here touches its database."""
    folder = tmp_path_factory.mktemp("data")
    return create_app(Config(SECRET_KEY="0123456789abcdef" * 3, DATA_DIR=folder), ()).test_client()


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
            ("POST", "/v1/trash/{kind}/{id}/restoration", "200"),  # one of several shapes
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
        assert item["schema"] == {
            "type": "integer",
            "format": "int64",
            "minimum": 1,
            "maximum": 2**53 - 1,
        }

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
