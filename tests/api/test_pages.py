"""The pages for people: the index and what every error code means."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import assets, console, errors, headers, pages
from api.problems import CODES
from config import Config
from services.validation import CODES as FAULTS

MakeClient = Callable[..., FlaskClient]

#: What Chromium sends when somebody types a URL.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def make_client() -> MakeClient:
    """``make_client(PUBLIC_URL=...)``: a caller of an app that has only our own pages."""

    def make(**settings: object) -> FlaskClient:
        config = Config(SECRET_KEY="0123456789abcdef" * 3, **settings)  # type: ignore[arg-type]
        app = Flask("api", static_folder=None)
        app.config["SIGNPOST"] = config
        headers.init_app(app, config)
        errors.init_app(app)
        assets.init_app(app)
        pages.init_app(app)
        console.init_app(app)
        app.add_url_rule("/api/v1/openapi.json", "openapi_json", dict)
        return app.test_client()

    return make


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    """A caller of our own pages."""
    return make_client()


class TestIndex:
    @pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/*", "text/html;q=0"])
    def test_is_json_unless_html_is_named(self, client: FlaskClient, accept: str | None) -> None:
        # when
        answer = client.get("/", headers={"Accept": accept} if accept else {})
        # then
        assert answer.content_type == "application/json"
        assert answer.get_json()["console"] == "/docs"
        assert answer.get_json()["openapi"] == "/api/v1/openapi.json"
        assert "Accept" in answer.vary

    @pytest.mark.parametrize(
        "accept", [BROWSER, "text/html", "Text/HTML", "application/json, text/html;q=0.1"]
    )
    def test_is_html_if_that_is_named(self, client: FlaskClient, accept: str) -> None:
        # when
        answer = client.get("/", headers={"Accept": accept})
        # then
        assert answer.content_type == "text/html; charset=utf-8"
        assert 'href="/docs"' in answer.text
        assert "Accept" in answer.vary

    @pytest.mark.parametrize("accept", ["text/html", "application/json"])
    def test_links_below_the_prefix(self, make_client: MakeClient, accept: str) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org/blog")
        # when
        answer = client.get("/blog/", headers={"Accept": accept, "Host": "example.org"})
        # then
        assert '"/blog/docs"' in answer.text
        assert '"/docs"' not in answer.text
        assert '"/static/' not in answer.text


class TestProblems:
    @pytest.mark.parametrize("code", CODES)
    def test_of_each_code_there_is_a_page(self, client: FlaskClient, code: str) -> None:
        # when
        answer = client.get(f"/problems/{code}")
        # then
        assert answer.status_code == 200
        assert answer.content_type == "text/html; charset=utf-8"
        assert CODES[code].title in answer.text
        assert str(CODES[code].status) in answer.text

    @pytest.mark.parametrize("code", ["no-such-code", "VALIDATION", "<script>"])
    def test_of_no_other(self, client: FlaskClient, code: str) -> None:
        # when
        answer = client.get(f"/problems/{code}")
        # then
        assert answer.status_code == 404
        assert answer.get_json()["code"] == "not-found"

    def test_are_listed(self, client: FlaskClient) -> None:
        # when
        answer = client.get("/problems")
        # then
        assert all(f'href="/problems/{code}"' in answer.text for code in CODES)

    def test_of_validation_explains_every_code_of_a_fault(self, client: FlaskClient) -> None:
        # when
        text = client.get("/problems/validation").text
        # then
        assert all(f"<code>{code}</code>" in text for code in FAULTS)


@pytest.mark.parametrize("path", ["/", "/problems", "/problems/validation", "/docs"])
class TestEveryPage:
    def test_allows_nothing_inline_or_foreign(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(path, headers={"Accept": "text/html"})
        # then
        (policy,) = answer.headers.getlist("Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "style=" not in answer.text
        assert "<style" not in answer.text
        assert "<script>" not in answer.text

    def test_is_cheap_to_keep(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(path, headers={"Accept": "text/html"})
        # then
        assert answer.headers["Cache-Control"] == "public, no-cache"

    def test_answers_with_a_slash_at_its_end(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(path.rstrip("/") + "/", headers={"Accept": "text/html"})
        # then
        assert answer.status_code == 200
