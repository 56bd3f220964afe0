"""The resources: one name each, in URLs, in the log and in the trash."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

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


class TypeTaken(ValueError):
    """Another resource has this type."""


class NoResource(ValueError):
    """The rows of this service cannot be logged or deleted."""


def register(service: type[Service[Any]]) -> None:
    """Make a resource of an extension known to the log, the trash and the change feed.

    Raises:
        TypeTaken: the core, or another extension, has one of its type.
        NoResource: its model lacks a column (``Versioned`` and ``SoftDeletable`` bring them), or it
            belongs to itself.
    """
    if lacking := [name for name in _COLUMNS if not hasattr(service.model, name)]:
        raise NoResource(f"{service.__name__}: its model has no {', '.join(lacking)}")
    if RESOURCES.setdefault(service.type, service) is not service:
        raise TypeTaken(f"there is a resource {service.type} already")
    try:
        told()
    except CycleError as exc:
        del RESOURCES[service.type]
        raise NoResource(f"{service.__name__}: its parents belong to it: {exc.args[1]}") from exc


def reset() -> None:
    """Forget the resources of all extensions: their rows are strangers from then on."""
    for type in RESOURCES.keys() - {service.type for service in _CORE}:
        del RESOURCES[type]


def told() -> dict[str, type[Service[Any]]]:
    """Return what the change feed tells of, in the order of a walk: parents come first."""
    parents = {type: service.parents().keys() for type, service in RESOURCES.items()}
    ordered = TopologicalSorter(parents).static_order()
    found = ((type, RESOURCES[type]) for type in ordered if type in RESOURCES)
    return {type: service for type, service in found if service.is_told}
