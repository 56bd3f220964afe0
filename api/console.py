"""/docs: the Swagger console, a page of ours around the vendored Swagger UI.

It reads /api/v1/openapi.json. Signing in there is OAuth 2's password flow; the token stays in the
page's memory. The policy below forbids inline code and every other host.
"""

from __future__ import annotations

from flask import Flask, Response, render_template

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Serve the console; needs api/assets.py and api/openapi.py on the same app."""
    app.add_url_rule("/docs", "console", _console, strict_slashes=False)


def _console() -> Response:
    response = Response(render_template("docs.html"), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "public, no-cache"
    return response
