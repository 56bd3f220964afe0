"""The Ed25519 keys that sign access tokens: which one signs, which ones verify, how they rotate.

A ``KeyRing`` never changes; a ``KeyStore`` says which ring holds now. Tokens are made and verified
in api/auth.py, the public halves are served by api/jwks.py.

Source: RFC 8037 (Ed25519 in JOSE), RFC 7638 (``kid`` is the key's thumbprint).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.lifetimes import lifetimes

#: Seconds for which others may cache the published keys.
JWKS_TTL = 300
#: Seconds that a key goes on verifying after its last token has expired: clocks apart.
_SPARE = 120
#: Seconds between two looks at the file, and between two because of an unknown key.
LOOK_EVERY, LOOK_AGAIN = 0.5, 0.1
_SEED_BYTES = 32

_log = logging.getLogger(__name__)


class KeyFault(Exception):
    """The keys cannot be read or changed; the message says why, without showing them."""


@dataclass(frozen=True)
class Key:
    """One signing key.

    Args:
        seed: base64url of 32 random bytes.
        signs_from: Unix time (s) from which it signs, until the next key does.
    """

    seed: str
    signs_from: float = 0.0

    def __repr__(self) -> str:
        return f"Key(kid={self.kid!r}, signs_from={self.signs_from!r})"

    @cached_property
    def private(self) -> Ed25519PrivateKey:
        """The private half, parsed."""
        return Ed25519PrivateKey.from_private_bytes(_decoded(self.seed))

    @cached_property
    def public(self) -> Ed25519PublicKey:
        """The public half, parsed."""
        return self.private.public_key()

    @cached_property
    def kid(self) -> str:
        """The thumbprint: the same key has the same name everywhere."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": self._x}
        text = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _base64url(hashlib.sha256(text.encode()).digest())

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": self._x,
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
        }

    @property
    def _x(self) -> str:
        return _base64url(self.public.public_bytes(Encoding.Raw, PublicFormat.Raw))


class KeyRing:
    """Some keys, in the order in which they sign. Never changes."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.signs_from))
        if not self.keys:
            raise KeyFault("There is no key.")
        self._by_kid = {key.kid: key for key in self.keys}

    def signing(self) -> Key:
        """Return the key that signs now."""
        now = time.time()
        return next((key for key in reversed(self.keys) if key.signs_from <= now), self.keys[0])

    def verifying(self, kid: str) -> Key | None:
        """Return the key called ``kid`` if its tokens may still be good."""
        key = self._by_kid.get(kid)
        return key if key in self.living() else None

    def living(self) -> list[Key]:
        """Return every key whose tokens may still be good, those yet to sign included."""
        now = time.time()
        life = lifetimes.access.total_seconds() + _SPARE
        ends = [key.signs_from + life for key in self.keys[1:]]
        return [key for key, end in zip(self.keys, [*ends, float("inf")], strict=True) if end > now]

    def jwks(self) -> dict[str, Any]:
        """Return the JSON Web Key Set that others verify with."""
        return {"keys": [key.jwk for key in self.living()]}


class FixedKeys:
    """Keys given by a setting: the first signs, all verify.

    Args:
        seeds: base64url of 32 bytes each.

    Raises:
        KeyFault: one of them is not such a seed.
    """

    def __init__(self, seeds: Sequence[str]) -> None:
        for seed in seeds:
            _decoded(seed)
        # The first of the setting is the last to begin to sign; all are living for ever.
        self._ring = _Everlasting(Key(seed, -number) for number, seed in enumerate(seeds))

    def ring(self, unknown: str | None = None) -> KeyRing:
        """Return the ring."""
        return self._ring

    def rotate(self, *, now: bool = False) -> Key:
        """Refuse: who gave the keys rotates them."""
        raise KeyFault("The keys come from JWT_KEYS: put a new one first and start again.")


class KeyStore:
    """Keys in a file, made at the first start; every process notices within a second if it changes.

    Raises:
        KeyFault: the file cannot be made or read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._seen, self._ring = self._load_or_make()

    def ring(self, unknown: str | None = None) -> KeyRing:
        """Return the ring that holds now.

        Args:
            unknown: a ``kid`` that the ring before did not have: look again soon.
        """
        pause = LOOK_AGAIN if unknown else LOOK_EVERY
        if time.monotonic() - self._looked_at > pause and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                self._look()
            finally:
                self._lock.release()
        return self._ring

    def rotate(self, *, now: bool = False) -> Key:
        """Add a key, drop the dead ones, and return the new one.

        It is published at once and signs when the last cached copy of the published keys is out of
        date; with ``now`` it signs at once, for when the present key is no longer secret.
        """
        key = _new_key(time.time() + (0 if now else JWKS_TTL))
        with self._exclusively(), self._lock:
            living = KeyRing(_parse(self._path)).living()
            _write(self._path, [*living, key])
            self._seen, self._ring = self._load()
        return key

    def _look(self) -> None:
        """Read the file again if it is another one. A damaged one changes nothing."""
        try:
            if _stamp(self._path) != self._seen:
                self._seen, self._ring = self._load()
        except (OSError, KeyFault):
            _log.exception("the signing keys cannot be read again; the ones in memory go on")

    def _load_or_make(self) -> tuple[tuple[int, ...], KeyRing]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._exclusively():
                if not self._path.exists():
                    _write(self._path, [_new_key(0.0)])
                return self._load()
        except (OSError, filelock.Timeout) as exc:
            raise KeyFault(f"{self._path}: {exc}") from exc

    def _load(self) -> tuple[tuple[int, ...], KeyRing]:
        seen = _stamp(self._path)  # before reading: a change in between is seen next time
        return seen, KeyRing(_parse(self._path))

    def _exclusively(self) -> filelock.BaseFileLock:
        return filelock.FileLock(self._path.with_suffix(".lock"), timeout=10, mode=0o600)


class _Everlasting(KeyRing):
    def living(self) -> list[Key]:
        return list(reversed(self.keys))


def open_keys(setting: Sequence[str], directory: Path) -> FixedKeys | KeyStore:
    """Return the keys of a setting, or else those kept in a directory."""
    return FixedKeys(setting) if setting else KeyStore(directory / "jwt-keys.json")


def _new_key(signs_from: float) -> Key:
    return Key(_base64url(secrets.token_bytes(_SEED_BYTES)), signs_from)


def _decoded(seed: str) -> bytes:
    try:
        raw = base64.b64decode(seed + "=" * (-len(seed) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise KeyFault("A signing key is not base64url.") from exc
    if len(raw) != _SEED_BYTES:
        raise KeyFault(f"A signing key is not {_SEED_BYTES} bytes long.")
    return raw


def _parse(path: Path) -> list[Key]:
    try:
        found = json.loads(path.read_bytes())["keys"]
        keys = [Key(str(item["seed"]), float(item["signs_from"])) for item in found]
    except (ValueError, TypeError, KeyError) as exc:
        raise KeyFault(f"{path} is damaged.") from exc
    for key in keys:
        _decoded(key.seed)
    return keys


def _write(path: Path, keys: list[Key]) -> None:
    """Replace the file at once and for good; only its owner may read it."""
    data = json.dumps({"keys": [asdict(key) for key in keys]}, indent=1).encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 600
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
