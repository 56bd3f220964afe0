"""Errors as RealWorld has them: ``{"errors": {"title": ["can't be blank"]}}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from signpost import request, services

#: Code of a fault → what is said of the field.
_SAID = {
    "required": "can't be blank",
    "null": "can't be blank",
    "taken": "has already been taken",
    "too_short": "is too short",
    "too_long": "is too long",
    "too_many": "has too many items",
    "format": "is invalid",
    "type": "is invalid",
    "too_common": "is one of the commonest passwords",
}
#: Our names of fields that RealWorld calls otherwise.
_CALLED = {"current_password": "currentPassword"}
_UNPROCESSABLE = 422
#: Member of a problem: the errors, where it is known what they are about.
_ERRORS = "realworld"


@contextmanager
def about(noun: str) -> Iterator[None]:
    """Say what is not there, or not the caller's to change, if the block finds that out."""
    try:
        yield
    except (services.NotFound, services.Forbidden) as exc:
        word = "not found" if isinstance(exc, services.NotFound) else "forbidden"
        exc.extra.setdefault(_ERRORS, {noun: [word]})
        raise


def shape(problem: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return errors and status of a problem."""
    status = problem["status"]
    if problem["code"] == "invalid-grant":
        return _errors({"credentials": ["invalid"]}, 401)
    if problem["code"] == "reauthentication-required":
        return _errors({"currentPassword": ["is missing or wrong"]}, _UNPROCESSABLE)
    if found := problem.get(_ERRORS):
        return _errors(found, status)
    if faults := problem.get("errors"):
        return _errors(_by_field(faults), _UNPROCESSABLE if status == 400 else status)
    if status == 401:
        said = "is invalid" if "Authorization" in request.headers else "is missing"
        return _errors({"token": [said]}, status)
    if status == 404:
        return _errors({"path": ["not found"]}, status)
    noun = "body" if status in {400, 413, 415} else "request"
    return _errors({noun: [problem["detail"]]}, _UNPROCESSABLE if status == 400 else status)


def _errors(errors: Mapping[str, list[str]], status: int) -> tuple[dict[str, Any], int]:
    return {"errors": dict(errors)}, status


def _by_field(faults: list[dict[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        field = fault["field"].partition(".")[0]
        said = _SAID.get(fault["code"], fault["message"])
        listed = found.setdefault(_CALLED.get(field, field), [])
        if said not in listed:
            listed.append(said)
    return found
