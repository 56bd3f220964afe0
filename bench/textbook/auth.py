"""The textbook app's sign-in: a password for an HS256 token."""

# Flask-RESTX has no types.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import argon2
from flask_jwt_extended import create_access_token
from flask_restx import Namespace, Resource, fields

from bench.textbook.models import User, db

ns = Namespace("auth", description="Signing in.")

credentials = ns.model(
    "Credentials",
    {
        "username": fields.String(required=True),
        "password": fields.String(required=True),
    },
)


@ns.route("/login")
class Login(Resource):
    @ns.expect(credentials, validate=True)
    def post(self) -> Any:
        """Sign in."""
        key = ns.payload["username"].casefold()
        user = db.session.execute(db.select(User).filter_by(username_key=key)).scalar_one_or_none()
        if user is not None and _matches(user, ns.payload["password"]):
            return {"access_token": create_access_token(identity=str(user.id))}
        return ns.abort(HTTPStatus.UNAUTHORIZED, "Wrong username or password")


def _matches(user: User, password: str) -> bool:
    try:
        return argon2.PasswordHasher().verify(user.password_hash, password)
    except argon2.exceptions.VerificationError:
        return False
