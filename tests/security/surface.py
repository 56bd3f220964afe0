"""The surface that is attacked: every operation of the live OpenAPI document, filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models import Base

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
#: A name that no column, field or parameter has: what is hidden must be answered as this is.
NOBODY = "zq_nobody"
#: Every column of every table; what of it an operation does not declare is hidden.
COLUMNS = frozenset(column.name for table in Base.metadata.tables.values() for column in table.c)

#: What tells one refusal from another beside its words.
_OWN = re.compile(r'"(instance|request_id)":"[^"]*"')
#: Header lines that differ from answer to answer.
_VOLATILE = {"X-Request-Id", "Content-Length", "Date"}


@dataclass(frozen=True)
class Operation:
    """One verb of one URL.

    Args:
        path: with its variables: ``/api/v1/posts/{id}``.
        query: parameter → its schema.
        body: member → its schema, references resolved; None if nothing is read.
        types: the media types that it reads.
        required: the members without which a body is not complete.
    """

    method: str
    path: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    types: tuple[str, ...]
    required: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_list(self) -> bool:
        """Whether it answers pages."""
        return "limit" in self.query

    @property
    def variables(self) -> list[str]:
        """The variables of its path."""
        return re.findall(r"{(\w+)}", self.path)

    def url(self, **values: object) -> str:
        """Return its URL; variables that are not given become ones that nothing has."""
        given = {"kind": "posts", "id": 2**53 - 1} | values
        given = dict.fromkeys(("slug", "username", "name"), NOBODY) | given
        return re.sub(r"{(\w+)}", lambda match: str(given[match[1]]), self.path)

    def valid(self) -> dict[str, Any]:
        """Return the least body that is complete."""
        schemas = self.body or {}
        return {name: example(name, schemas[name]) for name in sorted(self.required)}


def operations(client: FlaskClient) -> list[Operation]:
    """Return every operation of the specification that the app serves now."""
    document = client.get("/api/v1/openapi.json").get_json()
    return [
        _operation(document, method, path, said)
        for path, verbs in document["paths"].items()
        for method, said in verbs.items()
        if method != "parameters"
    ]


def example(name: str, schema: Mapping[str, Any]) -> Any:
    """Return a value that ``schema`` allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if name == "email":
        return f"{NOBODY}@example.org"
    kind = kinds(schema)[0]
    return {
        "string": "an elephant in Cairo" if "password" in name else "zq-valid",
        "integer": 1,
        "boolean": True,
        "array": [],
        "object": {},
    }[kind]


def kinds(schema: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that ``schema`` allows."""
    kind = schema.get("type", "object")
    return kind if isinstance(kind, list) else [kind]


def texts(schema: Mapping[str, Any]) -> bool:
    """Whether ``schema`` is any text: not a choice, not a time."""
    return "string" in kinds(schema) and "enum" not in schema and "format" not in schema


def uniform(answer: TestResponse, name: str = "") -> tuple[Any, ...]:
    """Return all of an answer by which its reason could be told: status, headers, body.

    Args:
        name: the field that the caller named, and that the answer may therefore name.
    """
    body = _OWN.sub("", answer.text).replace(f'"field":"{name}"', '"field":""')
    headers = [(k, v) for k, v in answer.headers if k not in _VOLATILE]
    return answer.status_code, sorted(headers), body


def sent(operation: Operation, body: Any) -> Iterator[dict[str, Any]]:
    """Give ``body`` in each JSON media type that ``operation`` reads, as arguments of a client."""
    for kind in operation.types:
        if kind.endswith("json") and kind != JSON_PATCH:
            yield {"json": body, "content_type": kind}


#: Calls an operation: ``ask(operation, url, **arguments of the test client)``.
Ask = Callable[..., "TestResponse"]


def _operation(document: Any, method: str, path: str, said: Any) -> Operation:
    parameters = [_resolved(document, each) for each in said.get("parameters", [])]
    content = _resolved(document, said.get("requestBody", {})).get("content", {})
    schema = _resolved(document, content[JSON]["schema"]) if JSON in content else {}
    return Operation(
        method=method.upper(),
        path="/api" + path,
        query={each["name"]: each["schema"] for each in parameters if each["in"] == "query"},
        body=schema.get("properties", {}) if content else None,
        types=tuple(content),
        required=frozenset(schema.get("required", ())),
    )


def _resolved(document: Any, schema: Any) -> Any:
    """Follow the references of a schema, one level of members deep."""
    while "$ref" in schema:
        node = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    if "properties" in schema:
        members = {name: _resolved(document, each) for name, each in schema["properties"].items()}
        return {**schema, "properties": members}
    return schema
