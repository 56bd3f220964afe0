"""Swagger 2.0 into OpenAPI 3.1: pure functions over the vocabulary that Flask-RESTX has.

Source: the OpenAPI Specification 3.1.1 and, for schemas, JSON Schema 2020-12.
"""

from __future__ import annotations

from typing import Any

from api.accept import CSV, JSON, NDJSON
from api.portable import names, portable, sized
from api.swagger import (
    CONSUMES,
    EXAMPLE,
    FORM,
    JSON_MODEL,
    JSON_PATCH,
    METHODS,
    PROBLEM,
    PROBLEM_EXAMPLES,
    PROBLEM_TYPE,
    Document,
    operations,
)

#: What of a Swagger 2.0 parameter or header is a schema in OpenAPI 3.1.
_SCHEMA_KEYS = frozenset(
    [
        "type",
        "format",
        "items",
        "default",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "enum",
        "multipleOf",
        "x-nullable",
        "example",
    ]
)

#: A stream: items, or rows of a table; OpenAPI 3.1 cannot say of what form each line is.
_LINES: Document = {"type": "string", "description": "All items, one a line; see the docs."}
#: A JSON pointer. Source: RFC 6901, section 3.
_POINTER = "^(?:/(?:[^~/]|~[01])*)*$"
#: RFC 6902, which Swagger 2.0 cannot say beside another shape of the same body.
JSON_PATCH_SCHEMAS: Document = {
    "JsonPatch": {
        "type": "array",
        "description": "Operations on the item, applied in order, all or none (RFC 6902).",
        "items": {"$ref": "#/components/schemas/JsonPatchOperation"},
    },
    "JsonPatchOperation": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {
                "type": "string",
                "enum": ["add", "remove", "replace", "move", "copy", "test"],
            },
            "path": {"type": "string", "pattern": _POINTER, "description": "JSON pointer."},
            "from": {
                "type": "string",
                "pattern": _POINTER,
                "description": "JSON pointer; for move and copy.",
            },
            "value": {"description": "For add, replace and test."},
        },
    },
}

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token that you have already.",
}


def convert(document: Document) -> Document:
    """Return a Swagger 2.0 document, as api/swagger.py completes it, as OpenAPI 3.1."""
    paths = {path: _path(item) for path, item in document["paths"].items()}
    schemas = {name: _schema(each) for name, each in document["definitions"].items()}
    if any(JSON_PATCH in each.get(CONSUMES, ()) for _, _, each in operations(document)):
        schemas |= JSON_PATCH_SCHEMAS
    components = {
        "schemas": schemas,
        "securitySchemes": _security_schemes(document["securityDefinitions"]),
    }
    if problems := document.get(PROBLEM_EXAMPLES):
        components["examples"] = {
            code: {"summary": problem["title"], "value": problem}
            for code, problem in problems.items()
        }
    return {
        "openapi": "3.1.1",
        "info": document["info"],
        "servers": [{"url": document["basePath"]}],
        "paths": paths,
        "components": components,
        "tags": document.get("tags", []),
    }


def _path(item: Document) -> Document:
    """Return a path's operations, each with the parameters that they share."""
    shared = item.get("parameters", [])
    return {method: _operation(item[method], shared) for method in METHODS if method in item}


def _operation(operation: Document, shared: list[Document]) -> Document:
    result = {
        name: value
        for name, value in operation.items()
        if name not in ("consumes", "produces", "parameters", CONSUMES, JSON_MODEL)
    }
    own = operation.get("parameters", [])
    named = {(each["name"], each["in"]) for each in own}
    every = [*own, *(each for each in shared if (each["name"], each["in"]) not in named)]
    if params := [_parameter(each) for each in every if each["in"] not in ("body", "formData")]:
        result["parameters"] = params
    types = operation.get(CONSUMES) or operation.get("consumes")
    if body := _body(every, types, operation.get(JSON_MODEL)):
        result["requestBody"] = body
    answers = [each for each in operation.get("produces", [JSON]) if each != PROBLEM_TYPE]
    result["responses"] = {
        status: _response(status, each, answers) for status, each in operation["responses"].items()
    }
    return result


def _parameter(parameter: Document) -> Document:
    result = {
        name: value
        for name, value in parameter.items()
        if name not in _SCHEMA_KEYS and name not in ("collectionFormat", "schema", EXAMPLE)
    }
    if EXAMPLE in parameter:
        result["example"] = parameter[EXAMPLE]
    result["schema"] = _inline(parameter)
    if parameter["in"] == "path":
        result["required"] = True
    if parameter.get("type") == "array" and parameter["in"] == "query":
        result |= {"style": "form", "explode": parameter.get("collectionFormat") == "multi"}
    return result


def _body(
    parameters: list[Document], types: list[str] | None, json_model: str | None
) -> Document | None:
    for each in parameters:
        if each["in"] == "body":
            content = {name: _content(name, each) for name in types or ["application/json"]}
            told = {"description": each["description"]} if "description" in each else {}
            return told | {"required": each.get("required", False), "content": content}
    fields = [each for each in parameters if each["in"] == "formData"]
    if not fields:
        return None
    schema: Document = {"type": "object", "properties": {}}
    for each in fields:
        told = {"description": each["description"]} if "description" in each else {}
        shown = {"examples": [each[EXAMPLE]]} if EXAMPLE in each else {}
        schema["properties"][each["name"]] = _inline(each) | told | shown
    if required := [each["name"] for each in fields if each.get("required")]:
        schema["required"] = required
    # Of a form, unknown fields are ignored but may not be repeated. Source: RFC 6749, section 3.1.
    form = schema | {"additionalProperties": {"type": "string"}}
    other = schema | {"additionalProperties": False}
    if json_model:
        # One name for both: generators drop the model that only a form has, but not its imports.
        form = other = {"$ref": f"#/components/schemas/{json_model}"}
    # Generated clients take the first: of JSON they make a model, and some send no form at all.
    ordered = sorted(types or [FORM], key=FORM.__eq__)
    content = {name: {"schema": form if name == FORM else other} for name in ordered}
    return {"required": bool(required), "content": content}


def _content(media_type: str, body: Document) -> Document:
    if media_type == JSON_PATCH:
        told = {"example": body[f"x-{JSON_PATCH}"]} if body.get(f"x-{JSON_PATCH}") else {}
        return {"schema": {"$ref": "#/components/schemas/JsonPatch"}} | told
    return {"schema": _schema(body.get("schema", {}))}


def _response(status: str, response: Document, types: list[str]) -> Document:
    result: Document = {"description": response.get("description", "")}
    if response.get("schema") == PROBLEM:
        types = [PROBLEM_TYPE]
    if "schema" in response:
        result["content"] = {name: _answered(name, response["schema"]) for name in types}
        if codes := response.get(PROBLEM_EXAMPLES):
            result["content"][PROBLEM_TYPE]["examples"] = {
                code: {"$ref": f"#/components/examples/{code}"} for code in codes
            }
    result["headers"] = {
        name: {"schema": _inline(each)}
        | ({"description": each["description"]} if "description" in each else {})
        for name, each in response.get("headers", {}).items()
    }
    return result


def _answered(media_type: str, schema: Any) -> Document:
    """Return what an answer is in a media type; of streams only that they are text can be said."""
    lines = media_type in (NDJSON, CSV)
    return {"schema": _LINES if lines else _schema(schema)}


def _security_schemes(definitions: Document) -> Document:
    flow = definitions["password"]
    password = {"type": "oauth2", "description": flow["description"]}
    password["flows"] = {"password": {"tokenUrl": flow["tokenUrl"], "scopes": flow["scopes"]}}
    return {"password": password, "bearer": _BEARER}


def _inline(part: Document) -> Document:
    """Return the schema that a parameter or header of Swagger 2.0 carries within itself."""
    own = {name: value for name, value in part.items() if name in _SCHEMA_KEYS}
    schema: Document = _schema(part.get("schema", own))
    return schema


def _schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result: Document = {}
    for name, value in schema.items():
        result |= _keyword(name, value)
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(result.get(bound), bool) and result.pop(bound) and limit in result:
            result[bound] = result.pop(limit)
    if result.get("type") == "file":
        result |= {"type": "string", "contentMediaType": "application/octet-stream"}
    if result.get("type") == "array":
        result.setdefault("items", {})
    result = sized(result)
    return _nullable(result) if result.pop("x-nullable", False) else result


def _keyword(name: str, value: Any) -> Document:
    if name == "$ref":
        return {name: value.replace("#/definitions/", "#/components/schemas/")}
    if name == "properties":
        return {name: {each: _schema(member) for each, member in value.items()}}
    if name == "discriminator":
        return {name: {"propertyName": value}}
    if name == "example":
        return {"examples": [value]}
    if name == "x-mask":
        return {}
    if name == "pattern" and isinstance(value, str):
        return portable(value)
    if name == "enum" and (told := names(value)):
        return {name: value, "x-enum-varnames": told}
    return {name: value if name in ("default", "enum") else _schema(value)}


def _nullable(schema: Document) -> Document:
    if "allOf" in schema or "$ref" in schema:
        told = {name: value for name, value in schema.items() if name not in ("allOf", "$ref")}
        kinds = schema.get("allOf") or [{"$ref": schema["$ref"]}]
        return {"anyOf": [*kinds, {"type": "null"}]} | told
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*(each for each in schema["enum"] if each is not None), None]
    return schema
