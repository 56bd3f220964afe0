"""The console's page and its files; a browser uses it in tests/browser/."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import assets, console, errors, headers, pages
from config import Config


@pytest.fixture(params=["", "https://localhost/blog"], ids=["plain", "prefixed"])
def client(request: pytest.FixtureRequest) -> FlaskClient:
    """A caller of the console, below no prefix and below one."""
    config = Config(SECRET_KEY="0123456789abcdef" * 3, PUBLIC_URL=request.param)
    app = Flask("api", static_folder=None)
    app.url_map.merge_slashes = False
    app.config["SIGNPOST"] = config
    headers.init_app(app, config)
    errors.init_app(app)
    assets.init_app(app)
    console.init_app(app)
    pages.init_app(app)
    app.add_url_rule("/api/v1/openapi.json", "openapi_json", dict)
    return app.test_client()


def linked(page: str) -> list[str]:
    """Return the URLs of what a page loads."""
    return re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+)"', page)


class TestPage:
    def test_lets_only_our_own_scripts_run(self, client: FlaskClient) -> None:
        # when
        policy = client.get("/docs").headers["Content-Security-Policy"]
        # then
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "connect-src 'self';" in policy
        assert "unsafe" not in policy

    def test_names_the_specification(self, client: FlaskClient) -> None:
        # when
        (spec,) = re.findall(r'data-spec="([^"]+)"', client.get("/docs").text)
        # then
        assert client.get(spec).status_code == 200

    def test_loads_only_what_there_is(self, client: FlaskClient) -> None:
        # when
        urls = linked(client.get("/docs").text)
        # then
        assert len(urls) == 8
        assert [client.get(url).status_code for url in urls] == [200] * 8


class TestAsset:
    def test_is_kept_for_ever(self, client: FlaskClient) -> None:
        for url in linked(client.get("/docs").text):
            # when
            answer = client.get(url)
            # then
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Authorization" not in answer.vary

    def test_has_its_type(self, client: FlaskClient) -> None:
        # when
        types = {
            url.rpartition(".")[2]: client.get(url).mimetype
            for url in linked(client.get("/docs").text)
        }
        # then
        assert types == {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

    def test_of_other_content_is_another(self, client: FlaskClient) -> None:
        # given
        url = linked(client.get("/docs").text)[0]
        # when
        answer = client.get(re.sub(r"/[0-9a-f]{16}/", "/0123456789abcdef/", url))
        # then
        assert answer.status_code == 404
        assert "immutable" not in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd"])
    def test_is_nothing_else(self, client: FlaskClient, name: str) -> None:
        # given
        digest = linked(client.get("/docs").text)[0].split("/")[-2]
        # when
        answer = client.get(f"/static/{digest}/{name}")
        # then
        assert answer.status_code == 404
