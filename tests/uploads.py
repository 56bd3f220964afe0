"""Uploads of tests: forms with files, and what became of one."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.answers import data

FILES = "/api/v1/files"
#: The type of what ``form`` makes.
FORM_TYPE = "multipart/form-data; boundary=limit"


def form(*files: tuple[str, bytes], **fields: str) -> bytes:
    """Return files, each as (name, content), and further fields as a form."""
    parts = [part(f'name="files"; filename="{name}"', content) for name, content in files]
    parts += [part(f'name="{name}"', value.encode()) for name, value in fields.items()]
    return b"".join((*parts, b"--limit--\r\n"))


def part(disposition: str, content: bytes) -> bytes:
    """Return one part of a form."""
    head = f"--limit\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def upload(client: FlaskClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    """Send files, each as (name, content), and further fields."""
    return client.post(FILES, data=form(*files, **fields), content_type=FORM_TYPE)


def uploaded(client: FlaskClient, content: bytes, name: str, **fields: str) -> dict[str, Any]:
    """Upload one file as a client's library does; return what it became."""
    sent: dict[str, Any] = {"files": (BytesIO(content), name), **fields}
    answer = client.post(FILES, data=sent, content_type="multipart/form-data")
    (item,) = data(answer, 201)["items"]
    return dict(item["data"])
