"""``/api/calculator``: what it adds, what it refuses and how, what it echoes, how it is told."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from signpost.contract import Contract

BASE = "/api/calculator"
NO_NUMBER, NO_ENDPOINT = "Invalid number as addend", "Invalid endpoint"


def in_query(client: FlaskClient, first: str, second: str) -> Any:
    """Ask for a sum by the query."""
    return client.get(f"{BASE}/sum", query_string={"number1": first, "number2": second})


def in_path(client: FlaskClient, first: str, second: str) -> Any:
    """Ask for a sum by the path."""
    return client.get(f"{BASE}/sum/{quote(first, '')}/{quote(second, '')}")


def refused(answer: Any) -> dict[str, str]:
    """Return which fields are faulty; the problem has to be that of an addend."""
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (problem["status"], problem["code"]) == (400, "validation")
    assert problem["message"] == NO_NUMBER
    assert "total_sum" not in problem
    return {each["field"]: each["code"] for each in problem["errors"]}


class TestContract(Contract):
    extension = "calculator"


@pytest.mark.parametrize("ask", [in_query, in_path])
class TestSum:
    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("13", "28", 41.0),
            ("-1", "+1", 0.0),
            (".5", "5.", 5.5),
            ("1e3", "1E-3", 1000.001),
            ("007", "-0", 7.0),
            ("0.1", "0.2", 0.30000000000000004),
            ("1e308", "-1e308", 0.0),
            ("9007199254740993", "0", 9007199254740992.0),
            ("1e-999", "0", 0.0),
        ],
    )
    def test_adds_floats(
        self, client: FlaskClient, ask: Any, first: str, second: str, expected: float
    ) -> None:
        # when
        answer = ask(client, first, second)
        # then
        assert answer.status_code == 200, answer.text
        assert answer.get_json() == {
            "number1": float(first),
            "number2": float(second),
            "total_sum": expected,
        }

    def test_shows_whole_numbers_as_floats(self, client: FlaskClient, ask: Any) -> None:
        assert ask(client, "13", "28").data == b'{"number1":13.0,"number2":28.0,"total_sum":41.0}'

    @pytest.mark.parametrize(
        "text",
        [
            *("x", "1_000", "1,5", "0x10", "١٢", "½", "²", "inf", "-Infinity", "nan", "1e", "."),
            *("+", "--1", "1 2", " 5", "5 ", "5\n", "\u00a05", "1e1.5", "true", "null"),
        ],
    )
    def test_of_what_is_no_number(self, client: FlaskClient, ask: Any, text: str) -> None:
        assert refused(ask(client, text, "1")) == {"number1": "format"}
        assert refused(ask(client, "1", text)) == {"number2": "format"}
        assert refused(ask(client, text, text)) == {"number1": "format", "number2": "format"}

    def test_says_in_detail_which_addend_is_not_valid(self, client: FlaskClient, ask: Any) -> None:
        # when
        first, second, both = ask(client, "x", "1"), ask(client, "1", "x"), ask(client, "x", "x")
        details = [answer.get_json()["detail"] for answer in (first, second, both)]
        # then
        found = [("number1" in detail, "number2" in detail) for detail in details]
        assert found == [(True, False), (False, True), (True, True)]

    @pytest.mark.parametrize("text", ["1e309", "-1e309", "9" * 400])
    def test_of_more_than_a_float_holds(self, client: FlaskClient, ask: Any, text: str) -> None:
        assert refused(ask(client, "1", text)) == {"number2": "too_large"}

    def test_that_is_more_than_a_float_holds(self, client: FlaskClient, ask: Any) -> None:
        for sign in ("", "-"):
            answer = ask(client, f"{sign}1e308", f"{sign}1e308")

            assert refused(answer) == {"total_sum": "too_large"}
            assert "total_sum" in answer.get_json()["detail"]


class TestQuery:
    @pytest.mark.parametrize(
        ("query", "faults"),
        [
            ("", {"number1": "required", "number2": "required"}),
            ("number1=1", {"number2": "required"}),
            ("number1=&number2=2", {"number1": "format"}),
            ("number1=1&number1=1&number2=2", {"number1": "repeated"}),
            ("number1=1&number2=+2", {"number2": "format"}),
            ("number1=%D9%A1&number2=2", {"number1": "format"}),
            ("number1=x&number2=2&z=1", {"number1": "format", "z": "unknown"}),
        ],
    )
    def test_without_two_numbers(
        self, client: FlaskClient, query: str, faults: dict[str, str]
    ) -> None:
        assert refused(client.get(f"{BASE}/sum?{query}")) == faults

    @pytest.mark.parametrize("path", ["sum?number1=1&number2=2&z=1", "sum/1/2?z=1", "echo/x?z=1"])
    def test_with_a_parameter_that_there_is_not(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(f"{BASE}/{path}")
        problem = answer.get_json()
        # then
        assert (answer.status_code, problem["code"]) == (400, "validation")
        assert [(each["field"], each["code"]) for each in problem["errors"]] == [("z", "unknown")]
        assert problem["detail"].startswith("z: ")
        assert problem["message"] == problem["title"]


class TestEcho:
    @pytest.mark.parametrize(
        "text",
        [
            "x",
            "Good  morning ",
            "a/b",
            "a//b/",
            "äöü \u4e2d 😀",
            "%",
            "1+1",
            "?&#",
            "a\nb\r\n",
            '"\\',
        ],
    )
    def test_says_a_text_twice(self, client: FlaskClient, text: str) -> None:
        for safe in ("/", ""):
            answer = client.get(f"{BASE}/echo/{quote(text, safe)}")

            assert answer.status_code == 200, answer.text
            assert answer.get_json() == {"echo": f"{text} {text}"}

    @pytest.mark.parametrize("text", ["", "/", "//x", "%00", "a%00b"])
    def test_of_nothing_and_of_nul(self, client: FlaskClient, text: str) -> None:
        # when
        answer = client.get(f"{BASE}/echo/{text}")
        # then
        assert answer.status_code == 404
        assert answer.get_json()["message"] == NO_ENDPOINT


class TestElsewhere:
    @pytest.mark.parametrize("path", ["", "/", "/product/1/2", "/sum/1", "/sum/1/2/3", "/SUM/1/2"])
    def test_there_is_nothing(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(BASE + path)
        problem = answer.get_json()
        # then
        assert answer.content_type == "application/problem+json"
        assert (answer.status_code, problem["code"]) == (404, "not-found")
        assert problem["message"] == NO_ENDPOINT

    def test_a_wrong_method_has_a_message_too(self, client: FlaskClient) -> None:
        # when
        answer = client.post(f"{BASE}/sum/1/2")
        problem = answer.get_json()
        # then
        assert (answer.status_code, problem["code"]) == (405, "method-not-allowed")
        assert problem["message"] == problem["title"]

    def test_others_problems_have_no_message(self, client: FlaskClient) -> None:
        for path in ("/api/calculators", "/api/v1/nowhere"):
            assert "message" not in client.get(path).get_json()


class TestEtag:
    def test_is_asked_after(self, client: FlaskClient) -> None:
        # given
        tag = client.get(f"{BASE}/sum/1/2").headers["ETag"]
        # when
        again = client.get(f"{BASE}/sum/1/2", headers={"If-None-Match": tag})
        other = client.get(f"{BASE}/sum/1/3", headers={"If-None-Match": tag})
        # then
        assert (again.status_code, again.data) == (304, b"")
        assert other.status_code == 200


class TestSpecification:
    @pytest.mark.parametrize("name", ["openapi.json", "swagger.json"])
    def test_describes_the_routes_in_a_group_of_their_own(
        self, client: FlaskClient, name: str
    ) -> None:
        # when
        document = client.get(f"/api/v1/{name}").get_json()
        own = {path: item for path, item in document["paths"].items() if "/calculator" in path}
        # then
        assert "Calculator" in [tag["name"] for tag in document["tags"]]
        assert own.keys() == {
            "/calculator/sum",
            "/calculator/sum/{number1}/{number2}",
            "/calculator/echo/{text}",
        }
        assert {tag for item in own.values() for tag in item["get"]["tags"]} == {"Calculator"}
        assert all({"200", "400"} <= item["get"]["responses"].keys() for item in own.values())

    def test_says_that_both_numbers_are_needed(self, client: FlaskClient) -> None:
        # given
        paths = client.get("/api/v1/openapi.json").get_json()["paths"]
        # when
        told = [
            (each["name"], each["in"], each["required"], each["schema"]["type"])
            for path in ("/calculator/sum", "/calculator/sum/{number1}/{number2}")
            for each in paths[path]["get"]["parameters"]
        ]
        # then
        names = ("number1", "number2")
        assert told == [
            (name, place, True, "number") for place in ("query", "path") for name in names
        ]

    def test_shows_what_a_sum_is(self, client: FlaskClient) -> None:
        # given
        schemas = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]
        answer = in_query(client, "13", "28").get_json()
        # then
        assert schemas["Sum"]["properties"].keys() == answer.keys()
        assert set(schemas["Sum"]["required"]) == answer.keys()
