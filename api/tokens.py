"""/auth/token, /auth/revoke: sign in, go on, sign out. Rules are in services/sessions.py.

Neither looks at ``Authorization``: consoles send ``Basic`` there.

Source: RFC 6749, sections 4.3, 5 and 6; RFC 7009.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Response, request
from flask_restx import Model, Namespace
from flask_restx.reqparse import RequestParser

from api import fields, query
from api.arguments import FormField
from api.auth import issue, parts, session_of
from api.decoding import decode
from api.describe import answers
from api.input import FORM, JSON, read_form_or_json
from api.problems import MalformedBody
from api.resource import Endpoint, expose
from api.swagger import CONSUMES, JSON_MODEL
from services import refresh, sessions
from services.errors import Fault, Invalid, ServiceError
from services.refresh import Grant
from services.scopes import scopes_of
from services.sessions import Credentials
from services.validation import invalid

ns = Namespace("Sign-in", path="/v1", description="Sign in, go on, sign out (OAuth 2).")

NO_STORE = "no-store"
#: What each grant needs beside ``grant_type``.
_NEEDS = {"password": ("username", "password"), "refresh_token": ("refresh_token",)}
#: Bytes of a refused body that are read again for a guess in it.
_MAX_GUESS = 16 * 1024
#: Our code → RFC 6749's.
_ERRORS = {
    "invalid-grant": "invalid_grant",
    "rate-limited": "temporarily_unavailable",
    "unavailable": "temporarily_unavailable",
    "timeout": "temporarily_unavailable",
    "insufficient-storage": "server_error",
    "internal": "server_error",
}

token_request = ns.model(
    "TokenRequest",
    {
        "grant_type": fields.String(required=True, enum=list(_NEEDS), example="password"),
        "username": fields.String(
            max_length=320, description="Or the email address.", example="ada"
        ),
        "password": fields.String(max_length=1024, multiline=True, example="an elephant in Cairo"),
        "refresh_token": fields.String(max_length=500),
        "scope": fields.String(max_length=1000, description="Ignored: a sign-in has every scope."),
    },
)
token_answer = ns.model(
    "Token",
    {
        "access_token": fields.String(required=True, description="A JWT, signed with EdDSA."),
        "token_type": fields.String(required=True, enum=["Bearer"]),
        "expires_in": fields.Integer(required=True, description="Seconds.", example=900),
        "refresh_token": fields.String(required=True, description="Can be used once."),
        "scope": fields.String(required=True, example="posts:read posts:write"),
    },
)
revocation_request = ns.model(
    "RevocationRequest",
    {
        "token": fields.String(
            required=True, min_length=1, max_length=8192, example="a-token-to-end"
        ),
        "token_type_hint": fields.String(max_length=100, description="Not needed."),
    },
)


def _form_of(shape: Model) -> RequestParser:
    """Document a shape as a form; it is read by ``read_form_or_json``."""
    parser = RequestParser()
    parser.args = [FormField(name, field) for name, field in shape.items()]
    return parser


def _reads(shape: Model) -> dict[str, Any]:
    """Document what an endpoint for anyone reads: the shape as a form or as JSON."""
    vendor = {CONSUMES: [FORM, *JSON], JSON_MODEL: shape.name}
    return {"expect": [_form_of(shape)], "vendor": vendor, "security": []}


class OAuthEndpoint(Endpoint):
    """An endpoint for anyone, whose problems also speak OAuth 2."""

    anonymous: ClassVar[frozenset[str]] = frozenset({"POST"})
    takes_token: ClassVar[bool] = False

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Response:
        """Run the verb; say what went wrong as OAuth 2 does, too."""
        try:
            query.refuse_any()
            return super().dispatch_request(*args, **kwargs)
        except ServiceError as exc:
            exc.extra |= {"error": _error(exc), "error_description": exc.public_message}
            raise


@expose(
    ns,
    "/auth/token",
    post={
        "id": "createToken",
        **_reads(token_request),
        **answers(200, token_answer, 413, 415, 429),
    },
)
class TokenCollection(OAuthEndpoint):
    def post(self) -> Response:
        """Sign in, or go on with a refresh token

        In this console rather press Authorize, which asks here and sends the token from then on.
        `grant_type` is `password`, with user name (or email) and password, or `refresh_token`. The
        access token is good for 15 minutes, the refresh token for one use.
        """
        data = self._data()
        grant = self._sign_in(data) if "password" in data else self._refresh(data)
        return self.answer(_shown(grant), token_answer, cache=NO_STORE)

    def _data(self) -> dict[str, Any]:
        """Return what belongs to the grant, all of it there."""
        try:
            data = read_form_or_json(token_request)
        except Invalid:
            self._count_guess()
            raise
        needed = _NEEDS[data["grant_type"]]
        missing = [
            Fault(name, "required", "Missing required field.")
            for name in needed
            if name not in data
        ]
        if missing:
            raise invalid(missing)
        return {name: data[name] for name in needed}

    def _count_guess(self) -> None:
        """Count a refused body that holds a guess: no further member makes another bucket."""
        raw = request.get_data()
        try:
            data = decode(raw) if request.is_json and len(raw) <= _MAX_GUESS else {}
        except MalformedBody:
            return
        match data:
            case {"username": str(name), "password": str(password)}:
                sessions.count_guess(self, self._credentials(name, password))

    def _sign_in(self, data: dict[str, str]) -> Grant:
        return sessions.sign_in(self, self._credentials(data["username"], data["password"]))

    def _refresh(self, data: dict[str, str]) -> Grant:
        token, key, address = data["refresh_token"], parts().refresh_key, request.remote_addr
        return self.write(lambda session: refresh.refresh(session, token, key, address))

    def _credentials(self, name: str, password: str) -> Credentials:
        return Credentials(
            name=name,
            password=password,
            device=request.user_agent.string,
            address=request.remote_addr,
            limit=self.config.SIGN_IN_LIMIT if self.config.RATE_LIMITS else 0,
        )


@expose(
    ns,
    "/auth/revoke",
    post={
        "id": "revokeToken",
        **_reads(revocation_request),
        **answers(200, None, 413, 415),
    },
)
class Revocation(OAuthEndpoint):
    def post(self) -> Response:
        """Sign out

        By a refresh or an access token. One that is not good any more is no error (RFC 7009).
        """
        token = read_form_or_json(revocation_request)["token"]
        self.write(lambda session: sessions.sign_out(session, token, session_of(token)))
        return Response(b"{}", headers={"Cache-Control": NO_STORE}, content_type=JSON[0])


def _shown(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": issue(grant),
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "refresh_token": grant.refresh_token,
        "scope": " ".join(scopes_of(grant.role)),
    }


def _error(exc: ServiceError) -> str:
    """Return RFC 6749's word for an error."""
    if any((fault.field, fault.code) == ("grant_type", "choice") for fault in exc.faults):
        return "unsupported_grant_type"
    return _ERRORS.get(exc.public_code, "invalid_request")
