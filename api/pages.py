"""The pages for people: ``/``, every error code under ``/problems``, the manual's source."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, current_app, render_template, request
from markupsafe import Markup, escape
from werkzeug.exceptions import NotFound

from api import terminal
from api.examples import problem_of
from api.output import dumps
from api.problems import CODES
from config import Config
from services.validation import CODES as FAULTS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

#: What the index links to: name, path, what is there.
LINKS = (
    ("console", "/docs", "Try every operation in the browser."),
    ("openapi", "/api/v1/openapi.json", "The API as OpenAPI 3.1."),
    ("swagger", "/api/v1/swagger.json", "The API as Swagger 2.0."),
    ("posts", "/api/v1/posts", "What has been published."),
    ("users", "/api/v1/users", "Who writes here."),
    ("problems", "/problems", "What each error code means."),
    ("jwks", "/.well-known/jwks.json", "Public keys to verify access tokens with."),
    ("health", "/healthz", "Whether the process lives."),
    ("readiness", "/readyz", "Whether it can serve: database and migrations."),
)
#: The manual: file name, whom it is for.
MANUAL = (
    ("clients.md", "for those who write a client"),
    ("operations.md", "for those who run the service"),
    ("extending.md", "for those who write extensions"),
    ("extending-core.md", "for those who add to the core"),
    ("architecture.md", "how it is built"),
    ("differences.md", "where the tutorials' ways became ours"),
    ("errors.md", "every error code"),
)
#: The manual's folder: in the package where it was installed from a wheel, else beside it.
_MANUAL = Path(__file__).with_name("manual")
_DOCS = _MANUAL if _MANUAL.is_dir() else Path(__file__).parents[1] / "docs"


def init_app(app: Flask) -> None:
    """Serve the pages; needs api/assets.py on the same app."""
    app.add_template_filter(_with_code, "code")
    for path, view in (
        ("/", index),
        ("/problems", problems),
        ("/problems/<code>", problem),
        ("/manual/<name>", manual),
    ):
        app.add_url_rule(path, view.__name__, view, strict_slashes=False)


def index() -> Response:
    """Return the index: HTML if ``Accept`` names it, else JSON."""
    accepted = request.accept_mimetypes
    if any(kind.lower() == "text/html" and quality > 0 for kind, quality in accepted):
        config: Config = current_app.config["SIGNPOST"]
        is_open = config.REGISTRATION == "open"
        base = config.PUBLIC_URL or request.url_root.rstrip("/")
        commands = terminal.for_anyone(base) if is_open else terminal.for_readers(base)
        response = _page(
            "index.html", links=LINKS, manual=MANUAL, commands=commands, is_open=is_open
        )
        response.headers["Cache-Control"] = "no-store"  # the password in it is made up for one
    else:
        links = {name: request.root_path + path for name, path, _ in LINKS}
        response = Response(dumps(links), content_type="application/json")
        response.headers["Cache-Control"] = "public, no-cache"
    response.vary.add("Accept")
    return response


def problems() -> Response:
    """Return the list of all error codes."""
    return _page("problems.html", codes=CODES)


def problem(code: str) -> Response:
    """Return the page of one error code.

    Raises:
        NotFound: there is no such code.
    """
    if code not in CODES:
        raise NotFound()
    kind = CODES[code]
    base = current_app.config["SIGNPOST"].PUBLIC_URL
    example = problem_of(code, base, f"{request.root_path}/api/v1/posts")
    return _page(
        "problem.html",
        code=code,
        kind=kind,
        phrase=HTTPStatus(kind.status).phrase,
        example=json.dumps(example, indent=2),
        faults=FAULTS if code == "validation" else {},
    )


def manual(name: str) -> Response:
    """Return a file of the manual as it is written.

    Raises:
        NotFound: there is no such file.
    """
    if name not in dict(MANUAL) or not (_DOCS / name).is_file():
        raise NotFound()
    response = Response((_DOCS / name).read_bytes(), content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def _with_code(text: str) -> Markup:
    """Return text as HTML, what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _page(template: str, **values: object) -> Response:
    response = Response(
        render_template(template, **values), content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "public, no-cache"
    return response
