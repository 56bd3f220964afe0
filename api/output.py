"""Output: shapes are compiled into plans that read rows, and JSON is written.

A plan reads dicts, SQLAlchemy rows and objects, and gives what ``flask_restx.marshal`` would, but
for this: what a row does not have is an error, not null. api/plans.py compiles, api/masks.py reads
masks, api/tables.py writes numbers and tables of numpy and pandas.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import orjson
from flask_restx import Model

from api import tables
from api.masks import Mask, parse_mask
from api.plans import Plan, compile_plan
from services.times import format_time

#: Masked plans that are kept; clients choose the masks.
MAX_MASKED = 256


def plan(shape: Model) -> Plan:
    """Return the compiled plan of a shape; it is kept on the shape itself."""
    return _kept(shape).plan


def masked(shape: Model, text: str) -> Plan:
    """Return the plan of what the mask ``text`` leaves of a shape.

    Raises:
        Invalid: it is no mask, or names what the shape does not have.
    """
    return _masked(_kept(shape), parse_mask(shape, text))


def dumps(data: Any, *, option: int = 0) -> bytes:
    """Return ``data`` as JSON: times in UTC with milliseconds, NaN as null, tables as records.

    Args:
        option: further options of orjson.

    Raises:
        TypeError: something in it has no JSON form.
    """
    return orjson.dumps(data, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME | option)


class _Kept:
    """A shape with its plan. Compared by identity, so that it can be the key of a cache."""

    def __init__(self, shape: Model) -> None:
        self.shape = shape
        self.plan = compile_plan(shape, None, _inner)


def _kept(shape: Model) -> _Kept:
    kept = vars(shape).get("_kept")
    if kept is None:
        if shape.__parents__:
            raise TypeError(f"{shape.name} inherits; declare shapes flat, RESTX's parents win")
        kept = shape._kept = _Kept(shape)
    return cast(_Kept, kept)


def _inner(shape: Model, mask: Mask | None) -> Plan:
    kept = _kept(shape)
    return kept.plan if mask is None else _masked(kept, mask)


@lru_cache(MAX_MASKED)
def _masked(kept: _Kept, mask: Mask) -> Plan:
    return compile_plan(kept.shape, mask, _inner)


def _default(value: Any) -> Any:
    if value.__class__ is datetime:
        return format_time(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return tables.encodable(value, _default)
