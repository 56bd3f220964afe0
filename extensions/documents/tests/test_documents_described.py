"""How ``/api/documents`` is described, who may use it, that it keeps to what all have in common."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient

from signpost.contract import Contract

CAT = b'{"0": "cat"}'
DOCUMENTS, FORM = "/api/documents", "multipart/form-data"
SignIn = Callable[..., FlaskClient]


class TestContract(Contract):
    extension = "documents"
    uploads = {"uploadDocuments": {"FILES_LIST": (CAT, "labels.json")}}


class TestRights:
    @pytest.mark.parametrize(
        ("role", "status"), [(None, 401), ("reader", 403), ("author", 200), ("editor", 200)]
    )
    def test_authors_upload(
        self, client: FlaskClient, sign_in: SignIn, role: str | None, status: int
    ) -> None:
        # given
        caller = sign_in(role) if role else client
        # when
        sent = {"FILES_LIST": (BytesIO(CAT), "a.json")}
        answer = caller.post(DOCUMENTS, data=sent, content_type=FORM)
        # then
        assert answer.status_code == status
        assert client.get(f"{DOCUMENTS}/a.json").status_code == (200 if status == 200 else 404)

    def test_a_refusal_comes_before_what_is_wrong(self, client: FlaskClient) -> None:
        assert client.post(DOCUMENTS, json={}).status_code == 401

    @pytest.mark.parametrize("role", ["reader", "author", "editor", "admin"])
    def test_everybody_reads(self, ada: FlaskClient, sign_in: SignIn, role: str) -> None:
        # given
        sent = {"FILES_LIST": (BytesIO(CAT), "a.json")}
        ada.post(DOCUMENTS, data=sent, content_type=FORM)
        # then
        assert sign_in(role).get(f"{DOCUMENTS}/a.json").status_code == 200


class TestSpecification:
    @pytest.mark.parametrize("name", ["openapi.json", "swagger.json"])
    def test_describes_the_routes_in_a_group_of_their_own(
        self, client: FlaskClient, name: str
    ) -> None:
        # when
        document = client.get(f"/api/v1/{name}").get_json()
        own = {path: item for path, item in document["paths"].items() if "/documents" in path}
        upload, read = own["/documents"]["post"], own["/documents/{filename}"]["get"]
        # then
        assert "Documents" in [tag["name"] for tag in document["tags"]]
        assert own.keys() == {"/documents", "/documents/{filename}"}
        assert upload["tags"] == read["tags"] == ["Documents"]
        assert {} not in upload["security"]
        assert {} in read["security"]
        assert {"200", "400", "401", "403", "413", "415"} <= upload["responses"].keys()
        assert {"200", "404"} <= read["responses"].keys()

    def test_describes_the_form(self, client: FlaskClient) -> None:
        # given
        document = client.get("/api/v1/openapi.json").get_json()
        # when
        ((kind, body),) = document["paths"]["/documents"]["post"]["requestBody"]["content"].items()
        schema = body["schema"]
        shape = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        # then
        assert kind == FORM
        assert shape["required"] == ["FILES_LIST"]
        assert shape["properties"].keys() == {"FILES_LIST", "FILE_NAME"}
        assert shape["properties"]["FILES_LIST"]["type"] == "array"
