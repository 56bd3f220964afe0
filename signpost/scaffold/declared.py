"""What ``--resource`` declares: ``"event: title:str! starts_at:datetime! notes:text"``.

A field is ``name:type``; ``!`` says that it is required. What is made of each type is in the
templates.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from functools import cached_property

TYPES = ("str", "text", "int", "bool", "datetime")

_NAME = re.compile("[a-z][a-z0-9_]*", re.ASCII)
_RESERVED = re.compile("v[0-9]+", re.ASCII)
_FIELD = re.compile(r"(?P<name>\w+):(?P<type>\w+)(?P<required>!?)", re.ASCII)
#: What every resource has, what its table is made with, and what its lists are asked.
_TAKEN = frozenset(
    {"id", "author", "author_id", "version", "created_at", "updated_at", "deleted_at"}
    | {"deletion_id", "snippet", "metadata", "registry"}
    | {"limit", "cursor", "page", "total", "sort", "fields", "q"}
)


class NotDeclared(ValueError):
    """A name or a resource is not one; the message says what is wrong."""


@dataclass(frozen=True)
class Field:
    """One member of a resource."""

    name: str
    type: str
    required: bool

    @property
    def label(self) -> str:
        """The name as words: ``First name``."""
        return self.name.replace("_", " ").strip().capitalize()

    @property
    def stem(self) -> str:
        """What its filters begin with: ``starts`` of ``starts_at``."""
        return self.name.removesuffix("_at")


@dataclass(frozen=True)
class Resource:
    """A noun and its fields."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def plural(self) -> str:
        """The noun in URLs, in the log and in the trash; regular, whatever English says."""
        if re.search("[^aeiou]y$", self.name):
            return f"{self.name[:-1]}ies"
        return f"{self.name}{'es' if re.search('(s|x|z|ch|sh)$', self.name) else 's'}"

    @property
    def cls(self) -> str:
        """The name of its class."""
        return self.name.title().replace("_", "")

    @property
    def titled_by(self) -> Field | None:
        """The field that the trash calls an item by."""
        return next((each for each in self.fields if each.type == "str" and each.required), None)

    @property
    def moments(self) -> tuple[Field, ...]:
        """The fields that lists can be narrowed by, before and after."""
        return tuple(each for each in self.fields if each.type == "datetime")

    @property
    def sortable(self) -> tuple[Field, ...]:
        """The fields that lists can be ordered by; each has an index."""
        moments = (each for each in self.moments if each.required)
        return (*moments, *((self.titled_by,) if self.titled_by else ()))

    @property
    def optional(self) -> tuple[Field, ...]:
        """The fields that may be null."""
        return tuple(each for each in self.fields if not each.required)


def checked_name(name: str) -> str:
    """Return a name that may stand in URLs, module names and settings.

    Raises:
        NotDeclared: it is none; says why.
    """
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise NotDeclared(f"{name!r} is no name: [a-z][a-z0-9_]*, at most 40 characters.")
    if _RESERVED.fullmatch(name):
        raise NotDeclared(f"{name} is a version of the core's API.")
    if keyword.iskeyword(name):
        raise NotDeclared(f"{name} is a word of Python's.")
    return name


def resource_of(text: str) -> Resource:
    """Return what a declaration says.

    Raises:
        NotDeclared: it is none; says where.
    """
    noun, colon, rest = text.partition(":")
    if not colon or not rest.strip():
        raise NotDeclared(f'{text!r} declares no fields; write "event: title:str! notes:text".')
    fields = tuple(_field(each) for each in rest.split())
    names = [each.name for each in fields]
    if twice := {name for name in names if names.count(name) > 1}:
        raise NotDeclared(f"{', '.join(sorted(twice))} is declared twice.")
    return Resource(checked_name(noun.strip()), fields)


def _field(text: str) -> Field:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise NotDeclared(
            f"{text!r} is no field; write name:type, or name:type! if it is required."
        )
    if match["type"] not in TYPES:
        raise NotDeclared(f"{text!r}: a type is one of {', '.join(TYPES)}.")
    name = checked_name(match["name"])
    if name in _TAKEN:
        raise NotDeclared(f"{name} is there already: every resource has it, or its lists do.")
    return Field(name, match["type"], bool(match["required"]))
