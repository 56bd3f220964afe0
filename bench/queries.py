"""Count the SQL statements of every list, in a process of its own: ``python -m bench.queries``.

Reads the settings that a server would; prints ``{"<path>": <statements>}`` as JSON. Every list is
asked by an admin, for 20 items and their total.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from api.app import create_app
from bench.servers import ADMIN_PASSWORD
from config import Config

_QUERY = {"limit": 20, "total": "true"}


def count(app: Flask) -> dict[str, int]:
    """Return how many statements each list takes."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {_token(client)}"}
    counts = {}
    for path in _candidates(app):
        answer = client.get(path, query_string=_QUERY, headers=headers)
        statements.clear()
        answer = client.get(path, query_string=_QUERY, headers=headers)
        if answer.is_json and "items" in (answer.json or {}):
            counts[path] = len(statements)
    return counts


def _candidates(app: Flask) -> list[str]:
    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    return sorted(
        {rule.rule for rule in rules if not rule.arguments and rule.rule.startswith("/api/")}
    )


def _token(client: FlaskClient) -> str:
    grant = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
    answer: Any = client.post("/api/v1/auth/token", json=grant).json
    return str(answer["access_token"])


if __name__ == "__main__":
    print(json.dumps(count(create_app(Config.from_env()))))
