"""Validation of decoded data by declared rules; knows no HTTP, so every way in can use it.

A rule's ``check`` returns the cleaned value, or notes what is wrong and goes on, so that all faults
come at once. Text has a file of its own, services/text.py; so have times, services/times.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from services.errors import Fault, Invalid
from services.times import parse_time

#: Every code that a fault can have → what it means. The docs are generated from this table.
CODES: Mapping[str, str] = {
    "required": "The field is missing and has no default.",
    "unknown": "There is no such field or parameter here.",
    "read_only": "The field is shown but cannot be set, or not by this caller.",
    "null": "The field is null where null is not allowed.",
    "type": "The value is of another JSON type than the declared one; 1.0 is not an integer.",
    "too_short": "The text has fewer characters than required, after trimming.",
    "too_long": "The text has more characters than allowed, after trimming.",
    "too_small": "The number is below the least allowed one.",
    "too_large": "The number is above the greatest allowed one.",
    "too_few": "The list has fewer items than required.",
    "too_many": "The list, or the number of repetitions or parameters, is longer than allowed.",
    "repeated": "The parameter or form field may be given once only.",
    "format": "The text is not of the declared form, such as an email address or a time.",
    "choice": "The value is none of the listed ones.",
    "control_character": "The text holds a character that cannot stand there: a NUL, a control or"
    " bidi-override character, or an invisible one in a name that must be unique.",
    "too_common": "The password is one of the commonest, so it would be guessed first.",
    "conflict": "The parameter excludes another one that was given too.",
    "taken": "The value belongs to something else already and must be unique.",
}

#: Faults that are listed; beyond it they are only counted.
MAX_FAULTS = 1000
#: Integers beyond ±(2^53 - 1) do not survive JavaScript.
MAX_INTEGER = 2**53 - 1
_MAX_NAME = 100
_LARGEST = sys.float_info.max


@dataclass
class Faults:
    """What is wrong with one input, collected while it is checked."""

    listed: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, path: str, code: str, message: str) -> None:
        """Note one fault."""
        self.count += 1
        if len(self.listed) < MAX_FAULTS:
            self.listed.append(Fault(path, code, message))

    def refuse(self, what: str = "field") -> None:
        """Raise all that was noted, if anything was.

        Raises:
            Invalid: with every fault, up to 1,000.
        """
        if self.count:
            raise invalid(self.listed, count=self.count, what=what)


def invalid(faults: Sequence[Fault], *, count: int | None = None, what: str = "field") -> Invalid:
    """Return the error for these faults, worded as everywhere.

    Args:
        count: how many there are, if more than are listed.
        what: what is counted: ``field`` or ``parameter``.
    """
    total = count or len(faults)
    detail = f"1 {what} is not valid." if total == 1 else f"{total:,} {what}s are not valid."
    if total > len(faults):
        detail += f" The first {len(faults):,} are listed."
    return Invalid(detail, faults=faults)


class Rule(Protocol):
    """What a value must be."""

    def check(self, value: Any, path: str, faults: Faults) -> Any:
        """Return ``value`` cleaned; what is wrong goes to ``faults``, and the result is void."""


@dataclass(frozen=True)
class Member:
    """One member of a record.

    Args:
        rule: what its value must be.
        required: it must be there.
        nullable: it may be null.
        reset: what a permitted null becomes.
        read_only: it must not be there.
    """

    rule: Rule
    required: bool = False
    nullable: bool = False
    reset: Any = None
    read_only: bool = False


@dataclass(frozen=True)
class Record:
    """An object with these members and no others."""

    members: dict[str, Member] = field(default_factory=dict)

    def check(self, value: Any, path: str, faults: Faults) -> dict[str, Any]:
        """Return the members that are there, cleaned, in declared order."""
        if value.__class__ is not dict:
            faults.add(path, "type", "Must be an object.")
            return {}
        prefix = f"{path}." if path else ""
        cleaned = {}
        for name, member in self.members.items():
            if name in value:
                cleaned[name] = _member(member, value[name], prefix + name, faults)
            elif member.required:
                faults.add(prefix + name, "required", "Missing required field.")
        if len(cleaned) < len(value):
            for name in value:
                if name not in self.members:
                    faults.add(prefix + shown(name), "unknown", "There is no such field.")
        return cleaned


@dataclass(frozen=True)
class Many:
    """A list whose items all obey one rule; none of them may be null."""

    item: Rule
    min_items: int = 0
    max_items: int | None = None

    def check(self, value: Any, path: str, faults: Faults) -> list[Any]:
        """Return the items, cleaned; of a list that is too long only as many as are allowed."""
        if value.__class__ is not list:
            faults.add(path, "type", "Must be a list.")
            return []
        if len(value) < self.min_items:
            faults.add(path, "too_few", f"At least {counted(self.min_items, 'item')}.")
        elif self.max_items is not None and len(value) > self.max_items:
            faults.add(path, "too_many", f"At most {counted(self.max_items, 'item')}.")
        member = Member(self.item)
        items = enumerate(value[: self.max_items])
        return [_member(member, item, f"{path}.{position}", faults) for position, item in items]


@dataclass(frozen=True)
class Whole:
    """An integer; neither ``true`` nor ``1.0`` is one."""

    minimum: int = -MAX_INTEGER
    maximum: int = MAX_INTEGER

    def check(self, value: Any, path: str, faults: Faults) -> int:
        """Return ``value``."""
        if value.__class__ is not int:
            faults.add(path, "type", "Must be an integer.")
        elif value < self.minimum:
            faults.add(path, "too_small", f"At least {self.minimum}.")
        elif value > self.maximum:
            faults.add(path, "too_large", f"At most {self.maximum}.")
        return cast(int, value)


@dataclass(frozen=True)
class Real:
    """A number, whole or not, that a double can hold."""

    minimum: float | None = None
    maximum: float | None = None

    def check(self, value: Any, path: str, faults: Faults) -> float:
        """Return ``value``."""
        if value.__class__ not in (int, float):
            faults.add(path, "type", "Must be a number.")
        elif value < (least := -_LARGEST if self.minimum is None else self.minimum):
            faults.add(path, "too_small", f"At least {least}.")
        elif value > (most := _LARGEST if self.maximum is None else self.maximum):
            faults.add(path, "too_large", f"At most {most}.")
        return cast(float, value)


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``."""

    def check(self, value: Any, path: str, faults: Faults) -> bool:
        """Return ``value``."""
        if value.__class__ is not bool:
            faults.add(path, "type", "Must be true or false.")
        return cast(bool, value)


@dataclass(frozen=True)
class Moment:
    """A time with an offset, as text."""

    def check(self, value: Any, path: str, faults: Faults) -> datetime | None:
        """Return the time in UTC, cut to the millisecond."""
        if value.__class__ is not str:
            faults.add(path, "type", "Must be a string.")
            return None
        if (moment := parse_time(value)) is None:
            faults.add(path, "format", "Must be a time such as 2026-11-20T06:45:00Z.")
        return moment


def _member(member: Member, value: Any, path: str, faults: Faults) -> Any:
    if member.read_only:
        return faults.add(path, "read_only", "This field cannot be set.")
    if value is None:
        if not member.nullable:
            faults.add(path, "null", "Must not be null.")
        return copy(member.reset)
    return member.rule.check(value, path, faults)


def validate(record: Record, data: Any) -> dict[str, Any]:
    """Return the decoded object ``data``, cleaned; absent members stay absent.

    Raises:
        Invalid: with every fault of it, up to 1,000.
    """
    faults = Faults()
    cleaned = record.check(data, "", faults)
    faults.refuse()
    return cleaned


def counted(number: int, noun: str) -> str:
    """Return ``1 item``, ``2 items``, ``1,000 items``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shown(name: object) -> str:
    """Return a name that the sender chose, short and encodable, to stand in a fault."""
    return str(name)[:_MAX_NAME].encode("utf-8", "replace").decode()
