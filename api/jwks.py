"""/.well-known/jwks.json: the public keys, so that any other service can verify our tokens.

Source: RFC 7517.
"""

from __future__ import annotations

from flask import Flask, Response

from api.auth import parts
from api.output import dumps
from services.keys import JWKS_TTL


def init_app(app: Flask) -> None:
    """Serve the keys."""
    app.add_url_rule("/.well-known/jwks.json", "jwks", _jwks)


def _jwks() -> Response:
    response = Response(dumps(parts().keys.ring().jwks()), content_type="application/json")
    response.headers["Cache-Control"] = f"public, max-age={JWKS_TTL}"
    return response
