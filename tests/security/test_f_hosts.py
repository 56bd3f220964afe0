"""Section F: the service answers to its own name only, and sends nobody elsewhere."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.contract.routes import routes
from tests.security.conftest import HOST
from tests.security.raw import ask, exchange
from tests.security.world import API, World
from tests.servers import LiveServer

ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "\tx:",
]


@pytest.mark.parametrize(
    "host",
    [
        *("evil", f"{HOST}.evil.example", f"evil.example#{HOST}", f"{HOST}@evil", f"evil@{HOST}"),
        *(
            f"{HOST}:80@evil",
            f"{HOST}:x",
            f"x{HOST}",
            f"{HOST}.",
            "127.0.0.1",
            "localhost",
            f"{HOST} x",
        ),
        *(f"{HOST},evil", f"{HOST}/", f"/{HOST}", f"{HOST}\xe9", "[::1]", "*", f".{HOST}"),
    ],
)
def test_case_086_an_unknown_host_is_refused(strict_server: LiveServer, host: str) -> None:
    for path in ("/", f"{API}/posts", f"{API}/auth/token", "/docs", "/nowhere", "/metrics"):
        # when
        forwarded = (f"X-Forwarded-Host: {HOST}", f"Forwarded: host={HOST}")
        answer = ask(strict_server.url, path, f"Host: {host}", *forwarded)
        # then
        assert answer.status == 400
        if answer.body:
            assert answer.json()["code"] == "unknown-host"
            assert "evil" not in answer.body.decode()


def test_case_086_a_request_names_one_host_only(strict_server: LiveServer) -> None:
    # given
    forms = [
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: %s\r\nHost: evil\r\nConnection: close\r\n\r\n" % HOST.encode(),
        b"GET http://evil/ HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
    ]
    for form in forms:
        # then
        assert exchange(strict_server.url, form).status == 400


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_case_087_no_parameter_leads_elsewhere(
    app: Flask, session: Session, elsewhere: str
) -> None:
    # given
    world = World(app, session)
    urls = [route.url for route in routes(app) if route.method == "GET"]
    query = dict.fromkeys(("next", "url", "redirect", "return_to", "continue"), elsewhere)
    client = world.caller("anonymous")
    for url in (*urls, f"{API}/posts/by-slug/{world.former()}"):
        # when
        answer = client.get(url, query_string=query, headers={"Host": "evil.example"})
        # then
        assert "Refresh" not in answer.headers
        assert "Location" not in answer.headers, url
        assert answer.status_code < 300 or answer.status_code >= 400, url


def test_case_087_the_one_redirect_is_a_path_of_ours(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    client = world.caller("anonymous")
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "//x"}
    # when
    moved = client.get(f"{API}/posts/by-slug/{world.former()}", headers=evil)
    made = world.caller("owner").post(
        f"{API}/posts", json={"title": "x", "body": "x"}, headers=evil
    )
    # then
    for answer in (moved, made):
        assert re.fullmatch(rf"{API}/posts/[\w/-]+", answer.headers["Location"])
    for slug in (*ELSEWHERE, "%2f%2fevil.example", "..%2f..%2fevil"):
        answer = client.get(f"{API}/posts/by-slug/{slug}")
        assert (answer.status_code, "Location" in answer.headers) == (404, False)
