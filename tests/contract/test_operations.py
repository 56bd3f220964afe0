"""Every operation of the specification is explained, and its example works when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.app import create_app
from api.problems import CODES
from config import Config
from tests import databases
from tests.conftest import MakeDatabase
from tests.factories import PASSWORD, make_user

FILES = "multipart/form-data"
#: A GIF of one pixel.
PICTURE = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
FORM = "application/x-www-form-urlencoded"
#: What is sent before an operation, since one before used up what it needs.
BEFORE = {"getDeletion": "deletePost"}
#: In this order, whatever stands between them.
FIRST = ("Posts", "Users", "Trash")
#: Sent last: they need what others delete, or end the session that sends the others.
LAST = ("purgeItem", "deleteSession")
MakeApp = Callable[[Config], AbstractContextManager[Flask]]


@dataclass
class Operation:
    """One operation of the specification."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["operationId"])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """All parameters but those of the body."""
        return list(self.told.get("parameters", []))

    @property
    def content(self) -> dict[str, Any]:
        """Media type → what the body is."""
        return dict(self.told.get("requestBody", {}).get("content", {}))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the OpenAPI document of the application; nothing here touches its database."""
    config = Config(SECRET_KEY="0123456789abcdef" * 3, DATA_DIR=tmp_path_factory.mktemp("data"))
    return dict(create_app(config, ()).test_client().get("/api/v1/openapi.json").get_json())


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    """Return every operation, in the order of the specification."""
    return [
        Operation(method.upper(), path, told)
        for path, item in document["paths"].items()
        for method, told in item.items()
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


class TestOperation:
    def test_is_explained(self, operations: list[Operation]) -> None:
        for each in operations:
            summary, description = each.told["summary"], each.told.get("description", "")
            assert 5 <= len(summary) <= 60, each.id
            assert not summary.endswith("."), each.id
            assert description.endswith("."), each.id
            assert "{" not in summary + description, each.id

    def test_is_in_one_group_that_is_explained(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        groups = [each["name"] for each in document["tags"]]
        assert [each for each in groups if each in FIRST] == [*FIRST]
        assert all(each["description"] for each in document["tags"])
        for each in operations:
            (group,) = each.told["tags"]
            assert group in groups, each.id

    def test_stands_where_one_looks_for_it(self, operations: list[Operation]) -> None:
        names = [each.id for each in operations]
        posts = ["listPosts", "createPost", "getPost", "replacePost", "patchPost", "deletePost"]
        assert names[:6] == posts

    def test_has_an_example_of_its_body(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        for each in operations:
            for media_type, content in each.content.items():
                assert example_of(document, content), (each.id, media_type)

    def test_has_an_example_of_what_its_url_needs(self, operations: list[Operation]) -> None:
        for each in operations:
            for parameter in each.parameters:
                assert parameter["description"], (each.id, parameter["name"])
                is_needed = parameter.get("required", False)
                assert ("example" in parameter) == is_needed, (each.id, parameter["name"])

    def test_shows_each_error_that_it_answers(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        problems = document["components"]["examples"]
        assert list(problems) == list(CODES)
        for each in operations:
            answers = each.told["responses"]
            assert {"400", "500", "503", "default"} <= set(answers), each.id
            for status, answer in answers.items():
                if status >= "400":
                    (content,) = answer["content"].values()
                    assert content["examples"], (each.id, status)
                    for code, shown in content["examples"].items():
                        assert shown == {"$ref": f"#/components/examples/{code}"}
                        assert status in ("default", str(CODES[code].status)), (each.id, code)

    def test_names_codes_only_where_they_belong(self, operations: list[Operation]) -> None:
        by_name = {each.id: each for each in operations}
        conflict = by_name["createPost"].told["responses"]["409"]["content"]
        assert list(conflict["application/problem+json"]["examples"]) == ["conflict", "slug-taken"]


@pytest.fixture(scope="module")
def fresh(
    make_database: MakeDatabase,
    _make_app: MakeApp,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FlaskClient]:
    """The admin of a service that was just started: the only user, and no post."""
    url = make_database("operations")
    engine = databases.connect(url)
    with Session(engine) as session:
        make_user(session, "admin", role="admin")
    config = Config(
        DATABASE_URL=url,
        DATA_DIR=tmp_path_factory.mktemp("data"),
        SECRET_KEY="0123456789abcdef" * 3,
        RATE_LIMITS=False,
    )
    with _make_app(config) as app:
        client = app.test_client()
        grant = {"grant_type": "password", "username": "admin", "password": PASSWORD}
        token = client.post("/api/v1/auth/token", json=grant).get_json()["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        yield client
    engine.dispose()


def press(
    client: FlaskClient, document: dict[str, Any], each: Operation, media_type: str | None = None
) -> TestResponse:
    """Send an operation as the console does if one only presses Execute."""
    path = each.path
    query = {}
    for parameter in each.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        elif parameter["in"] == "query" and "default" in parameter["schema"]:
            default = parameter["schema"]["default"]
            query[parameter["name"]] = str(default).lower() if default is False else str(default)
    body: Any = None
    if media_type == FILES:
        fields = example_of(document, each.content[media_type])
        body = {**fields, "files": (BytesIO(PICTURE), "harbour.jpg")}
    elif media_type:
        example = example_of(document, each.content[media_type])
        body = urlencode(example) if media_type == FORM else client.application.json.dumps(example)
    url = f"/api{path}?{urlencode(query)}"
    return client.open(url, method=each.method, data=body, content_type=media_type)


def _turn(each: Operation, groups: list[str]) -> tuple[int, bool, int]:
    """Return when an operation is sent: group by group, then what deletes, the other way round."""
    group, deletes = groups.index(each.told["tags"][0]), each.method == "DELETE"
    last = LAST.index(each.id) if each.id in LAST else -1
    return last, deletes, -group if deletes else group


class TestPressed:
    def test_every_example_works_on_a_fresh_service(
        self, fresh: FlaskClient, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        by_name = {each.id: each for each in operations}
        groups = [each["name"] for each in document["tags"]]
        for each in sorted(operations, key=lambda each: _turn(each, groups)):
            if name := BEFORE.get(each.id):
                press(fresh, document, by_name[name])
            for media_type in each.content or [None]:
                answer = press(fresh, document, each, media_type)
                assert answer.status_code < 300, (each.id, media_type, answer.text)

    def test_creating_a_post_works_as_often_as_one_likes(
        self,
        sign_in: Callable[[Any], FlaskClient],
        session: Session,
        document: dict[str, Any],
        operations: list[Operation],
    ) -> None:
        client = sign_in(make_user(session, role="admin"))
        (create,) = (each for each in operations if each.id == "createPost")
        statuses = [
            press(client, document, create, "application/json").status_code for _ in range(3)
        ]
        assert statuses == [201, 201, 201]
        assert session.scalar(sa.text("SELECT count(*) FROM posts")) == 3
