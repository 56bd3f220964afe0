"""/metrics: who may read it, and that it counts right. Sums over workers are in test_serve.py."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from api import errors, headers, logs, metrics, seen
from config import Config

TOKEN = "a token for Prometheus"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client() -> MakeClient:
    """``make_client(METRICS_TOKEN="...")``: a caller of a small app of these settings."""

    def make(**settings: object) -> FlaskClient:
        config = Config(SECRET_KEY="0123456789abcdef" * 3, LOG_LEVEL="error", **settings)  # type: ignore[arg-type]
        app = Flask("api")
        app.config["SIGNPOST"] = config
        app.extensions["signpost"] = SimpleNamespace()
        seen.init_app(app)
        logs.init_app(app, config)
        metrics.init_app(app, config)
        headers.init_app(app, config)
        errors.init_app(app)
        app.add_url_rule("/thing/<int:id>", endpoint="thing", view_func=lambda id: str(id))
        app.add_url_rule("/busy", endpoint="busy", view_func=lambda: abort(503))
        return app.test_client()

    return make


class TestAccess:
    def test_from_this_machine(self, make_client: MakeClient) -> None:
        answer = make_client().get("/metrics")
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain; version=0.0.4")
        assert answer.headers["Cache-Control"] == "no-store"
        assert make_client().get("/metrics/").status_code == 200

    @pytest.mark.parametrize("address", ["127.0.0.9", "::1"])
    def test_from_any_loopback_address(self, make_client: MakeClient, address: str) -> None:
        answer = make_client().get("/metrics", environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == 200

    @pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "", "unix"])
    def test_from_elsewhere(self, make_client: MakeClient, address: str) -> None:
        answer = make_client().get("/metrics", environ_overrides={"REMOTE_ADDR": address})
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
    def test_through_a_proxy_on_this_machine(self, make_client: MakeClient, name: str) -> None:
        answer = make_client().get("/metrics", headers={name: "127.0.0.1"})
        assert answer.status_code == 403

    def test_through_a_trusted_proxy(self, make_client: MakeClient) -> None:
        client = make_client(TRUSTED_PROXIES=1)
        for forwarded, status in [("192.0.2.7", 403), ("127.0.0.1, 192.0.2.7", 403)]:
            answer = client.get("/metrics", headers={"X-Forwarded-For": forwarded})
            assert answer.status_code == status
        assert client.get("/metrics").status_code == 200

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
    def test_with_the_token(self, make_client: MakeClient, scheme: str) -> None:
        answer = make_client(METRICS_TOKEN=TOKEN).get(
            "/metrics",
            headers={"Authorization": f"{scheme} {TOKEN}"},
            environ_overrides=ELSEWHERE,
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "given", ["", "Bearer", f"Basic {TOKEN}", "Bearer ä", f"Bearer {TOKEN}x"]
    )
    def test_with_a_wrong_token(self, make_client: MakeClient, given: str) -> None:
        answer = make_client(METRICS_TOKEN=TOKEN).get(
            "/metrics", headers={"Authorization": given}, environ_overrides=ELSEWHERE
        )
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "http_requests" not in answer.text

    def test_with_an_empty_token_where_none_is_set(self, make_client: MakeClient) -> None:
        answer = make_client().get(
            "/metrics", headers={"Authorization": "Bearer "}, environ_overrides=ELSEWHERE
        )
        assert answer.status_code == 403


class TestFigures:
    def test_are_kept_by_route(self, make_client: MakeClient) -> None:
        client = make_client()
        for id in (1, 2, 3):
            client.get(f"/thing/{id}")
        lines = client.get("/metrics").text.splitlines()
        labels = '{method="GET",route="/thing/<int:id>",status="200"}'
        assert f"http_requests_total{labels} 3.0" in lines
        assert f"http_request_duration_seconds_count{labels} 3.0" in lines

    def test_count_errors_of_ours_only(self, make_client: MakeClient) -> None:
        client = make_client()
        client.get("/busy")
        client.get("/thing/x")
        errors = [
            line
            for line in client.get("/metrics").text.splitlines()
            if "http_errors_total{" in line
        ]
        assert errors == ['http_errors_total{method="GET",route="/busy",status="503"} 1.0']

    def test_do_not_grow_with_what_callers_invent(self, make_client: MakeClient) -> None:
        client = make_client()
        for number in range(50):
            client.get(f"/nothing/{number}")
            client.open("/thing/1", method=f"M{number}")
        text = client.get("/metrics").text
        series = [line for line in text.splitlines() if line.startswith("http_requests_total{")]
        assert len(series) == 2
        assert 'method="other"' in text
