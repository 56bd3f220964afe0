"""The core's declared resources: how one of each is made, where examples do not do."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient

from api.resource import Listing
from signpost.contract.resources import API, Maker, fill
from signpost.contract.subject import declared

PASSWORD = "a violin in Oslo"
LISTS = list(declared(None, Listing))


def filled(rule: str, ids: dict[str, int]) -> str:
    """Return a rule with the id of what its first segment names."""
    return fill(rule, ids)


def make_file(caller: FlaskClient, type: str) -> Any:
    """Upload a file."""
    data = {"files": (BytesIO(b"Hello, world.\n"), "hello.txt")}
    return caller.post(f"{API}/{type}", data=data, content_type="multipart/form-data")


def _user(caller: FlaskClient, type: str) -> Any:
    body = {"username": "declared", "email": "declared@example.com", "password": PASSWORD}
    return caller.post(f"{API}/{type}", json=body)


def _comment(caller: FlaskClient, type: str) -> Any:
    post = caller.post(f"{API}/posts", json={"title": "T", "body": "b", "status": "published"})
    return caller.post(f"{post.headers['Location']}/{type}", json={"body": "Well said."})


#: Type → makes one by a request, where that takes more than the examples of its shape.
MAKERS: Mapping[str, Maker] = {"users": _user, "comments": _comment, "files": make_file}
