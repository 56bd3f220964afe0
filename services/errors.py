"""What can go wrong, in the words of the domain; the codes' statuses are in api/problems.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the input."""

    field: str
    """Dotted path, list positions counted from 0: ``tags.3``."""
    code: str
    """``required, unknown, read_only, null, type, too_short, ...``: stable, for programs."""
    message: str
    """One English sentence for people."""


class ServiceError(Exception):
    """Base of every error that a caller is meant to see.

    Args:
        message: one English sentence, safe to show.
        code: stable kebab-case identifier; defaults to the class's.
        faults: what is wrong, field by field.
        retry_after: seconds until another try makes sense.
        extra: further members of the problem.
    """

    code: ClassVar[str] = "internal"
    message: ClassVar[str] = "The request could not be served."
    keeps: ClassVar[bool] = False
    """True: what the transaction did so far is committed although it ends in this error."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        faults: Sequence[Fault] = (),
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.public_message = message or self.message
        self.public_code = code or self.code
        self.faults = tuple(faults)
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        self.headers: dict[str, str] = {}


class Unauthenticated(ServiceError):
    code, message = "unauthenticated", "Sign in to do this."


class Forbidden(ServiceError):
    code, message = "forbidden", "You may not do this."


class NotFound(ServiceError):
    code, message = "not-found", "There is no such thing, or it is not visible to you."


class Conflict(ServiceError):
    code, message = "conflict", "This clashes with something that already exists."


class Invalid(ServiceError):
    """Input that is well-formed but not acceptable; ``faults`` says where."""

    code, message = "validation", "The request is not valid."


class Stale(ServiceError):
    code, message = "precondition-failed", "It has changed since you read it."


class InvalidGrant(ServiceError):
    code, message = "invalid-grant", "The user name, password or token is not valid."


class RateLimited(ServiceError):
    code, message = "rate-limited", "Too many requests; wait and try again."


class Unavailable(ServiceError):
    code, message = "unavailable", "The service is busy or its database is away; try again."


class OutOfStorage(ServiceError):
    code, message = "insufficient-storage", "There is no room left to store this."


class TimedOut(ServiceError):
    code, message = "timeout", "This took too long and was stopped."
