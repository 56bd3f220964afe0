"""``/api/hello_rest``: whom it greets in which language, what it refuses, how it is described."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from signpost.contract import Contract

BASE = "/api/hello_rest"
DIFFERENT = "lang is given twice, with different values."


def said(answer: Any) -> str:
    """Return the greeting."""
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    body: dict[str, str] = answer.get_json()
    assert body.keys() == {"message"}
    return body["message"]


def refused(answer: Any) -> tuple[str, dict[str, str]]:
    """Return the detail of a problem and its faults by field."""
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (problem["status"], problem["code"]) == (400, "validation")
    return problem["detail"], {each["field"]: each["code"] for each in problem["errors"]}


class TestContract(Contract):
    extension = "hello_rest"


class TestHello:
    @pytest.mark.parametrize("path", ["", "/"])
    def test_greets(self, client: FlaskClient, path: str) -> None:
        assert said(client.get(BASE + path)) == "Hello Rest"

    def test_takes_no_parameters(self, client: FlaskClient) -> None:
        assert refused(client.get(f"{BASE}?lang=de"))[1] == {"lang": "unknown"}

    def test_is_not_posted(self, client: FlaskClient) -> None:
        # when
        answer = client.post(BASE)
        # then
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("method", ["GET", "POST"])
class TestGreet:
    def test_in_english_unless_asked(self, client: FlaskClient, method: str) -> None:
        assert said(client.open(f"{BASE}/greet/Grace", method=method)) == "Hello Grace"

    @pytest.mark.parametrize(("lang", "word"), [("en", "Hello"), ("de", "Hallo"), ("es", "Hola")])
    def test_in_a_language(self, client: FlaskClient, method: str, lang: str, word: str) -> None:
        answer = client.open(f"{BASE}/greet/Grace?lang={lang}", method=method)

        assert said(answer) == f"{word} Grace"

    @pytest.mark.parametrize("lang", ["xx", "", "EN", "de ", "en,de", "ch\u00fcr"])
    def test_in_another_language(self, client: FlaskClient, method: str, lang: str) -> None:
        # when
        answer = client.open(f"{BASE}/greet/Grace", method=method, query_string={"lang": lang})
        # then
        assert refused(answer) == (f"invalid language: {lang}", {"lang": "choice"})
        assert "message" not in answer.get_json()

    def test_twice_in_the_same_language(self, client: FlaskClient, method: str) -> None:
        assert said(client.open(f"{BASE}/greet/A?lang=de&lang=de", method=method)) == "Hallo A"

    def test_in_two_languages(self, client: FlaskClient, method: str) -> None:
        for query in ("lang=de&lang=es", "lang=en&lang=de", "lang=de&lang=de&lang=es"):
            answer = client.open(f"{BASE}/greet/A?{query}", method=method)

            assert refused(answer) == (DIFFERENT, {"lang": "repeated"})

    @pytest.mark.parametrize(
        "name", ["Grace Hopper", "AC/DC", "a//b/", "Zo\u00eb \u4e2d", "<b>", "a\nb", "%", "me", "1"]
    )
    def test_any_name(self, client: FlaskClient, method: str, name: str) -> None:
        for safe in ("/", ""):
            answer = client.open(f"{BASE}/greet/{quote(name, safe)}", method=method)

            assert said(answer) == f"Hello {name}"

    @pytest.mark.parametrize("name", ["", "/", "/x", "a%00"])
    def test_no_name(self, client: FlaskClient, method: str, name: str) -> None:
        assert client.open(f"{BASE}/greet/{name}", method=method).status_code == 404

    def test_with_a_parameter_that_there_is_not(self, client: FlaskClient, method: str) -> None:
        answer = client.open(f"{BASE}/greet/A?lang=de&name=B", method=method)

        assert refused(answer)[1] == {"name": "unknown"}


class TestForm:
    def test_says_the_language(self, client: FlaskClient) -> None:
        assert said(client.post(f"{BASE}/greet/Grace", data={"lang": "es"})) == "Hola Grace"

    def test_says_another_language(self, client: FlaskClient) -> None:
        answer = client.post(f"{BASE}/greet/Grace", data={"lang": "xx"})

        assert refused(answer) == ("invalid language: xx", {"lang": "choice"})

    def test_says_it_twice(self, client: FlaskClient) -> None:
        same = client.post(f"{BASE}/greet/A", data={"lang": ["de", "de"]})
        different = client.post(f"{BASE}/greet/A", data={"lang": ["de", "es"]})

        assert said(same) == "Hallo A"
        assert refused(different) == (DIFFERENT, {"lang": "repeated"})

    def test_and_the_query_have_to_agree(self, client: FlaskClient) -> None:
        same = client.post(f"{BASE}/greet/A?lang=de", data={"lang": "de"})
        different = client.post(f"{BASE}/greet/A?lang=en", data={"lang": "de"})

        assert said(same) == "Hallo A"
        assert refused(different) == (DIFFERENT, {"lang": "repeated"})

    def test_has_no_other_fields(self, client: FlaskClient) -> None:
        answer = client.post(f"{BASE}/greet/A", data={"lang": "de", "name": "B"})

        assert refused(answer)[1] == {"name": "unknown"}

    def test_is_no_json_and_nothing_long(self, client: FlaskClient) -> None:
        # when
        json = client.post(f"{BASE}/greet/A", json={"lang": "de"})
        long = client.post(f"{BASE}/greet/A", data={"lang": "x" * 100_000})
        # then
        assert (json.status_code, json.get_json()["code"]) == (415, "unsupported-media-type")
        assert refused(long)[0] == f"invalid language: {'x' * 40}"


class TestSpecification:
    @pytest.mark.parametrize("name", ["openapi.json", "swagger.json"])
    def test_describes_the_routes_in_a_group_of_their_own(
        self, client: FlaskClient, name: str
    ) -> None:
        # when
        document = client.get(f"/api/v1/{name}").get_json()
        own = {path: item for path, item in document["paths"].items() if "/hello_rest" in path}
        operations = [
            item[verb] for item in own.values() for verb in ("get", "post") if verb in item
        ]
        # then
        assert "Hello" in [tag["name"] for tag in document["tags"]]
        assert own.keys() == {"/hello_rest", "/hello_rest/greet/{name}"}
        assert [each["tags"] for each in operations] == [["Hello"]] * 3
        assert [each["security"][0] for each in operations] == [{}] * 3  # a token is not needed

    def test_names_the_languages(self, client: FlaskClient) -> None:
        # given
        document = client.get("/api/v1/openapi.json").get_json()
        greet = document["paths"]["/hello_rest/greet/{name}"]
        # when
        (in_query,) = (each for each in greet["get"]["parameters"] if each["in"] == "query")
        ((kind, form),) = greet["post"]["requestBody"]["content"].items()
        # then
        assert kind == "application/x-www-form-urlencoded"
        for schema in (in_query["schema"], form["schema"]["properties"]["lang"]):
            assert schema["enum"] == ["en", "de", "es"]
            assert schema["default"] == "en"
        assert not in_query.get("required")
        assert not greet["post"]["requestBody"].get("required")
