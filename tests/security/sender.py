"""Sends bodies and queries to every operation there is, for something that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.security.surface import JSON, Operation, sent

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


class Sender:
    """One caller.

    Args:
        locate: the URL of an operation on something that this caller may change.
    """

    def __init__(
        self, client: FlaskClient, surface: list[Operation], locate: Callable[[Operation], str]
    ) -> None:
        self.client, self.surface, self.locate = client, surface, locate

    @property
    def reading(self) -> Iterator[tuple[Operation, str]]:
        """Operations that read a body, with each media type."""
        for operation in self.surface:
            for kind in operation.types:
                yield operation, kind

    def body(self, operation: Operation, changes: Mapping[str, Any]) -> TestResponse:
        """Send a body that is complete but for ``changes``."""
        arguments = next(sent(operation, {**operation.valid(), **changes}))
        return self.client.open(self.locate(operation), method=operation.method, **arguments)

    def raw(
        self, operation: Operation, body: bytes, kind: str = JSON, **headers: str
    ) -> TestResponse:
        """Send bytes, with headers ``Content_Encoding="gzip"``."""
        return self.client.open(
            self.locate(operation),
            method=operation.method,
            data=body,
            content_type=kind,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def query(self, operation: Operation, query: str) -> TestResponse:
        """Send a query string."""
        return self.client.open(f"{self.locate(operation)}?{query}", method=operation.method)
