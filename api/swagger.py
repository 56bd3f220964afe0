"""Make what Flask-RESTX says about itself valid and complete Swagger 2.0.

RESTX writes keywords that Swagger 2.0 does not have (``null`` types), knows one media type, and
nothing of the headers and problems that every answer of ours may carry. All of that is added here,
by rule, so that no endpoint has to say it. api/openapi31.py turns the result into OpenAPI 3.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from typing import Any

#: Part of a specification: JSON as Python has it.
Document = dict[str, Any]

#: In the order in which people look for them.
METHODS = ("get", "post", "put", "patch", "delete")

#: Vendor field by which an operation names the media types it reads; RESTX has no other way.
CONSUMES = "x-consumes"
#: Vendor field by which an operation that reads a form names the model of the same as JSON.
JSON_MODEL = "x-json-model"
#: Vendor field by which an operation says that it answers bytes; RESTX knows models alone.
SENDS_FILE = "x-sends-file"
#: Vendor field with the example of a parameter, which Swagger 2.0 has only in bodies.
EXAMPLE = "x-example"
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH_TYPES = ["application/merge-patch+json", "application/json"]
PROBLEM_TYPE = "application/problem+json"
#: Vendor field of an answer: codes that its problem may have; of a document: one of each code.
PROBLEM_EXAMPLES = "x-problems"
PROBLEM = {"$ref": "#/definitions/Problem"}

#: What an operation needs that says nothing: no token, but one may change what is seen.
_ANYONE: list[Document] = [{}, {"bearer": []}]

BEARER = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Bearer` and an access token.",
}
_TEXT = {"type": "string"}
#: Headers that belong to an answer by its status; the others are declared where they are sent.
HEADERS: dict[str, Document] = {
    "X-Request-Id": _TEXT | {"description": "Names this request in the log; yours if you sent one."}
}
HEADERS_BY_STATUS: dict[str, dict[str, Document]] = {
    "201": {"Location": _TEXT | {"description": "Path of what was created."}},
    "202": {"Location": _TEXT | {"description": "Path where the progress is told."}},
    "304": {"ETag": _TEXT | {"description": "Still the present one."}},
    "401": {"WWW-Authenticate": _TEXT | {"description": "The scheme to use, and what was wrong."}},
    "405": {"Allow": _TEXT | {"description": "The methods that there are."}},
    "412": {"ETag": _TEXT | {"description": "The present one."}},
    "429": {"Retry-After": {"type": "integer", "description": "Seconds to wait."}},
    "503": {"Retry-After": {"type": "integer", "description": "Seconds to wait."}},
}

DEFINITIONS: dict[str, Document] = {
    "Fault": {
        "type": "object",
        "required": ["field", "code", "message"],
        "properties": {
            "field": _TEXT | {"description": "Dotted path, list positions from 0: `tags.3`."},
            "code": _TEXT | {"description": "Stable, for programs: `required`, `too_long` ..."},
            "message": _TEXT | {"description": "One sentence for people."},
        },
    },
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
        "properties": {
            "type": _TEXT | {"format": "uri-reference", "description": "A page about the code."},
            "title": _TEXT,
            "status": {"type": "integer"},
            "code": _TEXT | {"description": "Stable, for programs: `validation` ..."},
            "detail": _TEXT,
            "instance": _TEXT | {"format": "uri-reference", "description": "Path of the request."},
            "request_id": _TEXT | {"description": "As in `X-Request-Id`."},
            "errors": {"type": "array", "items": {"$ref": "#/definitions/Fault"}},
        },
    },
}


def complete(document: Document, base: str) -> Document:
    """Return RESTX's description as valid Swagger 2.0 with everything our answers have.

    Args:
        document: what RESTX wrote; left as it is.
        base: path under which all paths are, such as ``/blog/api``.
    """
    result: Document = _plain(document)
    result |= {"basePath": base, "definitions": DEFINITIONS | result.get("definitions", {})}
    result["produces"] = ["application/json", PROBLEM_TYPE]
    result["securityDefinitions"] = {"bearer": BEARER}
    for unused in ("host", "responses", "security"):
        result.pop(unused, None)
    result["paths"] = {path: _sorted(item) for path, item in result["paths"].items()}
    _tell_bodies_from_answers(result)
    for method, path, operation in operations(result):
        _complete_operation(method, result["paths"][path], operation)
    return {name: value for name, value in result.items() if value not in (None, [])}


def offer_password(document: Document, token_url: str) -> Document:
    """Return the document saying that wherever a token will do, signing in by password does too.

    Args:
        token_url: absolute in Swagger 2.0, which knows no other; a path will do in OpenAPI 3.1.
    """
    result = deepcopy(document)
    result["securityDefinitions"]["password"] = {
        "type": "oauth2",
        "flow": "password",
        "tokenUrl": token_url,
        "scopes": {},
        "description": "Sign in with user name (or email) and password.",
    }
    for _, _, operation in operations(result):
        if any("bearer" in each for each in operation["security"]):
            operation["security"].append({"password": []})
    return result


def _sorted(item: Document) -> Document:
    """Return a path's operations in one order; RESTX has them in that of a set."""
    rest = {name: value for name, value in item.items() if name not in METHODS}
    return rest | {method: item[method] for method in METHODS if method in item}


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield method, path and operation of everything that can be called."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def _tell_bodies_from_answers(document: Document) -> None:
    """Say that bodies have no other members, and nothing of the characters in answers.

    A later version may add members to answers and let more characters into them.
    """
    definitions = document["definitions"]
    bodies: set[str] = set()
    for _, path, operation in operations(document):
        parameters = operation.get("parameters", []) + document["paths"][path].get("parameters", [])
        named = {"$ref": f"#/definitions/{operation.get(JSON_MODEL)}"}
        _collect([named, *(each.get("schema") for each in parameters)], definitions, bodies)
    for name, definition in definitions.items():
        if name in bodies:
            definition.setdefault("additionalProperties", False)
        else:
            _drop_patterns(definition)


def _collect(part: Any, definitions: Document, found: set[str]) -> None:
    """Add the names of the definitions that a part refers to, directly or not."""
    if isinstance(part, list):
        for each in part:
            _collect(each, definitions, found)
    elif isinstance(part, dict):
        name = str(part.get("$ref", "")).removeprefix("#/definitions/")
        if name in definitions and name not in found:
            found.add(name)
            _collect(definitions[name], definitions, found)
        _collect([each for key, each in part.items() if key != "example"], definitions, found)


def _drop_patterns(definition: Document) -> None:
    for member in definition.get("properties", {}).values():
        member.pop("pattern", None)
        member.get("items", {}).pop("pattern", None)


def _complete_operation(method: str, item: Document, operation: Document) -> None:
    parameters = operation.get("parameters", []) + item.get("parameters", [])
    places = {each["in"] for each in parameters}
    for each in parameters:
        if each["in"] == "path" and "minimum" in each:
            each["type"] = "integer"  # RESTX takes every converter of ours for text
    if method == "patch" and "body" in places:
        operation.setdefault(CONSUMES, MERGE_PATCH_TYPES)
    if FORM in operation.get("consumes", ()):
        operation.setdefault(CONSUMES, [FORM])  # RESTX says that forms with files are read, too
    if types := operation.get(CONSUMES):
        operation["consumes"] = [FORM] if "formData" in places and FORM in types else types
    operation["security"] = [*operation.get("security", _ANYONE)]
    responses = operation["responses"]
    if operation.pop(SENDS_FILE, False):
        for status in {"200", "206"} & set(responses):
            # "file" would be right, but checkers take it for a fault.
            responses[status]["schema"] = {"type": "string", "format": "binary"}
    responses.setdefault("default", {"description": "Any other problem."})
    for status, response in responses.items():
        _complete_response(status, response)


def _complete_response(status: str, response: Document) -> None:
    if status == "default" or status >= "400":
        response.setdefault("schema", PROBLEM)  # an extension may answer errors of another shape
    headers = HEADERS | HEADERS_BY_STATUS.get(status, {}) | response.get("headers", {})
    response["headers"] = headers


def _plain(part: Any) -> Any:
    """Return a copy in which every schema keeps to the keywords of Swagger 2.0."""
    if isinstance(part, Collection) and not isinstance(part, str | dict):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    result = {str(name): _plain(value) for name, value in part.items()}
    if isinstance(result.get("type"), list):
        _unlist_type(result)
    if isinstance(result.get("anyOf"), list):
        _unnest_null(result)
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(result.get(bound), int | float) and not isinstance(result[bound], bool):
            result |= {limit: result[bound], bound: True}
    if result.get("type") == "array" and "enum" in result and "items" in result:
        result["items"]["enum"] = result.pop("enum")  # RESTX puts an argument's choices on the list
    return result


def _unlist_type(schema: Document) -> None:
    types = [each for each in schema["type"] if each != "null"]
    schema["x-nullable"] = len(types) < len(schema["type"])
    schema["type"] = types[0]
    if None in schema.get("enum", []):
        schema["enum"] = [each for each in schema["enum"] if each is not None]


def _unnest_null(schema: Document) -> None:
    kinds = [each for each in schema.pop("anyOf") if each != {"type": "null"}]
    schema["x-nullable"] = True
    if "$ref" in kinds[0]:
        schema["allOf"] = kinds
    else:
        schema |= kinds[0]
