"""Asking with a bearer token, and what a refusal of one looks like."""

from __future__ import annotations

import base64
import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

WHOAMI = "/api/v1/auth/whoami"


def segment(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def ask(client: FlaskClient, authorization: str | None, url: str = WHOAMI) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.get(url, headers=headers)


def assert_refused(answer: TestResponse, challenge: str = 'Bearer error="invalid_token"') -> None:
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == challenge
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
