"""Metrics for Prometheus under ``/metrics``: the sum of all workers, those that died included.

``api/serve.py`` sets PROMETHEUS_MULTIPROC_DIR before this module is imported; elsewhere (tests,
``flask run``) a process counts for itself.
"""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address

from flask import Blueprint, Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

from api.problems import Challenge
from api.seen import Observer, Seen
from config import Config
from services.errors import Forbidden

#: Upper bounds of the buckets of durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

#: What an attacker may choose must not make new time series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LABELS = ("method", "route", "status")
_VIA_PROXY = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def init_app(app: Flask, config: Config) -> None:
    """Count and time every request of ``app``, and tell so under ``/metrics``."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        values.ValueClass = MultiProcessValue(_Process())  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    requests = Counter("http_requests", "Requests answered.", _LABELS, registry=registry)
    errors = Counter("http_errors", "Requests answered with 5xx.", _LABELS, registry=registry)
    durations = Histogram(
        "http_request_duration_seconds",
        "Time from the first hook to the answer.",
        _LABELS,
        buckets=BUCKETS,
        registry=registry,
    )
    app.extensions["signpost"].observers.append(_observe(requests, errors, durations))
    app.register_blueprint(_blueprint(config, registry))


class _Process:
    """This process's id; to ask the system for it at each figure costs 11 us a request."""

    def __init__(self) -> None:
        self._note()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._note)

    def _note(self) -> None:
        self._id = os.getpid()

    def __call__(self) -> int:
        return self._id


def _observe(requests: Counter, errors: Counter, durations: Histogram) -> Observer:
    series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(seen: Seen) -> None:
        method = seen.method if seen.method in _METHODS else "other"
        key = (method, seen.route or "none", seen.status)
        if key not in series:
            labels = tuple(map(str, key))
            series[key] = (requests.labels(*labels), durations.labels(*labels))
        count, duration = series[key]
        count.inc()
        duration.observe(seen.seconds)
        if seen.status >= 500:
            errors.labels(*map(str, key)).inc()

    return observe


def _blueprint(config: Config, registry: CollectorRegistry) -> Blueprint:
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics", strict_slashes=False)
    def metrics() -> Response:
        _check_caller(config)
        response = Response(generate_latest(_source(registry)))
        response.content_type = CONTENT_TYPE_PLAIN_0_0_4
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def _source(registry: CollectorRegistry) -> CollectorRegistry:
    """Return where the figures are: this process's own, or the files of all workers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return registry
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # the library's edge
    return everyone


def _check_caller(config: Config) -> None:
    """Let in who has the token, and who calls from this machine and not through a proxy on it.

    Raises:
        Challenge: there is a token, and it was not sent.
        Forbidden: there is none.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    is_sent = config.METRICS_TOKEN and kind.lower() == "bearer"
    if is_sent and hmac.compare_digest(token.strip().encode(), config.METRICS_TOKEN.encode()):
        return
    if _is_local() and (config.TRUSTED_PROXIES or not _is_forwarded()):
        return
    if config.METRICS_TOKEN:
        raise Challenge("Metrics need the token of this service.")
    raise Forbidden("Metrics are for callers on this machine, or set METRICS_TOKEN.")


def _is_local() -> bool:
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _is_forwarded() -> bool:
    return any(name in request.environ for name in _VIA_PROXY)
