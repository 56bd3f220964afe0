"""What each type of line may hold: the shapes of requests, and what only an import may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from argon2 import Type, extract_parameters
from argon2.exceptions import InvalidHashError

from services.text import Text
from services.validation import Faults, Flag, Many, Member, Moment, Record, Whole

#: Costs that a hash from elsewhere may ask of this machine at each sign-in.
_MAX_TIME, _MAX_MEMORY_KIB, _MAX_LANES = 20, 256 * 1024, 16
_PHC = re.compile(
    r"\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}",
    re.ASCII,
)
_MAX_FORMER_SLUGS = 10_000


@dataclass(frozen=True)
class _PasswordHash:
    """An argon2id hash in PHC form, of a cost that can be borne."""

    def check(self, value: Any, path: str, faults: Faults) -> str:
        if value.__class__ is not str:
            faults.add(path, "type", "Must be a string.")
        elif not _is_bearable(value):
            faults.add(path, "format", "Must be an argon2id hash of usual cost, in PHC form.")
        return str(value)


def _is_bearable(text: str) -> bool:
    if not _PHC.fullmatch(text):
        return False
    try:
        found = extract_parameters(text)
    except InvalidHashError:
        return False
    return (
        found.type is Type.ID
        and 1 <= found.time_cost <= _MAX_TIME
        and 8 <= found.memory_cost <= _MAX_MEMORY_KIB
        and 1 <= found.parallelism <= _MAX_LANES
    )


@dataclass(frozen=True)
class _Kept:
    """Text that was derived once and is kept as it was: it can hold what nobody may write."""

    max_length: int

    def check(self, value: Any, path: str, faults: Faults) -> str:
        if value.__class__ is not str:
            faults.add(path, "type", "Must be a string.")
        elif len(value) > self.max_length:
            faults.add(path, "too_long", f"At most {self.max_length} characters.")
        elif "\0" in value:
            faults.add(path, "control_character", "Must not hold a NUL.")
        return str(value)


_VERSION = Whole(minimum=1)
_LIFE = {
    "version": Member(_VERSION),
    "created_at": Member(Moment()),
    "updated_at": Member(Moment()),
    "deleted_at": Member(Moment()),
    "has_revisions": Member(Flag()),
}
_NAME = Text(kind="username", min_length=3, max_length=40)
_SLUG = Text(kind="slug", min_length=1, max_length=200)
#: Fields that are not moved: they name files.
LOCAL = frozenset({"avatar_id", "cover_id"})
_STATUS = Text(choices=("active", "suspended"))

HEADER = Record(
    {
        "format": Member(Text(max_length=50), required=True),
        "version": Member(_VERSION, required=True),
    }
)
END = Record({"records": Member(Whole(minimum=0), required=True)})
DELETION = Record(
    {"user": Member(_NAME, required=True), "by": Member(_NAME, required=True, nullable=True)}
)
LIKE = Record(
    {
        "post": Member(_SLUG, required=True),
        "user": Member(_NAME, required=True),
        "at": Member(Moment(), required=True),
    }
)
FOLLOW = Record(
    {
        "user": Member(_NAME, required=True),
        "follows": Member(_NAME, required=True),
        "at": Member(Moment(), required=True),
    }
)
#: Which of the comments on a post by one author of one time.
_NTH = Whole(minimum=2, maximum=1_000)
_ANSWERED = Record(
    {
        "author": Member(_NAME, required=True),
        "created_at": Member(Moment(), required=True),
        "nth": Member(_NTH),
    }
)
_COMMENT = {
    "post": Member(_SLUG, required=True),
    "author": Member(_NAME, required=True),
    "nth": Member(_NTH),
    "answers": Member(_ANSWERED),
    **_LIFE,
    "created_at": Member(Moment(), required=True),
    "deleted_by": Member(_NAME, nullable=True),
    "deleted_with": Member(Text(choices=("post", "author"))),
}


@dataclass(frozen=True)
class Shapes:
    """The rules of requests that make a user (as admins send it), a post and a comment."""

    user: Record
    post: Record
    comment: Record

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """Type of line → its rules, without ``type`` itself."""
        return {
            "header": HEADER,
            "end": END,
            "deletion": DELETION,
            "user": Record(
                {
                    **self.user.members,
                    "password": Member(self.user.members["password"].rule),
                    "password_hash": Member(_PasswordHash()),
                    "status": Member(_STATUS),
                    "email_verified": Member(Flag()),
                    **_LIFE,
                }
            ),
            "post": Record(
                {
                    **self.post.members,
                    "author": Member(_NAME, required=True),
                    "former_slugs": Member(Many(_SLUG, max_items=_MAX_FORMER_SLUGS)),
                    **_LIFE,
                    "deleted_by": Member(_NAME, nullable=True),
                    "deleted_with_author": Member(Flag()),
                }
            ),
            "comment": Record({"body": self.comment.members["body"], **_COMMENT}),
            "like": LIKE,
            "follow": FOLLOW,
            "revision": _REVISION,
        }

    @cached_property
    def contents(self) -> Mapping[str, Record]:
        """Key of a revision line → the rules of its contents: all of it must be there."""
        user, post, comment = self.user.members, self.post.members, self.comment.members
        status = {"status": Member(_STATUS, required=True)}
        return {
            "user": Record(
                {n: _required(user[n]) for n in ("username", "name", "bio", "role")} | status
            ),
            "post": Record(
                {
                    **{n: _required(post[n]) for n in ("title", "body", "slug")},
                    "excerpt": Member(_Kept(500), required=True),
                    **{n: _required(post[n]) for n in ("status", "published_at", "tags")},
                }
            ),
            "comment": Record({"body": _required(comment["body"])}),
        }


def _required(member: Member) -> Member:
    return Member(member.rule, required=True, nullable=member.nullable)


@dataclass(frozen=True)
class _Object:
    """Any object; its members are looked at once it is known what it is."""

    def check(self, value: Any, path: str, faults: Faults) -> dict[str, Any]:
        if value.__class__ is not dict:
            faults.add(path, "type", "Must be an object.")
            return {}
        return dict(value)


_REVISION = Record(
    {
        "user": Member(_NAME),
        "post": Member(_SLUG),
        "comment": Member(_SLUG),
        "version": Member(_VERSION, required=True),
        "at": Member(Moment(), required=True),
        "by": Member(_NAME, required=True, nullable=True),
        "contents": Member(_Object(), required=True),
    }
)
