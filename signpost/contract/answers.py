"""What tests read of an answer: the code of a problem, its faults, the versions of an ETag."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse


def code(answer: TestResponse) -> str:
    """Return the code of a problem."""
    assert answer.content_type == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == answer.status_code
    return str(problem["code"])


def faults(answer: TestResponse) -> dict[str, str]:
    """Return the faults of a problem: field → code."""
    assert answer.status_code in {400, 409}, answer.text
    return {each["field"]: each["code"] for each in answer.get_json()["errors"]}


def items(answer: TestResponse) -> list[Any]:
    """Return the items of a page."""
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["items"])


def ids(answer: TestResponse) -> list[int]:
    """Return the ids of a page's items."""
    return [each["id"] for each in items(answer)]


def data(answer: TestResponse, status: int = 200) -> Any:
    """Return what an answer that must have ``status`` says."""
    assert answer.status_code == status, answer.text
    return answer.get_json()
