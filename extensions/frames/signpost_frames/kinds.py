"""The five kinds of columns that a stored table has, and how other types become one of them.

``int64``, ``float64``, ``bool``, ``datetime64`` (UTC, milliseconds) and ``str``. Like all modules
here that read tables it imports pyarrow, and is imported itself only when somebody asks for one.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

INTEGER, REAL, TRUTH, TEXT = pa.int64(), pa.float64(), pa.bool_(), pa.string()
TIME = pa.timestamp("ms", "UTC")
#: Type of a column → what pandas calls it.
NAMES = {INTEGER: "int64", REAL: "float64", TRUTH: "bool", TIME: "datetime64", TEXT: "str"}
#: Milliseconds of the years 1 to 9999, which answers can tell.
_FIRST, _END = -62_135_596_800_000, 253_402_300_800_000


class Unfit(ValueError):
    """What a column holds does not become its kind."""


def kind_of(type: Any) -> Any:
    """Return what a column of another type is stored as; None: it cannot be."""
    types = pa.types
    if types.is_dictionary(type):
        return kind_of(type.value_type)
    for kind, tests in (
        (INTEGER, (types.is_integer,)),
        (REAL, (types.is_floating, types.is_decimal)),
        (TRUTH, (types.is_boolean,)),
        (TIME, (types.is_timestamp, types.is_date)),
        (TEXT, (types.is_string, types.is_large_string, types.is_string_view, types.is_null)),
    ):
        if any(test(type) for test in tests):
            return kind
    return None


def become(array: Any, kind: Any) -> Any:
    """Return an array as one of ``kind``; what is not finite becomes null.

    Raises:
        Unfit: a number or a time is out of range.
    """
    try:
        cast = array.cast(kind, safe=kind is INTEGER)
    except pa.ArrowInvalid as exc:
        raise Unfit("holds numbers beyond 64 bits") from exc
    if kind is REAL:
        return pc.if_else(pc.is_finite(cast), cast, pa.scalar(None, REAL))
    if kind is TIME:
        return in_range(cast)
    return cast


def in_range(times: Any) -> Any:
    """Return times, all of which have a year of four digits.

    Raises:
        Unfit: one has not.
    """
    bounds = pc.min_max(times.cast(INTEGER)).as_py()
    if bounds["min"] is not None and not _FIRST <= bounds["min"] <= bounds["max"] < _END:
        raise Unfit("holds times outside the years 1 to 9999")
    return times
