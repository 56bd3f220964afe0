"""The form of docs/extending.md in Chromium: on another origin, and behind a proxy on the same."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.proxy import tls_proxy
from tests.conftest import MakeDatabase
from tests.environments import Environment, environment
from tests.scaffold import guide
from tests.scaffold.writing import extension
from tests.servers import ADMIN_PASSWORD, ROOT, live_server

pytestmark = [pytest.mark.browser, pytest.mark.node]

PAGE = guide.page(guide.GUIDE.read_text(encoding="utf-8"))
API = 'data-api="http://127.0.0.1:8000"'
RESOURCE = "person: first_name:str! family_name:str!"
#: What differs from one service to another.
OWN = {"access_token", "refresh_token", "created_at", "updated_at", "request_id", "type"}


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_: Any) -> None:
        """Keep the output of tests free of requests."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with the extension of the guide."""
    folder = tmp_path_factory.mktemp("people")
    options = ("--resource", RESOURCE, "--folder", folder / "package")
    assert extension("new", "people", *options).exit_code == 0
    made = environment(folder)
    made.install(folder / "package")
    return made


@contextmanager
def pages(folder: Path) -> Iterator[str]:
    """Serve a folder; yield the URL of its form."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def written(folder: Path, api: str) -> Path:
    """Return a folder with the form, for the service at ``api``."""
    folder.mkdir()
    (folder / "people.html").write_text(PAGE.replace(API, f'data-api="{api}"'))
    return folder


def sent(url: str, form: str, **environment: str) -> dict[str, Any]:
    """Send the form of a page; return what was answered and said, but for what always differs."""
    told = subprocess.run(
        ["node", "tests/browser/people-form.mjs"],
        cwd=ROOT,
        env=os.environ
        | {"SIGNPOST_URL": url, "SIGNPOST_USER": "admin", "SIGNPOST_PASSWORD": ADMIN_PASSWORD}
        | {"PEOPLE_FORM": form}
        | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    kept: dict[str, Any] = json.loads(told.stdout, object_hook=_without_own)
    return kept


def _without_own(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in OWN}


def test_gives_equal_answers_on_both(
    installed: Environment, make_database: MakeDatabase, tmp_path: Path
) -> None:
    # given
    folder, data = written(tmp_path / "other", "SERVICE"), tmp_path / "data"
    settings: dict[str, object] = {"EXTENSIONS_DISABLED": ""}
    python = installed.python
    # when
    with (
        pages(folder) as origin,
        live_server(
            make_database("cors"), data / "1", python, CORS_ORIGINS=origin, **settings
        ) as service,
    ):
        form = folder / "people.html"
        form.write_text(form.read_text().replace("SERVICE", service.url))
        elsewhere = sent(service.url, f"{origin}/people.html")
    with tls_proxy(tmp_path, "", strips=False) as proxy:
        proxy.app = written(tmp_path / "same", "")
        settings |= {"PUBLIC_URL": proxy.url, "TRUSTED_PROXIES": 1}
        with live_server(make_database("same"), data / "2", python, **settings) as service:
            proxy.upstream = service.url
            own = {"NODE_EXTRA_CA_CERTS": str(proxy.certificate)}
            here = sent(proxy.url, f"{proxy.url}/app/people.html", **own)
    # then
    assert elsewhere == here
    assert here["added"]["said"] == "Ada Byron has number 1."
    [_, made] = here["added"]["answers"]
    assert (made["status"], made["path"]) == (201, "people/persons")
    assert made["body"]["first_name"] == "Ada"
    assert here["tooLong"]["answers"][1]["body"]["code"] == "validation"
    assert "first_name" in here["tooLong"]["said"]
    assert [each["status"] for each in here["refused"]["answers"]] == [400]


def test_is_refused_on_an_origin_that_is_not_named(
    installed: Environment, make_database: MakeDatabase, tmp_path: Path
) -> None:
    # given
    url = make_database("unnamed")
    with live_server(url, tmp_path, installed.python, EXTENSIONS_DISABLED="") as service:
        asked = {"Origin": "http://127.0.0.1:9", "Access-Control-Request-Method": "POST"}
        # when
        preflight = service.client.options("/api/people/persons", headers=asked)
        named = preflight.headers.get("Access-Control-Allow-Origin")
    # then
    assert named is None
