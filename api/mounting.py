"""Mount extensions: their routes, rules, commands and hooks. What they are: api/loading.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask
from flask_restx import Api, Namespace

from api import functions
from api.access import ANYONE, needed, of_plain
from api.item import Item
from api.loading import Extension
from api.mounted import Mounted
from services.registry import register


class NotMountable(Exception):
    """What ``create`` returned cannot be mounted."""


def mount(app: Flask, api: Api, extensions: Iterable[Extension]) -> None:
    """Mount every loaded extension below ``/api/<name>``.

    Raises:
        NotMountable, ValueError: one isn't what it has to be.
    """
    for extension in extensions:
        if extension.state == "loaded":
            _mount(app, api, extension)


def _mount(app: Flask, api: Api, extension: Extension) -> None:
    found, base = extension.namespace, f"/api/{extension.name}"
    if isinstance(found, Namespace):
        _mount_namespace(app, api, extension, base)
    elif isinstance(found, Blueprint):
        functions.mount(app, found, extension.name)
    else:
        raise NotMountable(f"create() returned {type(found).__name__}, no Namespace or Blueprint")
    app.extensions["signpost"].mounted[extension.name] = Mounted(
        extension,
        extension.settings(),
        getattr(found, "shape", None),
        frozenset(scheme.lower() for scheme in getattr(found, "token_schemes", ())),
        dict(getattr(found, "error_handlers", {})),
    )
    app.extensions["signpost"].uploads |= set(_uploads(found, base))


def _mount_namespace(app: Flask, api: Api, extension: Extension, base: str) -> None:
    namespace = extension.namespace
    for resource in namespace.resources:
        cls = resource.resource
        cls.base = base
        if issubclass(cls, Item):
            register(cls.spec.service)
            app.extensions["signpost"].specs.setdefault(cls.spec.service.type, cls.spec)
        _document(cls, extension.name)
    api.add_namespace(namespace, path=f"/{extension.name}")


def _document(cls: type[Any], name: str) -> None:
    """Say of each verb what specifications and console have to know, where its author did not."""
    if (declared := of_plain(cls)) is not None:
        cls.access = declared  # what is said below would say more than its author did
    needs = {verb: needed(cls, verb) for verb in cls.methods or ()}
    for verb in map(str.lower, needs):
        method = getattr(cls, verb)
        said = {"id": f"{verb}{name.title().replace('_', '')}{cls.__name__}"}
        if needs[verb.upper()] != ANYONE:
            said["security"] = "bearer"
        method.__apidoc__ = said | getattr(method, "__apidoc__", {})
        method.__doc__ = method.__doc__ or f"{verb.title()} {cls.__name__}"


def _uploads(found: Any, base: str) -> Iterable[str]:
    for resource in getattr(found, "resources", ()):
        if getattr(resource.resource, "receives_files", False):
            yield from (base + url for url in resource.urls if "<" not in url)
