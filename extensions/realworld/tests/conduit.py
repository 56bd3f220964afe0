"""A caller of the RealWorld API, who says what is expected of each answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ROOT = "/api/realworld"


@dataclass
class Caller:
    """Somebody who asks, signed in or not."""

    client: FlaskClient
    name: str = ""
    token: str | None = None
    scheme: str = "Token"

    def __call__(
        self, method: str, path: str, status: int, json: Any = None, **options: Any
    ) -> Any:
        """Ask; the answer has to have ``status``. Return what it says."""
        answer = self.ask(method, path, **({} if json is None else {"json": json}), **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.get_json() if answer.data else None

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """Ask, and return the answer."""
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"{self.scheme} {self.token}"
        return self.client.open(f"{ROOT}{path}", method=method, headers=headers, **options)

    def errors(
        self, method: str, path: str, status: int, json: Any = None, **options: Any
    ) -> dict[str, list[str]]:
        """Ask; the answer has to be errors in RealWorld's shape. Return them."""
        said = self(method, path, status, json, **options)
        assert set(said) == {"errors"}, said
        for messages in said["errors"].values():
            assert isinstance(messages, list)
            assert messages
            assert all(isinstance(each, str) for each in messages)
        return dict(said["errors"])

    def publish(self, title: str = "How to train", **members: Any) -> dict[str, Any]:
        """Publish an article, and return it."""
        given = {"title": title, "description": "What it is about", "body": "It is *so*."}
        made = self("POST", "/articles", 201, {"article": given | members})
        return dict(made["article"])

    def revise(self, slug: str, status: int = 200, **members: Any) -> Any:
        """Change an article, and return what is answered in its envelope."""
        said = self("PUT", f"/articles/{slug}", status, {"article": members})
        return said.get("article", said.get("errors"))

    def comment(self, slug: str, body: str = "Well said.") -> dict[str, Any]:
        """Comment an article, and return the comment."""
        made = self("POST", f"/articles/{slug}/comments", 201, {"comment": {"body": body}})
        return dict(made["comment"])

    def slugs(self, query: str = "", path: str = "/articles") -> list[str]:
        """Return the slugs of a list."""
        found = self("GET", f"{path}{query}", 200)["articles"]
        return [each["slug"] for each in found]
