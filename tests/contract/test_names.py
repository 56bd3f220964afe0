"""Names in the specification: generated clients are made of them, so they keep to rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

VERBS = (
    *("list", "get", "create", "replace", "patch", "delete", "set", "revoke", "purge", "restore"),
    *("like", "unlike", "follow", "unfollow"),
)
OPERATION = re.compile(rf"(?:{'|'.join(VERBS)})(?:[A-Z][a-z]+)+")
MODEL = re.compile(r"(?:[A-Z][a-z]+)+")
#: Place → what the name of a parameter there looks like.
PARAMETERS = {
    "path": re.compile(r"[a-z]+(?:_[a-z]+)*"),
    "query": re.compile(r"[a-z]+(?:_[a-z]+)*"),
    "header": re.compile(r"[A-Z][a-z]+(?:-[A-Z][a-z]+)*"),
}
#: Words that a name cannot be in one of the languages, so that it would be another there.
RESERVED = {"type", "range", "default", "class", "from", "in", "is", "end", "func", "object"}
#: Answers that are no objects: streams, what RFC 7009 leaves empty, what files hold.
TEXTS = ("application/x-ndjson", "text/csv", "application/octet-stream", "image/webp", "*/*")
REF = "#/components/schemas/"


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """Return the specification."""
    return dict(client.get("/api/v1/openapi.json").get_json())


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every operation."""
    return [operation for item in document["paths"].values() for operation in item.values()]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield media type and schema of every body and answer that is JSON or a form."""
    parts = [operation.get("requestBody", {}), *operation["responses"].values()]
    for part in parts:
        for media_type, content in part.get("content", {}).items():
            if media_type not in TEXTS:
                yield media_type, content["schema"]


def referred(part: Any) -> Iterator[str]:
    """Yield the names of all schemas that a part of the document refers to."""
    if isinstance(part, dict):
        if str(part.get("$ref", "")).startswith(REF):
            yield part["$ref"].removeprefix(REF)
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from referred(each)


def test_an_operation_is_a_verb_and_a_noun(document: dict[str, Any]) -> None:
    # when
    names = [operation["operationId"] for operation in operations(document)]
    # then
    assert [name for name in names if not OPERATION.fullmatch(name)] == []
    assert len(names) == len(set(map(str.lower, names)))


def test_an_operation_belongs_to_one_group_that_is_told(document: dict[str, Any]) -> None:
    # given
    told = {tag["name"] for tag in document["tags"] if tag["description"]}
    # when
    groups = [operation["tags"] for operation in operations(document)]
    # then
    assert [group for group in groups if len(group) != 1] == []
    assert {group[0] for group in groups} == told


def test_every_body_and_answer_has_a_named_model(document: dict[str, Any]) -> None:
    # when
    inline = [
        (operation["operationId"], media_type, schema)
        for operation in operations(document)
        for media_type, schema in contents(operation)
        if set(schema) != {"$ref"}
    ]
    # then
    assert inline == []


def test_every_model_has_a_name_and_is_used(document: dict[str, Any]) -> None:
    # given
    schemas = document["components"]["schemas"]
    # when
    used = set(referred(document["paths"])) | set(referred(schemas))
    # then
    assert [name for name in schemas if not MODEL.fullmatch(name)] == []
    assert set(schemas) - used == set()


def test_a_page_is_named_after_its_items(document: dict[str, Any]) -> None:
    # given
    schemas = document["components"]["schemas"]
    # when
    pages = {name: each for name, each in schemas.items() if "items" in each.get("properties", {})}
    # then
    assert {name: page["properties"]["items"]["items"] for name, page in pages.items()} == {
        name: {"$ref": f"{REF}{name.removesuffix('Page')}"} for name in pages
    }
    assert len(pages) > 3


def test_no_model_has_an_object_without_a_name(document: dict[str, Any]) -> None:
    # when
    nameless = [
        (name, member)
        for name, schema in document["components"]["schemas"].items()
        for member, each in schema.get("properties", {}).items()
        if "properties" in each or "properties" in each.get("items", {})
    ]
    # then
    assert nameless == []


def test_parameters_are_named_in_one_way(document: dict[str, Any]) -> None:
    # when
    odd = [
        (operation["operationId"], parameter["in"], parameter["name"])
        for operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not PARAMETERS[parameter["in"]].fullmatch(parameter["name"])
        or parameter["name"] in RESERVED
    ]
    # then
    assert odd == []


def test_values_of_a_parameter_have_names_of_their_own(document: dict[str, Any]) -> None:
    # given
    parameters = [each for one in operations(document) for each in one.get("parameters", [])]
    # when
    choices = [each["schema"] for each in parameters if "enum" in each["schema"]]
    names = [each.get("x-enum-varnames", each["enum"]) for each in choices]
    # then
    assert all(len(re.findall(r"^-", "\n".join(map(str, told)), re.M)) == 0 for told in names)
    assert all(len(told) == len(set(told)) for told in names)


def test_an_id_has_room_for_every_id(document: dict[str, Any]) -> None:
    # when
    post = document["components"]["schemas"]["Post"]["properties"]["id"]
    # then
    assert (post["type"], post["format"]) == ("integer", "int64")
