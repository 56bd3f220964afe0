"""Section E: access tokens that a live server must refuse, whoever signed them."""

from __future__ import annotations

import base64
import hmac
import json
import math
import socket
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.keys import Key, KeyStore
from tests.security.raw import Answer, ask
from tests.security.world import API
from tests.servers import LiveServer

WHOAMI = f"{API}/auth/whoami"


def segment(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forger:
    """Makes tokens for one live server, with its own key or another one."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.key = KeyStore(server.data_dir / "jwt-keys.json").ring().signing()
        options: Any = {"verify_signature": False}
        self.claims: dict[str, Any] = jwt.decode(server.admin_token, options=options)

    def token(self, header: Any = None, key: Key | None = None, **changes: Any) -> str:
        """Return the admin's token with changes; a claim or member of ``...`` is left out."""
        key = key or self.key
        head = {"alg": "EdDSA", "typ": "JWT", "kid": self.key.kid} | (header or {})
        claims = {n: v for n, v in (self.claims | changes).items() if v is not ...}
        signed = f"{segment(head)}.{segment(claims)}"
        return f"{signed}.{segment(key.private.sign(signed.encode()))}"

    def ask(self, *lines: str, target: str = WHOAMI) -> Answer:
        """Ask with these header lines."""
        return ask(self.server.url, target, *lines)


@pytest.fixture
def forger(server: LiveServer) -> Forger:
    return Forger(server)


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_case_041_an_unsigned_token_is_refused(forger: Forger) -> None:
    # given
    assert forger.ask(f"Authorization: Bearer {forger.token()}").status == 200
    head, claims, signature = forger.token().split(".")
    for algorithm in ("none", "None", "NONE", "nOnE", "", "none "):
        none = segment({"alg": algorithm, "typ": "JWT", "kid": forger.key.kid})
        for rest in ("", signature, "AA"):
            # when
            answer = forger.ask(f"Authorization: Bearer {none}.{claims}.{rest}")
            # then
            assert_refused(answer)
    for forged in (f"{head}.{claims}.", f"{head}.{claims}", f"{head}..{signature}"):
        assert_refused(forger.ask(f"Authorization: Bearer {forged}"))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_case_042_a_public_key_is_no_secret(forger: Forger, algorithm: str) -> None:
    # given
    jwks = ask(forger.server.url, "/.well-known/jwks.json").body
    (published,) = json.loads(jwks)["keys"]
    x = published["x"]
    raw = base64.urlsafe_b64decode(x + "==")
    head = segment({"alg": algorithm, "typ": "JWT", "kid": forger.key.kid})
    signed = f"{head}.{segment(forger.claims)}"
    # when
    for secret in (raw, x.encode(), jwks, json.dumps(published).encode(), b""):
        signature = hmac.digest(secret, signed.encode(), algorithm.replace("HS", "sha"))
        # then
        assert_refused(forger.ask(f"Authorization: Bearer {signed}.{segment(signature)}"))


def test_case_042_a_foreign_key_of_the_same_kind_is_refused(forger: Forger) -> None:
    # given
    foreign = Key(segment(Ed25519PrivateKey.generate().private_bytes_raw()))
    # then
    for kid in (forger.key.kid, foreign.kid):
        forged = forger.token({"kid": kid}, key=foreign)
        assert_refused(forger.ask(f"Authorization: Bearer {forged}"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that notices when somebody calls."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("member", ["jku", "x5u", "jwk", "x5c", "kid"])
def test_case_043_a_key_from_the_header_is_neither_used_nor_fetched(
    forger: Forger, listener: socket.socket, member: str
) -> None:
    # given
    foreign = Key(segment(Ed25519PrivateKey.generate().private_bytes_raw()))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys.json"
    values: list[Any] = [url, foreign.jwk, [url], "../../x", "/dev/null", "' OR 1=1 --", "\0", {}]
    for value in values:
        # when
        forged = forger.token({"kid": foreign.kid, member: value}, key=foreign)
        genuine = forger.token({member: value})
        # then
        assert_refused(forger.ask(f"Authorization: Bearer {forged}"))
        assert_refused(forger.ask(f"Authorization: Bearer {genuine}"))
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    "header",
    [{"crit": ["x"], "x": 1}, {"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}],
    ids=repr,
)
def test_case_044_an_extension_that_must_be_understood_is_refused(
    forger: Forger, header: dict[str, Any]
) -> None:
    assert_refused(forger.ask(f"Authorization: Bearer {forger.token(header)}"))


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 20_000,
        b"[" * 5_000,
        b'{"a":' * 1_000,
        b"[]",
        b"1e400",
        b'"EdDSA"',
        b"\0",
        b"9" * 5_000,
    ],
    ids=lambda head: repr(head[:8]),
)
def test_case_045_a_header_that_is_no_object_is_refused_at_once(
    forger: Forger, head: bytes
) -> None:
    # given
    _, claims, signature = forger.token().split(".")
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        # when
        answer = forger.ask(f"Authorization: Bearer {segment(head)}.{claims}.{signature}")
        taken.append(time.perf_counter() - started)
        # then
        assert_refused(answer)
    assert min(taken) < 0.05


@pytest.mark.parametrize("algorithm", [["EdDSA"], {"EdDSA": 1}, 1, None, True, "eddsa", "EdDSA "])
def test_case_045_an_algorithm_of_another_type_is_refused(forger: Forger, algorithm: Any) -> None:
    assert_refused(forger.ask(f"Authorization: Bearer {forger.token({'alg': algorithm})}"))


def test_case_045_a_token_over_8_kib_is_refused_though_its_signature_is_right(
    forger: Forger,
) -> None:
    for length in (9_000, 60_000, 200_000):
        # when
        answer = forger.ask(f"Authorization: Bearer {forger.token(scope='x' * length)}")
        # then
        assert answer.status in {400, 401, 431}


@pytest.mark.parametrize(
    "name", ["exp", "jti", "iat", "iss", "aud", "sub", "sid", "ver", "role", "scope"]
)
def test_case_047_a_token_without_a_claim_is_refused(forger: Forger, name: str) -> None:
    values: list[Any] = [..., None, [], {}, True, *([] if name == "scope" else [""])]
    for value in values:
        changes: Any = {name: value}
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(**changes)}"))


def test_case_048_a_token_out_of_its_time_is_refused(forger: Forger) -> None:
    # given
    now = int(time.time())
    ends = [now - 11, 0, -1, -(10**12), 1e400, 10**400, "9", str(now + 99), math.nan, now + 0.5]
    # then
    for end in ends:
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(exp=end)}"))
    for begin in (now + 60, 10**11, "x", [now]):
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(nbf=begin)}"))
    for made in (now + 60, 10**11, "9"):
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(iat=made)}"))


def test_case_048_a_token_that_outlives_all_of_ours_is_refused(forger: Forger) -> None:
    # given
    now = int(time.time())
    for life in (1_000, 86_400, 10**9, 2**53):
        # then
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(exp=now + life, iat=now)}"))
    assert_refused(forger.ask(f"Authorization: Bearer {forger.token(iat=now - 86_400)}"))


def test_case_049_a_token_for_or_by_another_service_is_refused(forger: Forger) -> None:
    # given
    iss, aud = forger.claims["iss"], forger.claims["aud"]
    for value in ("", "sign", iss[:-1], f"{iss}x", f" {iss}", iss.upper(), [iss], {iss: 1}, "*"):
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(iss=value)}"))
    for value in ("", "another", aud[:-1], f"{aud}x", ["another"], [aud, "another"], "*"):
        assert_refused(forger.ask(f"Authorization: Bearer {forger.token(aud=value)}"))


@pytest.mark.parametrize("url", [WHOAMI, f"{API}/posts", f"{API}/users"])
def test_case_050_a_malformed_header_is_refused_everywhere(forger: Forger, url: str) -> None:
    # given
    good = forger.token()
    headers = [
        *("", "Bearer", "Bearer ", "Bearer a b", f"Bearer {good} x", f"Bearer {good},", "Bearer ,"),
        *("Basic x", "Basic YTpi", f"Basic {good}", f"Token {good}", good, f"Bearer{good}"),
        *(f"Bearer \xe9{good}", f"Bearer {good}\xff", "Bearer \x80.\x80.\x80", f'Bearer "{good}"'),
        *(f"Bearer {good}, Bearer {good}", f"Bearer Bearer {good}", f"Bearer\t{good}"),
    ]
    for header in headers:
        # when
        answer = forger.ask(f"Authorization: {header}", target=url)
        # then
        assert_refused(answer)


def test_case_050_a_header_that_comes_twice_is_refused(forger: Forger) -> None:
    line = f"Authorization: Bearer {forger.token()}"
    assert_refused(forger.ask(line, line))
    assert_refused(forger.ask(line, "authorization: Basic x"))


def test_case_051_a_token_in_the_url_or_a_cookie_is_not_taken_nor_logged(forger: Forger) -> None:
    # given
    token, server = forger.token(jti="told-in-the-url"), forger.server
    for name in ("access_token", "jwt", "token", "bearer", "auth", "authorization", "key"):
        # when
        in_query = forger.ask(
            f"Referer: {server.url}/?{name}={token}", target=f"{WHOAMI}?{name}={token}"
        )
        in_cookie = forger.ask(f"Cookie: {name}={token}; access_token_cookie={token}")
        in_header = forger.ask(f"X-{name}: {token}", f"X-Access-Token: {token}")
        # then
        assert [each.status for each in (in_query, in_cookie, in_header)] == [401] * 3
        public = ask(server.url, f"{API}/posts?{name}={token}")
        assert (public.status, token in public.body.decode()) == (400, False)
    assert WHOAMI in server.log
    assert token.split(".")[2] not in server.log
    assert server.admin_token.split(".")[2] not in server.log
