"""Forged access tokens: whatever is wrong with one, it is refused, at once, and alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from tests.bearer import ask, assert_refused, segment


@pytest.fixture
def forge(app: Flask, token: str) -> Callable[..., str]:
    """``forge({"exp": 1}, crit=["x"])``: a token signed with our own key."""
    key = app.extensions["signpost"].auth.keys.ring().signing()

    def forge(claims: dict[str, Any], **header: Any) -> str:
        head = segment({"alg": "EdDSA", "typ": "JWT", "kid": key.kid} | header)
        signed = f"{head}.{segment(claims)}"
        return f"{signed}.{segment(key.private.sign(signed.encode()))}"

    return forge


class TestForgery:
    def test_by_our_own_key_is_none(
        self, client: FlaskClient, forge: Callable[..., str], claims: dict[str, Any]
    ) -> None:
        assert ask(client, f"Bearer {forge(claims)}").status_code == 200

    @pytest.mark.parametrize(
        "missing", ["iss", "aud", "sub", "sid", "ver", "jti", "iat", "exp", "role", "scope"]
    )
    def test_without_a_claim_is_refused(
        self, client: FlaskClient, forge: Callable[..., str], claims: dict[str, Any], missing: str
    ) -> None:
        # when
        del claims[missing]
        # then
        assert_refused(ask(client, f"Bearer {forge(claims)}"))

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": 1},
            {"exp": -1},
            {"exp": "9999999999"},
            {"exp": float("inf")},
            {"exp": None},
            {"exp": [9999999999]},
            {"exp": 10**400},
            {"nbf": 9_999_999_999},
            {"iat": 9_999_999_999},
            {"iss": "signpost.example"},
            {"iss": "sign"},
            {"iss": ["signpost"]},
            {"aud": "another"},
            {"aud": ["signpost", "another"]},
            {"sub": 1},
            {"sub": "me"},
            {"sub": ""},
            {"ver": "1"},
            {"sid": None},
            {"role": {"admin": True}},
            {"more": {"nested": {}}},
        ],
        ids=repr,
    )
    def test_with_another_claim_is_refused(
        self,
        client: FlaskClient,
        forge: Callable[..., str],
        claims: dict[str, Any],
        changes: dict[str, Any],
    ) -> None:
        assert_refused(ask(client, f"Bearer {forge(claims | changes)}"))

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none"},
            {"alg": "HS256"},
            {"alg": "Ed25519"},
            {"alg": ["EdDSA"]},
            {"alg": 1},
            {"alg": None},
            {"kid": "../../etc/passwd"},
            {"kid": None},
            {"kid": ["x"]},
            {"crit": ["x"], "x": 1},
            {"crit": []},
            {"b64": False},
            {"jku": "https://evil.example/keys.json"},
            {"x5u": "https://evil.example/cert.pem"},
            {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
            {"typ": 1},
        ],
        ids=repr,
    )
    def test_with_another_header_is_refused(
        self,
        client: FlaskClient,
        forge: Callable[..., str],
        claims: dict[str, Any],
        header: dict[str, Any],
    ) -> None:
        assert_refused(ask(client, f"Bearer {forge(claims, **header)}"))

    @pytest.mark.parametrize(
        "head", [b"[" * 3_000, b"{" * 3_000, b"[]", b'"x"', b"null", b"\xff", b"", b"9" * 5_000]
    )
    def test_with_a_header_that_is_no_object_is_refused_quickly(
        self, client: FlaskClient, token: str, head: bytes
    ) -> None:
        # given
        _, payload, signature = token.split(".")
        start = time.thread_time()
        # when
        answer = ask(client, f"Bearer {segment(head)}.{payload}.{signature}")
        # then
        assert_refused(answer)
        assert time.thread_time() - start < 0.05

    def test_with_a_deep_payload_is_refused(self, client: FlaskClient, token: str) -> None:
        # given
        head, _, signature = token.split(".")
        # then
        for payload in (b"[" * 4_000, b'{"a":' * 900 + b"1" + b"}" * 900):
            assert_refused(ask(client, f"Bearer {head}.{segment(payload)}.{signature}"))

    def test_unsigned_is_refused(self, client: FlaskClient, token: str) -> None:
        # given
        head, payload, signature = token.split(".")
        none = segment({"alg": "none", "typ": "JWT"})
        # then
        for forged in (
            f"{head}.{payload}.",
            f"{none}.{payload}.",
            f"{none}.{payload}.{signature}",
            f"{head}.{payload}.{signature[:-4]}AAAA",
            f"{head}.{payload[:-4]}AAAA.{signature}",
            f"{head}.{payload}.{signature}=",
        ):
            assert_refused(ask(client, f"Bearer {forged}"))

    def test_signed_with_the_public_key_as_a_secret_is_refused(
        self, app: Flask, client: FlaskClient, claims: dict[str, Any]
    ) -> None:
        # given
        key = app.extensions["signpost"].auth.keys.ring().signing()
        secret = key.public.public_bytes_raw()
        # when
        forged = jwt.encode(claims, secret, "HS256", headers={"kid": key.kid})
        # then
        assert_refused(ask(client, f"Bearer {forged}"))

    def test_signed_with_a_foreign_key_is_refused(
        self, app: Flask, client: FlaskClient, claims: dict[str, Any]
    ) -> None:
        # given
        kid = app.extensions["signpost"].auth.keys.ring().signing().kid
        # when
        forged = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": kid})
        # then
        assert_refused(ask(client, f"Bearer {forged}"))
