"""What the application itself does for every request, whichever resource it is for."""

from __future__ import annotations

import gc

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.resource import Endpoint


def _views() -> int:
    gc.collect()
    return sum(issubclass(type(found), Endpoint) for found in gc.get_objects())


class TestRequests:
    @pytest.mark.parametrize("path", ["/api/v1/posts", "/api/v1/posts/1"])
    def test_leave_nothing_in_memory(self, client: FlaskClient, path: str) -> None:
        client.get(path)
        before = _views()

        for _ in range(5):
            client.get(path)

        assert _views() <= before


class TestEnsureSync:
    def test_leaves_plain_functions_and_methods_alone(self, app: Flask) -> None:
        assert app.ensure_sync(_views) is _views
        assert app.ensure_sync(app.full_dispatch_request) == app.full_dispatch_request

    def test_asks_flask_about_asynchronous_ones(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def view() -> None:
            """Stand for a view that Flask runs in a loop."""

        monkeypatch.setattr(app, "async_to_sync", lambda _: _views)

        assert app.ensure_sync(view) is _views
