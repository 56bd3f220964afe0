"""Static files of our own pages, served from memory under URLs that change with their content.

swagger-ui-<version>/ is vendored as its makers publish it (npm package swagger-ui-dist).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, url_for
from werkzeug.exceptions import NotFound

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file: its content, media type and the first 16 hex digits of its SHA-256."""

    body: bytes
    media_type: str
    digest: str


def init_app(app: Flask) -> None:
    """Serve the files of ``api/static`` and give templates ``asset(name)``, the URL of one."""
    assets = {
        path.relative_to(FOLDER).as_posix(): _read(path)
        for path in FOLDER.rglob("*")
        if path.is_file()
    }

    def serve(digest: str, name: str) -> Response:
        asset = assets.get(name)
        if asset is None or asset.digest != digest:
            raise NotFound()
        response = Response(asset.body, content_type=asset.media_type)
        response.headers["Cache-Control"] = FOR_EVER
        return response

    def asset(name: str) -> str:
        return url_for("asset", digest=assets[name].digest, name=name)

    app.add_url_rule("/static/<digest>/<path:name>", "asset", serve)
    app.jinja_env.globals["asset"] = asset


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    media_type = guess_type(path.name)[0] or "text/plain"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Asset(body, media_type, hashlib.sha256(body).hexdigest()[:16])
