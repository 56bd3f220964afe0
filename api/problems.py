"""The one table of error codes, and the errors that only HTTP knows. Rendered by api/errors.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.errors import ServiceError


@dataclass(frozen=True)
class ProblemType:
    """What a code means: its status, its title and the text of its page."""

    status: int
    title: str
    explanation: str


CODES: dict[str, ProblemType] = {
    "validation": ProblemType(
        400,
        "Validation failed",
        "The request is well-formed, but something in its body or query is not acceptable. "
        "`errors` lists every fault: the field, a code for programs and a sentence for people.",
    ),
    "malformed-json": ProblemType(
        400,
        "Malformed body",
        "The body is missing, cut short or not JSON: one UTF-8 value, no duplicate keys, no NaN, "
        "no lone surrogates, nested at most 32 deep.",
    ),
    "invalid-grant": ProblemType(
        400,
        "Sign-in refused",
        "The user name, password or refresh token is not valid. Which of them is never told.",
    ),
    "unknown-host": ProblemType(
        400,
        "Unknown host",
        "The service does not answer to the name in `Host`; its operator lists those that it does.",
    ),
    "unauthenticated": ProblemType(
        401,
        "Not signed in",
        "This needs a valid access token in `Authorization: Bearer`. Get one from "
        "`POST /api/v1/auth/token`, or refresh the one that expired or was revoked.",
    ),
    "forbidden": ProblemType(
        403, "Not allowed", "You are signed in, but your role or ownership does not permit this."
    ),
    "reauthentication-required": ProblemType(
        403,
        "Password needed",
        "This change needs your current password beside it, in `current_password`.",
    ),
    "not-found": ProblemType(
        404,
        "Not found",
        "There is nothing at this URL that you may see. What is hidden and what does not exist "
        "are answered alike.",
    ),
    "method-not-allowed": ProblemType(
        405, "Method not allowed", "The URL exists; `Allow` lists the methods that it understands."
    ),
    "not-acceptable": ProblemType(
        406, "Not acceptable", "None of the representations named in `Accept` is available here."
    ),
    "conflict": ProblemType(
        409, "Conflict", "The request clashes with the present state of what it is about."
    ),
    "username-taken": ProblemType(
        409,
        "User name taken",
        "Another user, perhaps a deleted one, has this name. `errors` lists every taken field.",
    ),
    "email-taken": ProblemType(
        409,
        "Email taken",
        "Another user, perhaps a deleted one, has this address. `errors` lists every taken field.",
    ),
    "slug-taken": ProblemType(
        409,
        "Slug taken",
        "Another post has this slug. `suggestion` is a free one.",
    ),
    "parent-deleted": ProblemType(
        409, "Parent deleted", "What this belongs to is in the trash; restore that first."
    ),
    "last-admin": ProblemType(
        409,
        "Last admin",
        "The last active admin cannot be deleted, suspended or demoted; make another one first.",
    ),
    "already-created": ProblemType(
        409, "Already created", "This was created before, and its secret is shown only once."
    ),
    "cursor-expired": ProblemType(
        410, "Cursor expired", "The log no longer reaches back to this cursor; read anew."
    ),
    "history-expired": ProblemType(
        410, "History expired", "The time asked for lies before what is kept."
    ),
    "precondition-failed": ProblemType(
        412,
        "Precondition failed",
        "It has changed since you read it. `ETag` is the present one: read again, merge, retry.",
    ),
    "too-large": ProblemType(413, "Too large", "The body is larger than this URL accepts."),
    "uri-too-long": ProblemType(414, "URL too long", "A URL may have up to 4,096 bytes."),
    "unsupported-media-type": ProblemType(
        415,
        "Unsupported media type",
        "`Content-Type` is missing or not one that this URL reads, its charset is not UTF-8, or "
        "the body has a `Content-Encoding`.",
    ),
    "range": ProblemType(416, "Range not satisfiable", "The range lies outside of the content."),
    "idempotency-mismatch": ProblemType(
        422, "Idempotency mismatch", "The same `Idempotency-Key` came with another request."
    ),
    "precondition-required": ProblemType(
        428,
        "Precondition required",
        "This service wants `If-Match` on every change: read the item, send its `ETag` back.",
    ),
    "rate-limited": ProblemType(
        429, "Too many requests", "Wait as long as `Retry-After` says (seconds), then try again."
    ),
    "internal": ProblemType(
        500,
        "Internal error",
        "Something went wrong on our side. The log has it under the same `request_id`.",
    ),
    "unavailable": ProblemType(
        503,
        "Unavailable",
        "The service is overloaded or its database is away. Nothing was stored; try again after "
        "`Retry-After` seconds. But where `outcome` is `unknown`, the connection broke while "
        "storing: look before you repeat.",
    ),
    "timeout": ProblemType(504, "Timed out", "This took too long and was stopped."),
    "insufficient-storage": ProblemType(
        507, "No storage left", "There is no room left to store this. Reading goes on."
    ),
}


class MalformedBody(ServiceError):
    code, message = "malformed-json", "The body is not acceptable JSON."


class UnsupportedMediaType(ServiceError):
    code, message = "unsupported-media-type", "This URL reads application/json."


class TooLarge(ServiceError):
    code, message = "too-large", "The body is too large."


class UriTooLong(ServiceError):
    code, message = "uri-too-long", "The URL is longer than 4,096 bytes."


class UnknownHost(ServiceError):
    code, message = "unknown-host", "This service is not known by that name."


class PreconditionRequired(ServiceError):
    code, message = "precondition-required", "Send If-Match with the ETag that you last read."


class Challenge(ServiceError):
    """A missing or refused access token. ``error`` goes into ``WWW-Authenticate``."""

    code: ClassVar[str] = "unauthenticated"
    message: ClassVar[str] = "Sign in to do this."

    def __init__(self, message: str | None = None, *, error: str | None = None) -> None:
        super().__init__(message)
        self.error = error
