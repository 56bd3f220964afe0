"""Accept: which representation is answered, with weights, wildcards and what browsers send."""

from __future__ import annotations

import pytest
from flask import Flask

from api.accept import CSV, JSON, LISTS, NDJSON, NotAcceptable, best

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)


def answered(accept: str | None) -> str:
    headers = {} if accept is None else {"Accept": accept}
    with Flask("api").test_request_context(headers=headers):
        return best(LISTS)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/X-NDJSON", NDJSON),
        ("text/csv", CSV),
        ("text/csv; header=absent", CSV),
        ("text/*", CSV),
        (FIREFOX, JSON),
        (CHROME, JSON),
        ("application/json, text/plain, */*", JSON),
    ],
)
def test_one_that_is_named(accept: str | None, expected: str) -> None:
    assert answered(accept) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0.2, application/x-ndjson;q=0.3, application/json;q=0.1", NDJSON),
        ("application/json;q=0, */*", NDJSON),
        ("application/*;q=0, */*;q=0.1", CSV),
        ("text/csv;q=0.9, */*;q=0.8", CSV),
        ("text/csv, application/json", JSON),
        ("application/x-ndjson, */*", NDJSON),
        ("*/*;q=0.5, application/x-ndjson;q=0.4", JSON),
        ("text/html, text/csv;q=0.001", CSV),
    ],
)
def test_the_one_liked_best(accept: str, expected: str) -> None:
    assert answered(accept) == expected


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/*",
        "application/xml, text/plain",
        "application/json;q=0",
        "*/*;q=0",
        "application/problem+json",
        "application/x-ndjson+json",
        "json",
        "*",
    ],
)
def test_none_of_them_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        answered(accept)
    assert refused.value.public_code == "not-acceptable"
    assert refused.value.extra == {"available": [JSON, NDJSON, CSV]}
