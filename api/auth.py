"""Who is calling: access tokens are made here, and the one in ``Authorization`` becomes an Actor.

A token is verified once; then its caller is remembered by the token's hash, and each further
request checks its expiry and asks the copy of the revocations. No request asks the database.

Source: RFC 6750 (bearer tokens), RFC 8725 (one algorithm, every claim, no key from the header).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

import orjson
import sqlalchemy as sa
from cachetools import FIFOCache
from flask import Flask, Response, current_app, request
from flask.globals import app_ctx, request_ctx
from flask_jwt_extended import JWTManager, create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import InvalidTokenError, PyJWTError

from api import access, mounted
from api.database import engine_of
from api.problems import Challenge
from config import Config
from services import keys, passwords, refresh
from services.actor import ROLES, Actor
from services.errors import Unavailable
from services.lifetimes import lifetimes
from services.refresh import Grant
from services.revocation import Registry
from services.scopes import scopes_of

AUDIENCE = "signpost"
#: Seconds by which the clocks of two hosts may differ.
LEEWAY = 10
MAX_TOKEN_BYTES = 8 * 1024
#: Verified tokens that are remembered, by hash.
REMEMBERED = 10_000

_BEARER = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)
_HEADER: dict[str, type] = {"alg": str, "kid": str, "typ": str}
_CLAIMS: dict[str, type] = {
    "iss": str,
    "aud": str,
    "sub": str,
    "sid": int,
    "ver": int,
    "jti": str,
    "iat": int,
    "exp": int,
    "role": str,
    "scope": str,
}

_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_UNKNOWN: Any = object()

jwt = JWTManager()


@dataclass(frozen=True)
class _Verified:
    actor: Actor
    session_id: int
    ver: int
    exp: int


@dataclass(frozen=True)
class _Signing:
    """What a token is made of: one key for the header and the signature."""

    grant: Grant
    key: keys.Key


class Parts:
    """What signing in needs in one app."""

    def __init__(self, config: Config, engine: Callable[[], sa.Engine]) -> None:
        self.keys = keys.open_keys(config.JWT_KEYS, config.DATA_DIR)
        self.revocations = Registry(engine)
        self.refresh_key = refresh.successor_key(config.SECRET_KEY)
        self.verified: FIFOCache[bytes, _Verified] = FIFOCache(REMEMBERED)
        self.lock = threading.Lock()

    def find(self, name: bytes) -> _Verified | None:
        """Return what was verified under a name; between two steps of it another one may go."""
        with self.lock:
            return self.verified.get(name)

    def recognise(self, header: str) -> Actor | None:
        """Return whose token this is, if it was verified before and is good still; else None."""
        match = _BEARER.fullmatch(header)
        found = self.find(_name(match[1])) if match else None
        if found is None or time.time() >= found.exp + LEEWAY:
            return None
        try:
            is_revoked = self.revocations.is_revoked(found.actor.id, found.session_id, found.ver)
        except Unavailable:
            return None
        return None if is_revoked else found.actor


def init_app(app: Flask, config: Config) -> None:
    """Prepare the app; makes the signing keys if there are none."""
    issuer = config.PUBLIC_URL or "signpost"
    app.config.from_mapping(
        JWT_ALGORITHM="EdDSA",
        JWT_DECODE_ALGORITHMS=["EdDSA"],
        JWT_ENCODE_ISSUER=issuer,
        JWT_DECODE_ISSUER=issuer,
        JWT_ENCODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_AUDIENCE=AUDIENCE,
        JWT_ENCODE_NBF=False,
        JWT_DECODE_LEEWAY=LEEWAY,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_COOKIE_CSRF_PROTECT=False,  # no cookies; else every token has a claim for them
    )
    lifetimes.configure(
        access=config.ACCESS_TOKEN_TTL,
        refresh=config.REFRESH_TOKEN_TTL,
        session=config.SESSION_TTL,
    )
    passwords.settings.configure(
        blocklist=config.PASSWORD_BLOCKLIST,
        concurrency=max(1, (os.cpu_count() or 1) // config.WORKERS),
    )
    app.extensions["signpost"].auth = Parts(config, engine_of(app))
    jwt.init_app(app)


def parts() -> Parts:
    """Return what signing in needs in the current app."""
    found: Parts = current_app.extensions["signpost"].auth
    return found


def current_actor() -> Actor | None:
    """Return the caller of this request; None if no token was sent.

    Raises:
        Challenge: what was sent is not a good token.
        Unavailable: it may have been revoked, and the database cannot be asked.
    """
    known = app_ctx.g  # asked several times a request, and each use of a proxy costs a microsecond
    actor: Actor | None = known.get("actor", _UNKNOWN)
    if actor is _UNKNOWN:
        header = request_ctx.request.environ.get("HTTP_AUTHORIZATION")
        actor = known.actor = None if header is None else _authenticate(header)
    return actor


def watch() -> Callable[[], None]:
    """Return what raises, in any context of the app, once this request's token is revoked.

    For answers that are sent for longer than a second. A token that expires ends none of them.
    """
    if current_actor() is None:
        return lambda: None
    found: _Verified = app_ctx.g.verified
    return lambda: _refuse_revoked(found)


def guard(view: Callable[..., Response]) -> Callable[..., Response]:
    """Check the caller before a view of the API runs.

    api/access.py says who may call what. Whoever sends a token that is not good is refused in any
    case, unless the endpoint takes none (``takes_token = False``).
    """
    cls: Any = getattr(view, "view_class", view)  # the former is set by Flask's as_view
    needs = {verb: access.needed(cls, verb) for verb in getattr(cls, "methods", None) or _VERBS}
    needs.setdefault("HEAD", needs.get("GET", access.UNDECLARED))
    takes_token = getattr(cls, "takes_token", True)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Response:
        if takes_token:
            access.check(needs[request.method], current_actor())
        else:
            app_ctx.g.actor = None
        return view(*args, **kwargs)

    return guarded


def issue(grant: Grant) -> str:
    """Return a signed access token for a sign-in."""
    key = parts().keys.ring().signing()
    life = timedelta(seconds=grant.expires_in)
    token: str = create_access_token(_Signing(grant, key), expires_delta=life)
    return token


def session_of(token: str) -> int | None:
    """Return the sign-in of an access token of ours that has not expired, else None."""
    try:
        return _verify(token).session_id
    except Challenge:
        return None


@jwt.user_identity_loader
def _subject(signing: _Signing) -> str:
    return str(signing.grant.user_id)


@jwt.additional_claims_loader
def _claims(signing: _Signing) -> dict[str, Any]:
    grant = signing.grant
    scope = " ".join(scopes_of(grant.role))
    return {"sid": grant.session_id, "ver": grant.ver, "role": grant.role, "scope": scope}


@jwt.additional_headers_loader
def _headers(signing: _Signing) -> dict[str, Any]:
    return {"kid": signing.key.kid}


@jwt.encode_key_loader
def _encode_key(signing: _Signing) -> Any:
    return signing.key.private


@jwt.decode_key_loader
def _decode_key(header: dict[str, Any], _payload: dict[str, Any]) -> Any:
    kid, store = header["kid"], parts().keys
    key = store.ring().verifying(kid) or store.ring(unknown=kid).verifying(kid)
    if key is None:
        raise InvalidTokenError("unknown key")
    return key.public


def _authenticate(header: str) -> Actor:
    match = None
    if len(header) <= MAX_TOKEN_BYTES:
        match = _BEARER.fullmatch(header) or _BEARER.fullmatch(_as_bearer(header))
    if match is None:
        raise _refused()
    found = app_ctx.g.verified = _remembered(match[1])
    if time.time() >= found.exp + LEEWAY:
        raise _refused("The access token has expired.")
    _refuse_revoked(found)
    return found.actor


def _as_bearer(header: str) -> str:
    """Return what it is called here if the extension that is asked has its own scheme for it."""
    extension, (scheme, _, rest) = mounted.of(request.path), header.partition(" ")
    return f"Bearer {rest}" if extension and scheme.lower() in extension.schemes else ""


def _refuse_revoked(found: _Verified) -> None:
    if parts().revocations.is_revoked(found.actor.id, found.session_id, found.ver):
        raise _refused("The access token has been revoked.")


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _remembered(token: str) -> _Verified:
    name, own = _name(token), parts()
    found = own.find(name)
    if found is None:
        found = _verify(token)
        with own.lock:
            own.verified[name] = found
    return found


def _verify(token: str) -> _Verified:
    """Return the caller of a token that is ours in every respect.

    Raises:
        Challenge: it is not.
    """
    try:
        if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
            raise ValueError("not a token")
        header, payload, _signature = token.split(".")
        # These two also keep what could hurt the parser below away from it.
        _check(_decoded(header), _HEADER, exactly=True)
        _check(_decoded(payload), _CLAIMS, exactly=False)
        claims = decode_token(token)
        if claims["role"] not in ROLES or not claims["jti"]:
            raise ValueError("a claim that means nothing here")
        if claims["exp"] - claims["iat"] > lifetimes.access.total_seconds() + LEEWAY:
            raise ValueError("it lives longer than what ends it is remembered")
        scopes = frozenset(claims["scope"].split())
        actor = Actor(int(claims["sub"]), claims["role"], claims["sid"], scopes)
    except (ValueError, PyJWTError, JWTExtendedException) as exc:
        raise _refused() from exc
    return _Verified(actor, claims["sid"], claims["ver"], claims["exp"])


def _decoded(part: str) -> Any:
    try:
        padded = part + "=" * (-len(part) % 4)
        return orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc


def _check(found: Any, wanted: dict[str, type], *, exactly: bool) -> None:
    """Refuse what is not a flat object with these members, of these types, at least.

    Raises:
        ValueError: something is missing, of another type, nested or, with ``exactly``, too much.
    """
    if type(found) is not dict or any(type(found.get(each)) is not wanted[each] for each in wanted):
        raise ValueError("a member is missing or of another type")
    if any(isinstance(value, dict | list) for value in found.values()):
        raise ValueError("a member is nested")
    if exactly and found.keys() != wanted.keys():
        raise ValueError("a member is not known")


def _refused(message: str = "The access token is not valid.") -> Challenge:
    return Challenge(message, error="invalid_token")
