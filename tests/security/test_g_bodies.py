"""Section G: bodies and numbers that are too deep, too many, too large or not there at all."""

from __future__ import annotations

import gc
import gzip
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import code, data, faults, ids
from tests.security.sender import Sender
from tests.security.surface import FORM, JSON_PATCH, Operation, kinds

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.security.conftest import Locate, Stored

HUGE = (2**31, 2**53, 2**63, 2**64, 10**30, 10**400)
#: What no whole number is, though some languages read one in it.
NO_NUMBERS = (
    *("1_0", "\u0661", "\uff11", "\xb2", "%2B1", "%201", "1%20", "1.0", "1.", "1e1", "0x10", "0b1"),
    *("01", "00", "-0", "NaN", "Infinity", "null", "true", "one", "", "1,2", "1;2", "[1]", "~1"),
)
#: Seconds of CPU that a hostile body may cost.
BUDGET = 0.2


def numbers(operation: Operation) -> Iterator[str]:
    """Give each parameter that is a whole number, or several."""
    for name, schema in operation.query.items():
        if "integer" in kinds(schema.get("items", schema)):
            yield name


class TestCase099:
    """Depth is limited."""

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            b'[{"a":' * 50_000,
            b'{"title":' + b"[" * 33 + b"]" * 33 + b"}",
            b"[" * 33 + b"]" * 33,
            b'[{"op":"test","path":"/tags","value":' + b"[" * 31 + b"]" * 31 + b"}]",
        ],
        ids=lambda body: f"{len(body)}-{body[:6].decode()}",
    )
    def test_case_099_nesting(self, sender: Sender, stored: Stored, body: bytes) -> None:
        before = stored()
        for operation, kind in sender.reading:
            if kind != FORM:
                assert code(sender.raw(operation, body, kind)) == "malformed-json", operation
        assert stored() == before

    def test_case_099_thirty_two_levels_are_read(self, sender: Sender) -> None:
        for operation, kind in sender.reading:
            body = b'{"zq":' + b"[" * 31 + b"]" * 31 + b"}"
            if kind.endswith("json"):
                assert code(sender.raw(operation, body, kind)) == "validation", operation


class TestCase100:
    """Only what is a number in JSON is one."""

    def test_case_100_what_is_none(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation, kind in sender.reading:
            for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1E400", "9" * 5_000):
                for body in (text, f"[{text}]", f'{{"zq": {text}}}', f'[{{"value": {text}}}]'):
                    if kind != FORM:
                        answer = sender.raw(operation, body.encode(), kind)
                        assert code(answer) == "malformed-json", (operation, body)
            for text in ("+1", "01", "1.", ".5", "0x1", "1_0", "inf", "nan", "\u0661", "True"):
                if kind != FORM:
                    answer = sender.raw(operation, f'{{"zq": {text}}}'.encode(), kind)
                    assert code(answer) == "malformed-json", (operation, text)
        assert stored() == before


class TestCase101:
    """A number beyond what is there is not there, and never an overflow."""

    def test_case_101_in_a_path(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation in sender.surface:
            for number in (*HUGE, -1, 0) if "id" in operation.variables else ():
                url = operation.url(id=number)
                answer = sender.client.open(url, method=operation.method)
                assert code(answer) == "not-found", (operation, number)
        assert stored() == before

    def test_case_101_in_a_query(self, sender: Sender) -> None:
        for operation in sender.surface:
            for name in numbers(operation):
                for number in (*HUGE[1:], -1, -(2**63), 0):
                    answer = sender.query(operation, f"{name}={number}")
                    assert faults(answer).keys() == {name}, (operation, name, number)
                answer = sender.query(operation, f"{name}={2**31}")
                assert answer.status_code == 400 or ids(answer) == []

    def test_case_101_in_a_body_or_a_version(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        for operation, kind in sender.reading:
            for number in HUGE if kind.endswith("json") else ():
                body = json.dumps({"zq": number}).encode()
                assert code(sender.raw(operation, body, kind)) == "validation"
                if operation.method in {"PUT", "PATCH"}:
                    answer = sender.client.patch(
                        "/api/v1/users/me", json={"bio": "x"}, headers={"If-Match": f'"{number}"'}
                    )
                    assert code(answer) == "precondition-failed"
        assert stored() == before


class TestCase102:
    """A limit is a whole number from 1 to 100, in one spelling."""

    def test_case_102_spellings(self, sender: Sender) -> None:
        for operation in sender.surface:
            for name in numbers(operation):
                for text in {*NO_NUMBERS, "0", "-1"} - ({"1,2"} if name == "ids" else set()):
                    answer = sender.query(operation, f"{name}={text}")
                    assert faults(answer).keys() == {name}, (operation, name, text)

    @pytest.mark.parametrize("limit", [101, 1_000, 1_000_000, 2**31])
    def test_case_102_more_than_a_hundred(self, sender: Sender, limit: int) -> None:
        for operation in sender.surface:
            if operation.is_list:
                answer = sender.query(operation, f"limit={limit}")
                assert faults(answer) == {"limit": "too_large"}
                assert data(sender.query(operation, "limit=100"))["items"] is not None


class TestCase103:
    """Depth costs nothing, for it is refused."""

    @pytest.mark.parametrize(
        "query", ["page=1000000", "page=10001", "page=10000&limit=2", "page=501"]
    )
    def test_case_103_pages(self, sender: Sender, count_queries: Any, query: str) -> None:
        for operation in sender.surface:
            if operation.is_list:
                with count_queries() as queries:
                    answer = sender.query(operation, query)
                assert faults(answer) == {"page": "too_large"}
                assert "cursor" in answer.text
                assert [each for each in queries if "OFFSET" in each] == []

    def test_case_103_the_last_page_is_there(self, sender: Sender) -> None:
        for operation in sender.surface:
            if operation.is_list:
                assert data(sender.query(operation, "page=10000&limit=1"))["items"] == []


class TestCase111:
    """Nothing is unpacked."""

    def test_case_111_compressed_bodies(self, sender: Sender, stored: Stored) -> None:
        before = stored()
        bomb = gzip.compress(b" " * 10_000_000)
        for operation, kind in sender.reading:
            for coding in (
                "gzip",
                "GZIP",
                "x-gzip",
                "deflate",
                "br",
                "zstd",
                "gzip, gzip",
                "rot13",
            ):
                answer = sender.raw(operation, bomb, kind, Content_Encoding=coding)
                assert code(answer) == "unsupported-media-type", (operation, coding)
        assert stored() == before


class TestCase112:
    """What is large is refused in little time."""

    @pytest.fixture(autouse=True)
    def frozen(self) -> None:
        """As the server does: what is there before a request is nothing to look through."""
        gc.collect()
        gc.freeze()

    @pytest.mark.parametrize(
        "body",
        [
            b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
            b"[" + b",".join([b"1"] * 1_000_000) + b"]",
            b'{"tags":[' + b",".join([b"1"] * 1_000_000) + b"]}",
            b'{"tags":[' + b",".join([b'""'] * 500_000) + b"]}",
            b'[{"op":"add","path":"/tags","value":[' + b",".join([b"1"] * 1_000_000) + b"]}]",
            b"[" + b",".join([b"{}"] * 600_000) + b"]",
            b"[" + b",".join([b"[]"] * 600_000) + b"]",
            b"[" * 100_001 + b'"' + b'\\"' * 800_000,
            b'{"title":"' + b"\\u0301" * 300_000 + b'"}',
            b'{"title":"a' + "\u0301".encode() * 900_000 + b'"}',
            b"&".join([b"a=1"] * 400_000),
            b"a" * 2_000_000,
            b"%61" * 600_000,
        ],
        ids=lambda body: ascii(body[:14]),
    )
    def test_case_112_keys_and_items(self, sender: Sender, stored: Stored, body: bytes) -> None:
        before, slow = stored(), {}
        for operation, kind in sender.reading:
            if operation.method != "POST" and kind != JSON_PATCH:
                continue  # they read it in the same way
            spent = []
            for _ in range(3):
                started = time.thread_time()
                answer = sender.raw(operation, body, kind)
                spent.append(time.thread_time() - started)
                assert answer.status_code in {400, 413}, operation
                assert len(answer.data) < 300_000
                if spent[-1] < BUDGET:
                    break
            if min(spent) >= BUDGET:
                slow[str(operation), kind] = spent
        assert slow == {}
        assert stored() == before

    @pytest.mark.parametrize(
        "operations",
        [
            [{"op": "add", "path": "/tags", "value": [1] * 900_000}],
            [
                {"op": "add", "path": "/tags", "value": [1] * 90_000},
                *[{"op": "copy", "from": "/tags", "path": "/excerpt"}] * 499,
            ],
            [
                {"op": "add", "path": "/body", "value": "a" * 1_900_000},
                *[{"op": "copy", "from": "/body", "path": "/tags/-"}] * 499,
            ],
            [{"op": "add", "path": "/body", "value": "a" * 3_900}] * 499,
            [{"op": "copy", "from": "/tags", "path": "/tags/0"}] * 500,
            [{"op": "add", "path": "/title", "value": 10**30}],
            [{"op": "test", "path": "/title", "value": [10**30]}],
        ],
        ids=lambda operations: f"{len(operations)}-{str(operations)[-40:]}",
    )
    def test_case_112_a_patch_that_copies_and_copies(
        self, sender: Sender, existing: Locate, stored: Stored, operations: list[Any]
    ) -> None:
        before, spent = stored(), []
        (operation,) = (each for each in sender.surface if str(each) == "PATCH /api/v1/posts/{id}")
        for _ in range(3):
            body = json.dumps(operations, separators=(",", ":")).encode()
            started = time.thread_time()
            answer = sender.raw(operation, body, JSON_PATCH)
            spent.append(time.thread_time() - started)
            assert answer.status_code in {200, 400}, answer.text
            if spent[-1] < BUDGET:
                break
        assert min(spent) < BUDGET
        if answer.status_code == 400:
            assert stored() == before


class TestCase113:
    """Asking how the service does, asks the database once a second at most."""

    def test_case_113_many_questions_one_check(
        self, client: FlaskClient, count_queries: Any
    ) -> None:
        urls: tuple[str, ...] = (
            "/readyz",
            "/healthz",
            "/api/v1/openapi.json",
            "/api/v1/swagger.json",
            "/docs",
            "/",
        )
        urls = (*urls, "/.well-known/jwks.json", "/metrics", "/problems/not-found")
        for url in urls:
            client.get(url)
        started = time.monotonic()
        with count_queries() as queries:
            for _ in range(60):
                for url in urls:
                    assert client.get(url).status_code in {200, 503}
        seconds = time.monotonic() - started
        checks = [each for each in queries if "alembic_version" in each]
        assert len(checks) <= seconds + 1
        others = [each for each in queries if each not in checks and "pg_catalog" not in each]
        assert others == []
