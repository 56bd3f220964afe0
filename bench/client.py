"""The few requests that the benchmark makes itself: signing in, walking, finding a post."""

from __future__ import annotations

from typing import Any

import httpx

from bench.seed import PASSWORD, username
from bench.servers import Server


def newest(server: Server) -> int:
    """Return the id of Signpost's newest post."""
    return int(_get(server, "/api/v1/posts?limit=1")["items"][0]["id"])


def walk(server: Server, path: str, pages: int) -> str:
    """Return the cursor that follows so many pages of Signpost's."""
    with httpx.Client(base_url=server.url) as client:
        cursor = str(client.get(path).json()["next"])
        for _ in range(pages - 1):
            cursor = str(client.get(f"{path}&cursor={cursor}").json()["next"])
    return cursor


def etag(server: Server, path: str) -> str:
    """Return the ``ETag`` of what is there."""
    return str(httpx.get(server.url + path).raise_for_status().headers["ETag"])


def token(server: Server, number: int = 0) -> str:
    """Sign a seeded user in to Signpost and return an access token, good for 15 minutes."""
    grant = {"grant_type": "password", "username": username(number), "password": PASSWORD}
    return str(_post(server, "/api/v1/auth/token", grant)["access_token"])


def login(server: Server) -> str:
    """Sign in to the textbook app and return an access token, good for 15 minutes."""
    grant = {"username": username(0), "password": PASSWORD}
    return str(_post(server, "/api/auth/login", grant)["access_token"])


def bearer(credential: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {credential}"}


def _get(server: Server, path: str) -> Any:
    return httpx.get(server.url + path).raise_for_status().json()


def _post(server: Server, path: str, data: dict[str, str]) -> Any:
    return httpx.post(server.url + path, json=data).raise_for_status().json()
