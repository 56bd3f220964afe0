"""Every operation of the specification is explained, and its example works when it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from signpost.contract import databases
from signpost.contract.factories import PASSWORD, make_user
from signpost.contract.plugin import MakeApp, MakeDatabase
from signpost.contract.selection import Kit
from signpost.contract.subject import Subject

FILES = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
#: A GIF of one pixel.
PICTURE = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


@dataclass
class Operation:
    """One operation of the specification."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def id(self) -> str:
        """Its name in generated clients."""
        return str(self.told["operationId"])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """All parameters but those of the body."""
        return list(self.told.get("parameters", []))

    @property
    def content(self) -> dict[str, Any]:
        """Media type → what the body is."""
        return dict(self.told.get("requestBody", {}).get("content", {}))


class Documented(Kit):
    """The operations of the core, or of one extension, as both specifications have them."""

    @pytest.fixture
    def document(self, subject: Subject) -> dict[str, Any]:
        """Return the OpenAPI document of the application."""
        return dict(subject.app.test_client().get("/api/v1/openapi.json").get_json())

    @pytest.fixture
    def operations(self, document: dict[str, Any], subject: Subject) -> list[Operation]:
        """Return every operation, in the order of the specification."""
        return operations_of(document, subject)

    def test_is_summed_up(self, operations: list[Operation]) -> None:
        for each in operations:
            summary, description = each.told["summary"], each.told.get("description", "")
            assert 5 <= len(summary) <= 60, each.id
            assert not summary.endswith("."), each.id
            assert description.endswith(".") or not description, each.id
            assert "{" not in summary + description, each.id

    def test_has_a_name_of_its_own(self, document: dict[str, Any], subject: Subject) -> None:
        everything = operations_of(document, Subject(subject.app, None))
        names = [each.id.lower() for each in everything]
        assert [name for name in names if names.count(name) > 1] == []

    def test_is_in_one_group_that_is_explained(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        groups = {each["name"]: each["description"] for each in document["tags"]}
        for each in operations:
            (group,) = each.told["tags"]
            assert groups[group], each.id

    def test_says_what_it_answers(self, operations: list[Operation]) -> None:
        for each in operations:
            answers = each.told["responses"]
            assert "default" in answers, each.id
            assert [status for status in answers if status.startswith("2")], each.id
            assert all(told["description"] for told in answers.values()), each.id

    def test_has_an_example_of_its_body(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        for each in operations:
            for media_type, content in each.content.items():
                assert example_of(document, content), (each.id, media_type)

    def test_has_an_example_of_what_its_url_needs(self, operations: list[Operation]) -> None:
        for each in operations:
            for parameter in each.parameters:
                assert parameter.get("description"), (each.id, parameter["name"])
                is_needed = parameter.get("required", False)
                assert ("example" in parameter) == is_needed, (each.id, parameter["name"])


class Pressed(Documented):
    """Every operation, sent as the console does if one only presses Execute."""

    before: ClassVar[Mapping[str, str]] = {}
    """What is sent before an operation, since one before used up what it needs."""
    last: ClassVar[tuple[str, ...]] = ()
    """Sent last: they need what others delete, or end the session that sends the others."""
    uploads: ClassVar[Mapping[str, Mapping[str, tuple[bytes, str]]]] = {}
    """Operation → field → content and name of a file; a picture in ``files`` unless it is here."""

    @pytest.fixture
    def fresh(
        self, make_database: MakeDatabase, _make_app: MakeApp, config: Config, tmp_path: Path
    ) -> Iterator[FlaskClient]:
        """The admin of a service that was just started: the only user, and no post."""
        url = make_database(f"operations_{self.extension or ''}")
        engine = databases.connect(url)
        with Session(engine) as session:
            make_user(session, "admin", role="admin")
        with _make_app(replace(config, DATABASE_URL=url, DATA_DIR=tmp_path)) as app:
            client = app.test_client()
            grant = {"grant_type": "password", "username": "admin", "password": PASSWORD}
            token = client.post("/api/v1/auth/token", json=grant).get_json()["access_token"]
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
            yield client
        engine.dispose()

    def test_every_example_works_on_a_fresh_service(
        self, fresh: FlaskClient, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        by_name = {each.id: each for each in operations}
        groups = [each["name"] for each in document["tags"]]
        for each in sorted(operations, key=lambda each: self._turn(each, groups)):
            if name := self.before.get(each.id):
                self.press(fresh, document, by_name[name])
            for media_type in each.content or [None]:
                answer = self.press(fresh, document, each, media_type)
                assert answer.status_code < 300, (each.id, media_type, answer.text)

    def press(
        self,
        client: FlaskClient,
        document: dict[str, Any],
        each: Operation,
        media_type: str | None = None,
    ) -> TestResponse:
        """Send an operation with its examples and defaults."""
        body: Any = None
        if media_type == FILES:
            files = self.uploads.get(each.id, {"files": (PICTURE, "harbour.jpg")})
            sent = {name: (BytesIO(content), as_) for name, (content, as_) in files.items()}
            body = {**(example_of(document, each.content[media_type]) or {}), **sent}
        elif media_type:
            example = example_of(document, each.content[media_type])
            is_form = media_type == FORM
            body = urlencode(example) if is_form else client.application.json.dumps(example)
        return client.open(_url(each), method=each.method, data=body, content_type=media_type)

    def _turn(self, each: Operation, groups: list[str]) -> tuple[int, bool, int]:
        """Return when an operation is sent: by groups, then what deletes, the other way round."""
        group, deletes = groups.index(each.told["tags"][0]), each.method == "DELETE"
        last = self.last.index(each.id) if each.id in self.last else -1
        return last, deletes, -group if deletes else group


def operations_of(document: dict[str, Any], subject: Subject) -> list[Operation]:
    """Return the operations of the core or of an extension."""
    return [
        Operation(method.upper(), path, told)
        for path, item in document["paths"].items()
        for method, told in item.items()
        if subject.has(f"/api{path}")
    ]


def example_of(document: dict[str, Any], content: dict[str, Any]) -> Any:
    """Return what the console fills in as a body; None if nothing is declared."""
    if "example" in content:
        return content["example"]
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    shown = {
        name: member["examples"][0]
        for name, member in schema["properties"].items()
        if "examples" in member
    }
    return shown or None


def _url(each: Operation) -> str:
    path, query = each.path, {}
    for parameter in each.parameters:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(str(parameter["example"])))
        elif parameter["in"] == "query" and "default" in schema:
            default = schema["default"]
            query[name] = str(default).lower() if default is False else str(default)
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = str(parameter["example"])
    return f"/api{path}?{urlencode(query)}"
