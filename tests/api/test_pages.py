"""The pages for people: the index and what every error code means."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import assets, console, errors, headers, pages
from api.problems import CODES
from config import Config
from services.validation import CODES as FAULTS
from tests.servers import LiveServer

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
        for name in ("openapi", "swagger"):
            app.add_url_rule(f"/api/v1/{name}.json", f"{name}_json", dict)
        return app.test_client()

    return make


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    """A caller of our own pages."""
    return make_client()


def commands(page: str) -> list[str]:
    """Return the commands that a page offers, as they would be copied."""
    return [unescape(each) for each in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page)]


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

    def test_is_of_our_own_files_only(self, client: FlaskClient) -> None:
        # when
        text = client.get("/", headers={"Accept": "text/html"}).text
        # then
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', text)
        assert len(loaded) == 4
        assert all(url.startswith("/static/") for url in loaded)

    @pytest.mark.parametrize(
        ("public_url", "base"),
        [("https://example.org/blog", "https://example.org/blog"), ("", "http://localhost:8000")],
    )
    def test_names_this_very_server_in_its_commands(
        self, make_client: MakeClient, public_url: str, base: str
    ) -> None:
        # given
        client = make_client(PUBLIC_URL=public_url)
        host = "example.org" if public_url else "localhost:8000"
        # when
        found = commands(client.get("/", headers={"Accept": "text/html", "Host": host}).text)
        # then
        assert len(found) == 4
        assert all(f" {base}/api/v1/" in command for command in found)

    def test_never_offers_a_host_that_a_shell_would_run(self, client: FlaskClient) -> None:
        # when
        answer = client.get("/", headers={"Accept": "text/html", "Host": "x$(id)"})
        # then
        assert "$(id)" not in answer.text

    def test_makes_up_another_password_each_time(self, client: FlaskClient) -> None:
        # when
        answers = [client.get("/", headers={"Accept": "text/html"}) for _ in range(2)]
        # then
        assert [each.headers["Cache-Control"] for each in answers] == ["no-store"] * 2
        assert commands(answers[0].text)[1] != commands(answers[1].text)[1]

    def test_only_reads_where_nobody_may_sign_up(self, make_client: MakeClient) -> None:
        # given
        client = make_client(REGISTRATION="closed")
        # when
        found = commands(client.get("/", headers={"Accept": "text/html"}).text)
        # then
        assert len(found) == 4
        assert not any(" -d " in command or "TOKEN" in command for command in found)


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
        assert "What to do" in answer.text

    @pytest.mark.parametrize("code", CODES)
    def test_of_each_code_shows_an_answer(self, make_client: MakeClient, code: str) -> None:
        # given
        client = make_client(PUBLIC_URL="https://example.org/blog")
        # when
        text = client.get(f"/problems/{code}", headers={"Host": "example.org"}).text
        # then
        (shown,) = re.findall(r"problem\+json\n\n(.*?)</code></pre>", text, re.S)
        problem = json.loads(unescape(shown))
        assert problem["type"] == f"https://example.org/blog/problems/{code}"
        assert problem["instance"] == "/blog/api/v1/posts"
        assert (problem["code"], problem["status"]) == (code, CODES[code].status)

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

    def test_says_how_it_may_be_kept(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(path, headers={"Accept": "text/html"})
        # then
        kept = "no-store" if path == "/" else "public, no-cache"
        assert answer.headers["Cache-Control"] == kept

    def test_answers_with_a_slash_at_its_end(self, client: FlaskClient, path: str) -> None:
        # when
        answer = client.get(path.rstrip("/") + "/", headers={"Accept": "text/html"})
        # then
        assert answer.status_code == 200


def run(lines: list[str]) -> list[int]:
    """Run lines in one shell; return the statuses of what they ask."""
    counted = "curl() { command curl -w '%{stderr}%{http_code}\\n' \"$@\"; }\n" + "\n".join(lines)
    done = subprocess.run(["bash", "-euc", counted], capture_output=True, text=True, check=True)
    return [int(line) for line in done.stderr.split()]


class TestCommands:
    def test_work_as_they_stand_however_often(self, server: LiveServer) -> None:
        for _ in range(2):
            # when
            page = server.client.get("/", headers={"Accept": "text/html"}).text
            # then
            assert run(commands(page)) == [200, 201, 200, 201]

    def test_work_below_a_prefix(self, make_server: Callable[..., LiveServer]) -> None:
        # given
        public = "http://127.0.0.1/blog"
        prefixed = make_server(PUBLIC_URL=public)
        # when
        page = prefixed.client.get("/blog/", headers={"Accept": "text/html"}).text
        # then
        lines = [each.replace(public, f"{prefixed.url}/blog") for each in commands(page)]
        assert run(lines) == [200, 201, 200, 201]

    def test_that_only_read_work_too(self, make_server: Callable[..., LiveServer]) -> None:
        # given
        closed = make_server(REGISTRATION="closed")
        # when
        page = closed.client.get("/", headers={"Accept": "text/html"}).text
        # then
        assert run(commands(page)) == [200] * 4


class TestManual:
    def test_index_links_to_every_file_of_it(self, client: FlaskClient) -> None:
        page = client.get("/", headers={"Accept": "text/html"}).text

        for name, _ in pages.MANUAL:
            assert f'href="/manual/{name}"' in page
            answer = client.get(f"/manual/{name}")
            assert answer.status_code == 200
            assert answer.content_type == "text/plain; charset=utf-8"
            assert answer.text.startswith("# ")

    @pytest.mark.parametrize(
        "name", ["nothing.md", "..%2FREADME.md", "..%2Fconfig.py", "decisions"]
    )
    def test_shows_no_other_file(self, client: FlaskClient, name: str) -> None:
        assert client.get(f"/manual/{name}").status_code == 404
