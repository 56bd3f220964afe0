"""What is held to the contract: routes and declared resources of the core, or of an extension."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from flask import Flask

from api.item import Item
from api.loading import Extension, load
from api.namespaces import CORE
from api.resource import Listing
from config import Config

READS = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/api/"

#: Converter of a variable → a value that it takes; ``x`` unless it is here.
_VALUES = {"id": "1", "user_id": "1", "kind": "posts", "int": "1", "float": "1.5"} | {
    "uuid": "00000000-0000-4000-8000-000000000000"
}
_VARIABLE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")


class Route(NamedTuple):
    """One method of one URL, with values filled in for its variables."""

    method: str
    url: str
    rule: str


class Declared(NamedTuple):
    """A class of an endpoint that is declared, and its rule."""

    cls: type[Any]
    rule: str

    def __str__(self) -> str:
        return self.rule


@cache
def installed() -> tuple[Extension, ...]:
    """Import every extension that is installed, as a start does."""
    return tuple(load(Config(SECRET_KEY="0123456789abcdef" * 3)))


def routes(app: Flask, below: str = "/") -> Iterator[Route]:
    """Yield every method of every rule at or below a path, of what stands beside the API too."""
    for rule in app.url_map.iter_rules():
        if rule.rule == API:  # RESTX's own root, which answers 404
            continue
        if f"{rule.rule}/".startswith(f"{below.rstrip('/')}/"):
            for method in sorted(rule.methods or ()):
                yield Route(method, filled(rule.rule), rule.rule)


def filled(rule: str) -> str:
    """Return a rule with a value for each of its variables, of which nothing is there."""

    def value(found: re.Match[str]) -> str:
        converter, arguments, _ = found.groups()
        if converter == "any":
            return str(arguments).split(",")[0].strip()
        return _VALUES.get(converter, "x")

    return _VARIABLE.sub(value, rule)


def declared(extension: str | None, kind: type[Any]) -> Iterator[Declared]:
    """Yield the classes of one kind: ``Listing``, ``Item``."""
    if extension is None:
        namespaces = [(f"{API.rstrip('/')}{each.path}", each) for each in CORE]
    else:
        loaded = [each for each in installed() if each.name == extension]
        namespaces = [(f"{API}{extension}", each.namespace) for each in loaded]
    for base, namespace in namespaces:
        for found in getattr(namespace, "resources", ()):
            if issubclass(found.resource, kind):
                yield Declared(found.resource, f"{base}{found.urls[0].rstrip('/')}")


def items(extension: str | None) -> dict[str, Declared]:
    """Return the declared items by their type."""
    return {each.cls.spec.service.type: each for each in declared(extension, Item)}


class Subject:
    """The core, or one extension, in an app."""

    def __init__(self, app: Flask, extension: str | None) -> None:
        self.app, self.extension = app, extension
        self.base = "/api/v1" if extension is None else f"{API}{extension}"

    @property
    def routes(self) -> list[Route]:
        """Every method of every URL; of the core those beside the API too."""
        return list(routes(self.app, "/" if self.extension is None else self.base))

    def has(self, path: str) -> bool:
        """Whether a path is at or below its base; of the core's every one is."""
        return self.extension is None or f"{path}/".startswith(f"{self.base}/")

    def view(self, method: str, rule: str) -> Any:
        """Return what answers a method of a rule: a class, or a function."""
        (found,) = (
            self.app.view_functions[each.endpoint]
            for each in self.app.url_map.iter_rules()
            if each.rule == rule and method in (each.methods or ())
        )
        return getattr(found, "view_class", found)

    @property
    def lists(self) -> list[Declared]:
        """The declared lists."""
        return list(declared(self.extension, Listing))

    @property
    def items(self) -> dict[str, Declared]:
        """The declared items by their type."""
        return items(self.extension)
