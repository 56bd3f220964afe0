"""What settings may be: each function returns what is wrong with a value, or None."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
#: Returns what is wrong with a value, or None.
Check = Callable[[T], str | None]

_DATABASES = ("sqlite://", "postgres://", "postgresql://", "postgresql+psycopg://")


_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?")
_SAMPLE = re.compile(
    r"change.{0,2}(me|this|it)|replace.?(me|this|with)|your.{0,2}(own|secret|key)|insecure|<.*>"
    r"|(super|my|dev|test).?secret|example|sample|default",
    re.I,
)
#: Different characters that every random key of this length has.
_VARIETY = 8


def between(least: int, most: int) -> Check[int]:
    """Return a check that a number is in a range, both ends included."""
    return lambda value: None if least <= value <= most else f"must be between {least} and {most}"


def one_of(*choices: str) -> Check[str]:
    """Return a check that a text is one of a few."""
    return lambda value: None if value in choices else f"must be one of {', '.join(choices)}"


def secret_key(value: str) -> str | None:
    """Refuse a short key, and one copied from somebody's instructions."""
    if len(value.encode()) < 32:
        return "must be at least 32 bytes long"
    is_sample = _SAMPLE.search(value) or len(set(value)) < _VARIETY
    return "is a sample value; make one of your own" if is_sample else None


def public_url(value: str) -> str | None:
    """Refuse what links cannot begin with."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        return "is not a URL"
    if not value:
        return None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.netloc.lower()):
        return "must be an absolute http or https URL without user and password"
    if url.query or url.fragment or not re.fullmatch(r"(/[\w.~-]+)*", url.path, re.A):
        return "may have a path prefix, but no query, fragment or characters to be escaped"
    return None


def endpoint(value: str) -> str | None:
    """Refuse what is not the URL of a store."""
    wrong = public_url(value)
    return wrong or ("must end after the host" if urlsplit(value).path.strip("/") else None)


def bucket(value: str) -> str | None:
    """Refuse what no bucket may be called."""
    fits = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value, re.ASCII)
    return None if fits or not value else "must be 3 to 63 lower-case letters, digits, . or -"


def origins(values: tuple[str, ...]) -> str | None:
    """Refuse what is not an exact origin: patterns match more than was meant."""
    for value in values:
        scheme, _, host = value.partition("://")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            return (
                f"{value!r} is not an exact origin such as https://example.com "
                "(lower case, no path, no pattern)"
            )
    return None


def hosts(values: tuple[str, ...]) -> str | None:
    """Refuse what is not a host name."""
    wrong = next((value for value in values if not _HOST.fullmatch(value.lower())), None)
    return f"{wrong!r} is not a host name with an optional port" if wrong else None


def database(value: str) -> str | None:
    """Refuse databases that we don't know."""
    if value and not value.startswith(_DATABASES):
        return f"must begin with one of {', '.join(_DATABASES)}"
    try:
        _ = urlsplit(value).port
    except ValueError:
        return "is not a URL"
    return None


def report_url(value: str) -> str | None:
    """Refuse what Sentry would not take; never shows it."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        return "is not a URL"
    is_whole = url.scheme in ("http", "https") and url.username and url.hostname
    if value and not (is_whole and re.search(r"/[0-9]+/?\Z", url.path, re.A)):
        return "must be a DSN such as https://key@sentry.example.org/1"
    return None


def keys(values: tuple[str, ...]) -> str | None:
    """Refuse what is not a list of Ed25519 seeds; never shows them."""
    for value in values:
        try:
            padded = value + "=" * (-len(value) % 4)
            if len(base64.b64decode(padded, altchars="-_", validate=True)) == 32:
                continue
        except (binascii.Error, ValueError):
            pass  # said below, without the key
        return "must be Ed25519 private keys, 32 bytes each in base64url"
    return None


def extensions(values: tuple[str, ...]) -> str | None:
    """Refuse what no extension can be called."""
    wrong = next((each for each in values if not re.fullmatch("[a-z][a-z0-9_]*|[*]", each)), None)
    return f"{wrong!r} is not the name of an extension" if wrong else None


def long_if_set(value: str) -> str | None:
    """Refuse a token that could be guessed."""
    return "must be at least 16 characters long" if 0 < len(value) < 16 else None


def readable(value: Path | None) -> str | None:
    """Refuse a file that cannot be read."""
    if value is None or value == Path("off"):
        return None
    return None if os.access(value, os.R_OK) else f"{value} cannot be read"


def username(value: str) -> str | None:
    """Check the name of a user, as sign-up does."""
    fits = re.fullmatch(r"[A-Za-z0-9_-]{3,40}", value, re.ASCII)
    return None if fits else "must be 3 to 40 letters, digits, _ or -"


def email(value: str) -> str | None:
    """Check roughly that a text is an email address; sign-up's rule decides when it is used."""
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) else "is not an email address"


def password(value: str) -> str | None:
    """Check the length of a password, if one is given."""
    return None if not value or 8 <= len(value) <= 1024 else "must have 8 to 1,024 characters"
