"""Rules for text: normalised, trimmed if it is one line, free of what cannot be stored or shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from email_validator import EmailNotValidError, validate_email

from services import passwords
from services.validation import Faults, counted, shown

#: ``line`` and ``text`` are any text, of one line or many. A ``password`` is a new one, so it must
#: not be a common one; a ``secret`` is only compared. Neither is ever trimmed.
Kind = Literal["line", "text", "password", "secret", "email", "username", "slug", "tag"]

#: What text of a kind must match as a whole. Linear: no part can match in two ways.
PATTERNS: Mapping[str, str] = {
    "username": r"[A-Za-z0-9_-]+",
    "slug": r"[a-z0-9]+(-[a-z0-9]+)*",
}
#: The least and most characters that a kind has unless its field says otherwise.
LENGTHS: Mapping[str, tuple[int, int]] = {
    "password": (8, 1024),
    "secret": (1, 1024),
    "email": (3, 254),
    "username": (3, 40),
    "slug": (1, 200),
    "tag": (1, 50),
}

#: C0 and C1 controls, line and paragraph separators, bidi embeddings, overrides and isolates;
#: what stands in the brackets of a pattern, here and in the specifications (api/patterns.py).
CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
#: What Unicode lets a renderer ignore (Default_Ignorable_Code_Point): two names could look alike.
INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
#: The rest of them, which patterns of other languages write otherwise.
_INVISIBLE_BEYOND = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
UNTRIMMED = frozenset({"text", "password", "secret"})
INVISIBLE_KINDS = frozenset({"email", "username", "slug", "tag"})

_CONTROLS = re.compile(f"[{CONTROLS}]")
_INVISIBLE = re.compile(f"[{INVISIBLE}{_INVISIBLE_BEYOND}]")
#: Normalising sorts each run of combining marks in quadratic time: 40,000 of them took seconds.
#: Source: UAX #15, section 13 (Stream-Safe Text Format) allows runs of 30.
_MAX_MARKS = 30
_MAYBE_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1},}}")
#: Characters of raw text for one normalised character, at most.
_SHRINKS = 4


@dataclass(frozen=True)
class Text:
    """Text; lengths are in characters, after normalising and trimming.

    Args:
        pattern: what the whole text must match; it must be linear, see ``PATTERNS``.
        choices: the only texts allowed.
    """

    kind: Kind = "line"
    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        wanted = (PATTERNS.get(self.kind), self.pattern)
        return [re.compile(pattern, re.ASCII) for pattern in wanted if pattern]

    def check(self, value: Any, path: str, faults: Faults) -> str:
        """Return the text, NFC-normalised and trimmed; an email as its library writes it."""
        if value.__class__ is not str:
            faults.add(path, "type", "Must be a string.")
        elif self.choices:
            if value not in self.choices:
                faults.add(path, "choice", f"One of: {', '.join(self.choices)}.")
            return str(value)
        elif self.max_length is not None and len(value) > _SHRINKS * self.max_length + 1000:
            faults.add(path, "too_long", self._at_most)
        elif fault := _unfit(value, self.kind):
            faults.add(path, *fault)
        else:
            return self._fitting(tidy(value, self.kind), path, faults)
        return ""

    def _fitting(self, text: str, path: str, faults: Faults) -> str:
        """Return ``text`` if its length and form are right."""
        if len(text) < self.min_length:
            faults.add(path, "too_short", f"At least {counted(self.min_length, 'character')}.")
        elif self.max_length is not None and len(text) > self.max_length:
            faults.add(path, "too_long", self._at_most)
        elif not all(pattern.fullmatch(text) for pattern in self._patterns):
            faults.add(path, "format", _FORMS.get(self.kind, "Not of the required form."))
        elif self.kind == "password" and passwords.is_common(text):
            faults.add(path, "too_common", "One of the commonest passwords; choose another one.")
        elif self.kind == "email":
            return _email(text, path, faults)
        return text

    @property
    def _at_most(self) -> str:
        return f"At most {counted(self.max_length or 0, 'character')}."


@dataclass(frozen=True)
class Anything:
    """Any JSON value, as long as its text and numbers can be stored."""

    def check(self, value: Any, path: str, faults: Faults) -> Any:
        """Return ``value`` with all text in it, keys included, NFC-normalised."""
        if isinstance(value, str):
            return TEXT.check(value, path, faults)
        if value.__class__ is int and not -(2**63) <= value < 2**63:
            faults.add(path, "too_large", "Integers have up to 64 bits here.")
        if isinstance(value, list):
            items = enumerate(value)
            return [self.check(item, f"{path}.{position}", faults) for position, item in items]
        if isinstance(value, dict):
            return {
                TEXT.check(name, path, faults): self.check(item, f"{path}.{shown(name)}", faults)
                for name, item in value.items()
            }
        return value


TEXT = Text(kind="text")

_FORMS = {
    "email": "Must be an email address.",
    "username": "Letters, digits, _ and - only.",
    "slug": "Lower-case letters and digits, in groups joined by -.",
}


def tidy(text: str, kind: Kind = "line") -> str:
    """Return ``text`` NFC-normalised and, where it is one line, trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text if kind in UNTRIMMED else text.strip()


def _unfit(text: str, kind: Kind) -> tuple[str, str] | None:
    """Return the code and message for a character that cannot stand in text of this kind."""
    if "\0" in text:
        return "control_character", "Must not hold a NUL."
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "control_character", "Must not hold a lone surrogate."
        if _has_too_many_marks(text):
            return "format", f"At most {_MAX_MARKS} combining marks in a row."
        if kind in INVISIBLE_KINDS and _INVISIBLE.search(text):
            return "control_character", "Must not hold invisible characters."
    if kind not in UNTRIMMED and not text.isprintable() and _CONTROLS.search(text):
        return "control_character", "Must not hold line breaks, control or bidi characters."
    return None


def _has_too_many_marks(text: str) -> bool:
    for run in _MAYBE_MARKS.findall(text):
        marks = 0
        for character in run:
            marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
            if marks > _MAX_MARKS:
                return True
    return False


def _email(text: str, path: str, faults: Faults) -> str:
    try:
        # The name .test is for trying things out (RFC 2606); the rest is as for real mail.
        return validate_email(
            text, check_deliverability=False, test_environment=True, strict=True
        ).normalized
    except EmailNotValidError:
        faults.add(path, "format", _FORMS["email"])
        return text
