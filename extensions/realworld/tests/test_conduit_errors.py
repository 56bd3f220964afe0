"""What is wrong with a request is told in RealWorld's shape, and only below its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conduit import Caller


class TestUnknown:
    @pytest.mark.parametrize("path", ["/nothing", "/articles/a/b/c", "/articles/x/comments/abc"])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_paths_are_404_in_its_shape(self, anyone: Caller, path: str, method: str) -> None:
        answer = anyone.ask(method, path)
        assert answer.status_code in {404, 405}
        assert list(answer.get_json()) == ["errors"]
        assert answer.content_type == "application/json"

    def test_methods_are_405_in_its_shape(self, anyone: Caller) -> None:
        answer = anyone.ask("PATCH", "/user")
        assert answer.status_code == 405
        assert list(answer.get_json()) == ["errors"]
        assert "PUT" in answer.headers["Allow"]

    def test_paths_of_the_core_keep_theirs(self, anyone: Caller) -> None:
        answer = anyone.client.get("/api/v1/posts/99999")
        assert answer.content_type == "application/problem+json"
        answer = anyone.client.get("/api/realworlds")
        assert answer.content_type == "application/problem+json"


class TestBody:
    @pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"user": {"a": NaN}}'])
    def test_that_is_no_json(self, anyone: Caller, body: bytes) -> None:
        found = anyone.ask("POST", "/users", data=body, content_type="application/json")
        assert found.status_code == 422
        assert set(found.get_json()["errors"]) == {"body"}

    def test_of_another_type(self, anyone: Caller) -> None:
        found = anyone.ask("POST", "/users", data={"user": "x"})
        assert found.status_code == 415
        assert set(found.get_json()["errors"]) == {"body"}

    def test_that_is_too_large(self, anyone: Caller) -> None:
        found = anyone.ask("POST", "/users", json={"user": {"bio": "x" * 3_000_000}})
        assert found.status_code == 413
        assert set(found.get_json()["errors"]) == {"body"}

    @pytest.mark.parametrize("value", [7, True, [], {}, 1.5])
    @pytest.mark.parametrize("field", ["title", "description", "body"])
    def test_with_values_of_other_types(self, ada: Caller, field: str, value: Any) -> None:
        given = {"title": "a", "description": "b", "body": "c", field: value}
        assert ada.errors("POST", "/articles", 422, {"article": given}) == {field: ["is invalid"]}

    def test_where_none_is_expected_is_ignored(self, ada: Caller) -> None:
        slug = ada.publish()["slug"]
        empty: dict[str, Any] = {"data": b"", "content_type": "application/json"}
        junk: dict[str, Any] = {"data": b"{cut", "content_type": "application/json"}
        usual: dict[str, Any] = {"json": {}}
        for sent in (empty, junk, usual):
            for path in ("/user", "/articles", "/articles/feed", "/tags", f"/articles/{slug}"):
                assert ada.ask("GET", path, **sent).status_code == 200
            for method in ("POST", "DELETE"):
                assert ada.ask(method, f"/articles/{slug}/favorite", **sent).status_code == 200
        assert ada.ask("DELETE", f"/articles/{slug}", **empty).status_code == 204


class TestUrl:
    def test_needs_no_slash_and_is_never_redirected(self, ada: Caller) -> None:
        for path in ("/user", "/articles", "/tags", "/articles/feed"):
            assert ada.ask("GET", path).status_code == 200

    def test_errors_are_specified_in_its_shape(self, anyone: Caller) -> None:
        document = anyone.client.get("/api/v1/openapi.json").get_json()
        said = document["paths"]["/realworld/articles/{slug}"]["put"]["responses"]
        assert set(said) == {"200", "401", "403", "404", "422", "default"}
        for status in set(said) - {"200"}:
            (content,) = said[status]["content"].items()
            assert content[0] == "application/json"
            assert content[1]["schema"]["$ref"].endswith("/ConduitErrors")

    def test_every_operation_is_in_the_specification(self, anyone: Caller) -> None:
        document = anyone.client.get("/api/v1/openapi.json").get_json()
        found = {
            (method.upper(), path.removeprefix("/realworld"))
            for path, item in document["paths"].items()
            if path.startswith("/realworld/")
            for method in item
            if method != "parameters"
        }
        article, person = "/articles/{slug}", "/profiles/{username}"
        assert found == {
            *(("POST", "/users"), ("POST", "/users/login"), ("GET", "/user"), ("PUT", "/user")),
            *(("GET", person), ("POST", f"{person}/follow"), ("DELETE", f"{person}/follow")),
            *(("GET", "/articles"), ("GET", "/articles/feed"), ("POST", "/articles")),
            *(("GET", article), ("PUT", article), ("DELETE", article)),
            *(("GET", f"{article}/comments"), ("POST", f"{article}/comments")),
            ("DELETE", f"{article}/comments/{{id}}"),
            *(("POST", f"{article}/favorite"), ("DELETE", f"{article}/favorite")),
            ("GET", "/tags"),
        }
