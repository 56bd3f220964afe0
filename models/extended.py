"""The bases of extensions' models: apart from the core's, so that nothing wrong there reaches it.

An extension's tables are in a MetaData of its own, where the core's tables stand too: foreign keys
to them are found by name. Its classes are in a registry of its own, where the core's are known too:
a relationship that is wrong fails in that extension's statements and nowhere else.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import registry as Registry  # noqa: N812 - it is a class

from models.base import NAMING, Base

_OWNER = "extension"


class Extended:
    """What all models of extensions share: the core's kind of tables, under their prefix."""

    __table_args__: Any = Base.__table_args__
    registry: ClassVar[Registry]

    def __init_subclass__(cls, **options: Any) -> None:
        """Map a model.

        Raises:
            ValueError: its table is not called ``<extension>_...``.
        """
        name: str | None = cls.__dict__.get("__tablename__")
        prefix = f"{cls.registry.metadata.info[_OWNER]}_"
        if name is not None and not name.startswith(prefix):
            raise ValueError(f"{cls.__name__}: the table {name} must be called {prefix}...")
        super().__init_subclass__(**options)


@cache
def registry_of(name: str) -> Registry:
    """Return the one registry of an extension's models.

    For those who check types: ``class Base(Extended, DeclarativeBase)`` with
    ``registry = registry_of("people")`` says the same as ``Base = base_of("people")``.
    """
    own = sa.MetaData(naming_convention=NAMING, info={_OWNER: name})
    for table in Base.metadata.tables.values():
        own._add_table(table.name, table.schema, table)  # to_metadata would make others of them
    classes: dict[str, Any] = {
        mapper.class_.__name__: mapper.class_ for mapper in Base.registry.mappers
    }
    return Registry(
        metadata=own, type_annotation_map=Base.type_annotation_map, class_registry=classes
    )


@cache
def base_of(name: str) -> type[DeclarativeBase]:
    """Return the base of an extension's models; its tables are called ``<name>_...``."""
    members = {"registry": registry_of(name), "__doc__": f"Base of the tables {name}_..."}
    made: type[DeclarativeBase] = type("Base", (Extended, DeclarativeBase), members)
    return made


def tables_of(metadata: sa.MetaData) -> list[sa.Table]:
    """Return the tables that were declared in ``metadata``, parents first."""
    return [table for table in metadata.sorted_tables if table.metadata is metadata]
