"""The one table of error codes, and the errors that only HTTP knows. Rendered by api/errors.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from services.errors import ServiceError


@dataclass(frozen=True)
class ProblemType:
    """What a code means: its status, its title, and what its page says to explain and to do."""

    status: int
    title: str
    explanation: str
    remedy: str


CODES: dict[str, ProblemType] = {
    "validation": ProblemType(
        400,
        "Validation failed",
        "The request is well-formed, but something in its body or query is not acceptable. "
        "`errors` lists every fault: the field, a code for programs and a sentence for "
        "people.",
        "Mend every field that `errors` names, then send the request again. The specification "
        "says what each may be.",
    ),
    "malformed-json": ProblemType(
        400,
        "Malformed body",
        "The body is missing, cut short or not JSON: one UTF-8 value, no duplicate keys, no "
        "NaN, no lone surrogates, nested at most 32 deep, at most 100,000 objects and lists.",
        "Send one JSON document in UTF-8, whole, with its `Content-Type`; most often a quote "
        "or a comma is missing.",
    ),
    "invalid-grant": ProblemType(
        400,
        "Sign-in refused",
        "The user name, password or refresh token is not valid. Which of them is never told.",
        "Check user name and password. If a refresh token was refused, sign in again with the "
        "password.",
    ),
    "unknown-host": ProblemType(
        400,
        "Unknown host",
        "The service does not answer to the name in `Host`; its operator lists those that it does.",
        "Call the service by its public name. Its operator can add another one to `ALLOWED_HOSTS`.",
    ),
    "unauthenticated": ProblemType(
        401,
        "Not signed in",
        "This needs an access token, and the request has none, or one that has expired or was "
        "revoked.",
        "Get a token from `POST /api/v1/auth/token` and send it as `Authorization: Bearer "
        "<token>`.",
    ),
    "forbidden": ProblemType(
        403,
        "Not allowed",
        "You are signed in, but your role or ownership does not permit this.",
        "`GET .../can` tells what you may do with an item, and why not. An admin can give you "
        "another role.",
    ),
    "reauthentication-required": ProblemType(
        403,
        "Password needed",
        "This change needs your current password beside it, in `current_password`.",
        "Send the same request again with your password in `current_password`.",
    ),
    "not-found": ProblemType(
        404,
        "Not found",
        "There is nothing at this URL that you may see. What is hidden and what does not "
        "exist are answered alike.",
        "Check the URL. If it may be a draft of yours or something deleted, sign in, or look "
        "into the trash.",
    ),
    "method-not-allowed": ProblemType(
        405,
        "Method not allowed",
        "The URL exists; `Allow` lists the methods that it understands.",
        "Use one of the methods in `Allow`.",
    ),
    "not-acceptable": ProblemType(
        406,
        "Not acceptable",
        "None of the representations named in `Accept` is available here.",
        "Name another type in `Accept`, or leave the header out.",
    ),
    "conflict": ProblemType(
        409,
        "Conflict",
        "The request clashes with the present state of what it is about.",
        "Read the item again, look whether the change still makes sense, then repeat it.",
    ),
    "username-taken": ProblemType(
        409,
        "User name taken",
        "Another user, perhaps a deleted one, has this name. `errors` lists every taken field.",
        "Choose other values for the fields in `errors`.",
    ),
    "email-taken": ProblemType(
        409,
        "Email taken",
        "Another user, perhaps a deleted one, has this address. `errors` lists every taken field.",
        "Choose other values for the fields in `errors`; or sign in, if the address is yours.",
    ),
    "slug-taken": ProblemType(
        409,
        "Slug taken",
        "Another post has this slug. `suggestion` is a free one.",
        "Send `suggestion` as the slug, or another one.",
    ),
    "parent-deleted": ProblemType(
        409,
        "Parent deleted",
        "What this belongs to is in the trash.",
        "Restore the item that it belongs to; what was deleted with it comes back too.",
    ),
    "last-admin": ProblemType(
        409,
        "Last admin",
        "The last active admin cannot be deleted, suspended or demoted: nobody could manage "
        "users any more.",
        "Give another active user the role `admin` first.",
    ),
    "already-created": ProblemType(
        409,
        "Already created",
        "This was created before, and its secret is shown only once.",
        "If the secret is lost, delete what was created and create another one.",
    ),
    "cursor-expired": ProblemType(
        410,
        "Cursor expired",
        "The log no longer reaches back to this cursor.",
        "Start again without a cursor.",
    ),
    "history-expired": ProblemType(
        410,
        "History expired",
        "The time asked for lies before what is kept.",
        "Ask for a later time. How long the past is kept is a setting of the operator's.",
    ),
    "precondition-failed": ProblemType(
        412,
        "Precondition failed",
        "It has changed since you read it, so your change would undo another one. `ETag` is "
        "the present one.",
        "Read it again, bring your change and the other one together, and send it with the "
        "new `ETag` in `If-Match`.",
    ),
    "too-large": ProblemType(
        413,
        "Too large",
        "The body is larger than this URL accepts.",
        "Send less at once. What fits is in the documentation of the operation.",
    ),
    "uri-too-long": ProblemType(
        414,
        "URL too long",
        "A URL may have up to 4,096 bytes.",
        "Ask for fewer things at once, or send fewer filters.",
    ),
    "unsupported-media-type": ProblemType(
        415,
        "Unsupported media type",
        "`Content-Type` is missing or not one that this URL reads, its charset is not UTF-8, "
        "or the body has a `Content-Encoding`.",
        "Send `Content-Type: application/json`, or another type that the specification lists "
        "for this operation.",
    ),
    "range": ProblemType(
        416,
        "Range not satisfiable",
        "The range lies outside of the content.",
        "Ask for a range within the length that `Content-Range` tells.",
    ),
    "idempotency-mismatch": ProblemType(
        422,
        "Idempotency mismatch",
        "The same `Idempotency-Key` came with another request.",
        "Make a new key for every new request; repeat a key only with the very same request.",
    ),
    "precondition-required": ProblemType(
        428,
        "Precondition required",
        "This service takes a change only from who has seen what is changed: with `If-Match`.",
        "Get the item first, and send the `ETag` of that answer in `If-Match`.",
    ),
    "rate-limited": ProblemType(
        429,
        "Too many requests",
        "There were more requests than the limit allows. `Retry-After` says for how many "
        "seconds to wait.",
        "Let the client wait by itself: `Retry-After` is there for programs.",
    ),
    "internal": ProblemType(
        500,
        "Internal error",
        "Something went wrong on our side. The log has it under the same `request_id`.",
        "Try again later. If it stays, send the `request_id` to the operator.",
    ),
    "unavailable": ProblemType(
        503,
        "Unavailable",
        "The service is overloaded or its database is away. Nothing was stored, unless "
        "`outcome` is `unknown`: then the connection broke while storing.",
        "Try again after `Retry-After` seconds. Where `outcome` is `unknown`, look first "
        "whether it was stored.",
    ),
    "timeout": ProblemType(
        504,
        "Timed out",
        "This took too long and was stopped.",
        "Ask for less at once, or later.",
    ),
    "insufficient-storage": ProblemType(
        507,
        "No storage left",
        "There is no room left to store this. Reading goes on.",
        "Delete what is not needed, or ask the operator for more room.",
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


class OutOfRange(ServiceError):
    """No byte of the range is there; ``size`` is how many bytes there are."""

    code, message = "range", "The range lies outside of the content, or is none."

    def __init__(self, size: int, message: str | None = None) -> None:
        super().__init__(message)
        self.headers = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}


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


class Aborted(ServiceError):
    """What an extension answers instead of its data; ``status`` wins over that of the code."""

    def __init__(
        self, status: int, message: str | None, *, headers: Mapping[str, str] | None, **options: Any
    ) -> None:
        super().__init__(message, **options)
        self.status = status
        self.headers = dict(headers or {})
