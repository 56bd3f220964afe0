"""The compiler of plans: a shape becomes one function that reads a row. Used by api/output.py.

The function is made of source text in which only declared names stand, quoted or checked to be
identifiers; a mask selects among them and adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from flask_restx import Model
from flask_restx import fields as restx
from sqlalchemy import Row, RowMapping

from api import fields
from api.masks import Mask
from services.times import format_time

#: Row, dict or object → the members that its shape declares.
Plan = Callable[[Any], dict[str, Any]]
#: Shape, and what is wanted of it → its plan.
Inner = Callable[[Model, Mask | None], Plan]

_MAPPINGS = (dict, RowMapping)
#: How a class formats → the Python class that it leaves as it is.
_LEFT_ALONE: dict[Any, type] = {
    restx.String.format: str,
    restx.Integer.format: int,
    restx.Float.format: float,
    fields.Boolean.format: bool,
}


def compile_plan(shape: Model, mask: Mask | None, inner: Inner) -> Plan:
    """Return the plan of ``shape``.

    Args:
        mask: the members wanted; None: all.
        inner: makes or finds the plans of nested shapes.

    Raises:
        TypeError: a field is not one of ours, or its attribute is no name.
    """
    on_mapping = _Source(inner, "o[{!r}]").function(shape, mask)

    @cache
    def on_object() -> Plan:
        return _Source(inner, "o.{}").function(shape, mask)

    def render(row: Any) -> dict[str, Any]:
        if isinstance(row, Row):
            # By way of the mapping columns are found four times as fast as by attribute.
            return on_mapping(row._mapping)
        if isinstance(row, _MAPPINGS):
            return on_mapping(row)
        return on_object()(row)

    return render


class _Source:
    """Writes the source of one function and keeps what it refers to."""

    def __init__(self, inner: Inner, access: str) -> None:
        self._inner = inner
        self._access = access
        self._names: dict[str, Any] = {}

    def function(self, shape: Model, mask: Mask | None) -> Plan:
        """Return the function of a shape."""
        text = f"def read(o):\n return {self._object(shape, mask)}"
        exec(text, self._names)  # noqa: S102 - made of declarations only
        read: Plan = self._names["read"]
        return read

    def _object(self, shape: Model, mask: Mask | None) -> str:
        wanted = [(name, None) for name in shape] if mask is None else mask
        members = (f"{name!r}: {self._member(name, shape[name], m)}" for name, m in wanted)
        return f"{{{', '.join(members)}}}"

    def _member(self, name: str, field: Any, mask: Mask | None) -> str:
        if not isinstance(field, restx.Raw):
            raise TypeError(f"declare {name} by an instance of a field, not by {field!r}")
        method = type(field).output
        if method is fields.Inline.output:
            text = self._object(field.model, mask)
            return f"{self._bind(_null_if_empty)}({text})" if field.nullable else text
        read = self._read(field.attribute or name)
        default = self._default(field)
        if method is restx.Nested.output:
            value = f"{self._bind(self._inner(field.model, mask))}(v)"
        elif method is restx.List.output:
            value = f"[{self._item(field.container, mask)} for i in v]"
        elif method is restx.Raw.output:
            value = self._formatted(field, "v")
        else:
            return f"{self._bind(field.output)}({name!r}, o)"
        return f"({default} if (v := {read}) is None else {value})"

    def _item(self, field: Any, mask: Mask | None) -> str:
        if isinstance(field, fields.Nested):
            value = f"{self._bind(self._inner(field.model, mask))}(i)"
        elif isinstance(field, fields.List):
            value = f"[{self._item(field.container, mask)} for i in i]"
        else:
            value = self._formatted(field, "i")
        return value if value == "i" else f"None if i is None else {value}"

    def _formatted(self, field: Any, variable: str) -> str:
        """Return the expression that formats a variable known not to be None."""
        method = type(field).format
        if method is restx.Raw.format:
            return variable
        slow = f"{self._bind(field.format)}({variable})"
        if method is fields.DateTime.format:
            quick = f"{self._bind(format_time)}({variable})"
            return f"({quick} if {variable}.__class__ is {self._bind(datetime)} else {slow})"
        if method in _LEFT_ALONE:
            kind = self._bind(_LEFT_ALONE[method])
            return f"({variable} if {variable}.__class__ is {kind} else {slow})"
        return slow

    def _read(self, attribute: str) -> str:
        first, *rest = attribute.split(".")
        if not all(part.isidentifier() for part in (first, *rest)):
            raise TypeError(f"{attribute!r} is not the name of an attribute")
        text = self._access.format(first)
        return f"{self._bind(_follow)}({text}, {rest!r})" if rest else text

    def _default(self, field: Any) -> str:
        if field.default is None:
            return "None"
        plain = isinstance(field, restx.Nested | restx.List) or not field.default
        return self._bind(field.default if plain else field.format(field.default))

    def _bind(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name


def _follow(value: Any, path: Sequence[str]) -> Any:
    """Return what is at the end of a dotted attribute; None as soon as one is None."""
    for name in path:
        if value is None:
            return None
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return value


def _null_if_empty(members: dict[str, Any]) -> dict[str, Any] | None:
    return None if all(value is None for value in members.values()) else members
