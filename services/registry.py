"""The resources: one name each, in URLs, in the log and in the trash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.base import Service
from services.comments import CommentService
from services.files import FileService
from services.posts import PostService
from services.users import UserService

_CORE: tuple[type[Service[Any]], ...] = (PostService, UserService, CommentService, FileService)
#: type → service; those of extensions come to the core's.
RESOURCES: dict[str, type[Service[Any]]] = {service.type: service for service in _CORE}


class _Names(Collection[str]):
    """The types that there are at the time; extensions may add some to what is declared."""

    def __contains__(self, name: object) -> bool:
        return name in RESOURCES

    def __iter__(self) -> Iterator[str]:
        return iter(RESOURCES)

    def __len__(self) -> int:
        return len(RESOURCES)

    def __deepcopy__(self, memo: object) -> _Names:
        return self


TYPES = _Names()
#: What the log and the trash need of a row.
_COLUMNS = ("id", "version", "created_at", "updated_at", "deleted_at", "deletion_id")
#: What the change feed needs of one.
_TOLD = ("id", "version", "updated_at")


class TypeTaken(ValueError):
    """Another resource has this type."""


class NoResource(ValueError):
    """The rows of this service cannot be logged or deleted."""


def register(service: type[Service[Any]]) -> None:
    """Make a resource of an extension known to the log, the trash and the change feed.

    Raises:
        TypeTaken: the core, or another extension, has one of its type.
        NoResource: its model lacks a column (``Versioned`` and ``SoftDeletable`` bring them), its
            rows can't be told of, or it belongs to itself.
        Exception: whatever its rules raise where the core would ask them.
    """
    if RESOURCES.get(service.type, service) is not service:
        raise TypeTaken(f"there is a resource {service.type} already")
    if service.type not in RESOURCES:
        _check(service)
        _check_parents(service)
        RESOURCES[service.type] = service


def reset() -> None:
    """Forget the resources of all extensions: their rows are strangers from then on."""
    for type in RESOURCES.keys() - {service.type for service in _CORE}:
        del RESOURCES[type]


def told() -> dict[str, type[Service[Any]]]:
    """Return what the change feed tells of, in the order of a walk: parents come first."""
    found = ((type, RESOURCES[type]) for type in _ordered(RESOURCES) if type in RESOURCES)
    return {type: service for type, service in found if service.is_told}


def _ordered(resources: Mapping[str, type[Service[Any]]]) -> Iterable[str]:
    parents = {type: service.parents().keys() for type, service in resources.items()}
    return tuple(TopologicalSorter(parents).static_order())


def _check_parents(service: type[Service[Any]]) -> None:
    try:
        _ordered({**RESOURCES, service.type: service})
    except CycleError as exc:
        raise NoResource(f"{service.__name__}: its parents belong to it: {exc.args[1]}") from exc


def _check(service: type[Service[Any]]) -> None:
    """Ask what a deletion and the change feed ask of all, where it would be the core that fails."""
    lacking = [name for name in _COLUMNS if not hasattr(service.model, name)]
    sa.inspect(service.model).registry.configure(cascade=True)
    probe = service(Session())
    if not lacking and service.is_told:
        shown = {column.key for column in probe.columns()}
        lacking = [f"{name} in columns()" for name in _TOLD if name not in shown]
    if lacking:
        raise NoResource(f"{service.__name__}: its rows have no {', '.join(lacking)}")
    probe.insider_column()
