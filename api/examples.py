"""Examples for both specifications: bodies that can be sent as they stand, problems as they come.

They are made from what is declared: ``example`` of a field, the table of codes. A Swagger 2.0
document is completed here; api/openapi31.py takes over what is found in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from api.problems import CODES
from api.swagger import (
    JSON_PATCH,
    PROBLEM,
    PROBLEM_EXAMPLES,
    PROBLEM_TYPE,
    Document,
    operations,
)
from services.errors import ServiceError

#: Codes that not every operation of their status answers → what is in the path of those that do.
_ONLY = {
    "invalid-grant": ("/auth/token",),
    "reauthentication-required": ("/users",),
    "username-taken": ("/users",),
    "email-taken": ("/users",),
    "slug-taken": ("/posts", "/trash"),
    "parent-deleted": ("/trash",),
    "last-admin": ("/users",),
    "already-created": ("/auth/keys", "/totp"),
}
#: Any operation may answer these; they are told once, under ``default``.
_ANYWHERE = ("unknown-host", "method-not-allowed", "uri-too-long", "rate-limited", "timeout")
#: Faults of the examples, where a code comes with some.
_FAULTS = {
    "validation": ("title", "required", "Missing required field."),
    "username-taken": ("username", "taken", "Another user has it."),
    "email-taken": ("email", "taken", "Another user has it."),
    "slug-taken": ("slug", "taken", "Another post has it."),
}
#: Path of the request where a problem is shown for all operations.
_INSTANCE = "/api/v1/posts"
_EXTRA: dict[str, dict[str, Any]] = {
    "slug-taken": {"suggestion": "hello-world-2"},
    "unavailable": {"outcome": "unknown"},
}


def problem_of(code: str, base: str, instance: str) -> Document:
    """Return a problem of this code as a client would see it.

    Args:
        base: PUBLIC_URL, or empty.
        instance: path of the request.
    """
    kind = CODES[code]
    found: Document = {
        "type": f"{base}/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "detail": _details().get(code, kind.title + "."),
        "instance": instance,
        "request_id": "6f1c8a52d0b34b7c9e15a7c3f2d84e60",
    }
    if code in _FAULTS:
        found["errors"] = [dict(zip(("field", "code", "message"), _FAULTS[code], strict=True))]
    return found | _EXTRA.get(code, {})


def exemplify(document: Document, base: str) -> Document:
    """Return Swagger 2.0 with an example in every body and of every problem.

    Args:
        document: as api/swagger.py completes it; left as it is.
        base: PUBLIC_URL, or empty.
    """
    result = deepcopy(document)
    for name, definition in result["definitions"].items():
        if name not in ("Problem", "Fault") and (example := _example_of(definition)):
            definition["example"] = example
    result[PROBLEM_EXAMPLES] = {code: problem_of(code, base, _INSTANCE) for code in CODES}
    for method, path, operation in operations(result):
        for each in operation.get("parameters", []):
            if each["in"] == "body":
                _tell_json_patch(each, operation, result["definitions"])
        for status, response in operation["responses"].items():
            if response.get("schema") == PROBLEM:
                codes = list(_codes(status, method, path))
                _tell_problems(response, codes, base, result["basePath"] + path)
    return result


def _example_of(definition: Document) -> Document:
    """Return the members that have an example; a time only if it is needed, or all there is."""
    required, members = definition.get("required", []), definition.get("properties", {})
    shown = {name: member for name, member in members.items() if "example" in member}
    needed = {
        name: member
        for name, member in shown.items()
        if member.get("format") != "date-time" or name in required
    }
    return {name: member["example"] for name, member in (needed or shown).items()}


def _tell_json_patch(body: Document, operation: Document, definitions: Document) -> None:
    """Give a body that may be a JSON Patch an example: the same change, member by member."""
    if JSON_PATCH in operation.get("consumes", []):
        shape = definitions[body["schema"]["$ref"].rpartition("/")[2]]
        body[f"x-{JSON_PATCH}"] = [
            {"op": "replace", "path": f"/{name}", "value": value}
            for name, value in shape.get("example", {}).items()
        ][:1]


def _codes(status: str, method: str, path: str) -> Iterable[str]:
    if status == "default":
        return _ANYWHERE
    return (
        code
        for code, kind in CODES.items()
        if kind.status == int(status)
        and code != "unknown-host"
        and (code not in _ONLY or any(part in path for part in _ONLY[code]))
        and (code != "malformed-json" or method in ("post", "put", "patch"))
    )


def _tell_problems(response: Document, codes: list[str], base: str, path: str) -> None:
    """Name the codes of an answer and show the first, or in OpenAPI 3.1 each, as it would come."""
    if not codes:
        return
    response[PROBLEM_EXAMPLES] = codes
    response["examples"] = {PROBLEM_TYPE: problem_of(codes[0], base, path)}
    if response["description"] != "Any other problem.":
        response["description"] = " / ".join(CODES[code].title for code in codes)


def _details() -> dict[str, str]:
    """Return what each error says by itself: code → sentence."""
    found: dict[str, str] = {}
    waiting = [ServiceError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind.message)
        waiting += kind.__subclasses__()
    return found
