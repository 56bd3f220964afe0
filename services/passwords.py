"""Passwords: argon2id hashes, and which passwords are refused.

Hashing costs about 25 ms and 19 MiB; call it outside every transaction. What may be guessed how
often is in services/guesses.py.

Source: OWASP Password Storage Cheat Sheet; docs/decisions/0011-passwords.md has the figures.
"""

from __future__ import annotations

import gzip
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.errors import Fault, Invalid, Unavailable

MIN_LENGTH, MAX_LENGTH = 8, 1024
TIME_COST, MEMORY_KIB, LANES = 3, 19 * 1024, 1
#: Seconds that a caller waits for its turn to hash.
QUEUE_TIMEOUT = 1.0

_COMMON = Path(__file__).with_name("data") / "common-passwords.txt.gz"
_OFF = Path("off")
_PREFIX = "$argon2id$"


class Settings:
    """What the process was told about passwords; ``configure`` sets it once, at start."""

    def __init__(self) -> None:
        self.blocklist: Path | None = _COMMON
        self.slots = threading.BoundedSemaphore(os.cpu_count() or 1)

    def configure(self, *, blocklist: Path | None = None, concurrency: int | None = None) -> None:
        """Apply settings.

        Args:
            blocklist: a file with one refused password a line, gzipped if it ends in ``.gz``;
                ``off`` refuses none; None means the list that is built in.
            concurrency: how many hashes this process computes at once; the machine's cores.
        """
        self.blocklist = None if blocklist == _OFF else blocklist or _COMMON
        self.slots = threading.BoundedSemaphore(concurrency or os.cpu_count() or 1)


settings = Settings()


def hash(text: str) -> str:
    """Return the PHC string of a password.

    Raises:
        Unavailable: too many others are hashing.
    """
    with _slot():
        return _hasher().hash(_bytes(text))


def verify(stored: str | None, text: str) -> bool:
    """Whether ``text`` is the password behind ``stored``; takes as long when there is none.

    Raises:
        Unavailable: too many others are hashing.
    """
    with _slot():
        against = _dummy()
        if stored is not None and stored.startswith(_PREFIX):
            against = stored
        try:
            _hasher().verify(against, _bytes(text))
        except (VerificationError, InvalidHashError):
            return False
        return against is stored


def is_outdated(stored: str) -> bool:
    """Whether ``stored`` was made with other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def faults(text: str, field: str = "password") -> list[Fault]:
    """Return what is wrong with a password that somebody chose; empty if nothing is."""
    if len(text) < MIN_LENGTH:
        return [Fault(field, "too_short", f"At least {MIN_LENGTH} characters.")]
    if len(text) > MAX_LENGTH:
        return [Fault(field, "too_long", f"At most {MAX_LENGTH} characters.")]
    if is_common(text):
        return [Fault(field, "too_common", "This is one of the commonest passwords.")]
    return []


def check(text: str, field: str = "password") -> None:
    """Refuse a password that may not be chosen.

    Raises:
        Invalid: with one fault on ``field``.
    """
    if found := faults(text, field):
        raise Invalid(faults=found)


def is_common(text: str) -> bool:
    """Whether a password is on the list, whatever the case."""
    path = settings.blocklist
    return path is not None and _normal(text).casefold() in _read(path)


@contextmanager
def _slot() -> Iterator[None]:
    slots = settings.slots
    if not slots.acquire(timeout=QUEUE_TIMEOUT):
        raise Unavailable("Too many people are signing in; try again.", retry_after=1)
    try:
        yield
    finally:
        slots.release()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(TIME_COST, MEMORY_KIB, LANES, type=Type.ID)


@cache
def _dummy() -> str:
    return _hasher().hash(secrets.token_bytes(16))


@cache
def _read(path: Path) -> frozenset[str]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return frozenset(_normal(line).casefold() for line in text.splitlines() if line)


def _normal(text: str) -> str:
    """Return the one form of what keyboards of different systems make of the same keys."""
    return unicodedata.normalize("NFC", text)


def _bytes(text: str) -> bytes:
    return _normal(text).encode()
