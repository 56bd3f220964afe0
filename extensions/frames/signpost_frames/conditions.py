"""What rows are asked for: ``price>=10``, ``colour=red``, ``colour=`` (nothing there), ``-price``.

Names of columns are whatever their owner wrote; the longest that fits is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from signpost_frames.refusals import bad_parameter

#: Name of a type in ``kinds.NAMES`` → text of a number as it may be asked for.
_NUMBERS = {
    "int64": re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?"),
    "float64": re.compile(
        r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?"
    ),
}
_COMPARE: dict[str, Callable[..., Any]] = {
    "!=": pc.not_equal,
    "<=": pc.less_equal,
    ">=": pc.greater_equal,
    "=": pc.equal,
    "<": pc.less,
    ">": pc.greater,
    "~": pc.match_substring,
}


@dataclass(frozen=True)
class Condition:
    """One column compared with one value; None: whether anything is there."""

    column: str
    operator: str
    value: Any

    def holds(self, cells: Any) -> Any:
        """Return for each cell whether it is so; of an empty one only ``column=`` is."""
        if self.value is None:
            return pc.is_null(cells) if self.operator == "=" else pc.is_valid(cells)
        if self.operator == "~":
            return pc.fill_null(pc.match_substring(cells, self.value, ignore_case=True), False)
        return pc.fill_null(_COMPARE[self.operator](cells, self.value), False)


def conditions(texts: Sequence[str], dtypes: Mapping[str, str]) -> list[Condition]:
    """Return what ``where`` asks for.

    Args:
        dtypes: column → one of ``kinds.NAMES``.

    Raises:
        Invalid: there is no such column or comparison, or the value is of another kind.
    """
    return [_condition(text, dtypes) for text in texts]


def order(text: str, dtypes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what to sort by: columns, each ``ascending`` or ``descending``.

    Raises:
        Invalid: there is no such column.
    """
    if text in dtypes:  # a name may begin with a minus
        return [(text, "ascending")]
    if text.startswith("-") and text[1:] in dtypes:
        return [(text[1:], "descending")]
    raise unknown("sort", text.removeprefix("-"))


def chosen(texts: Sequence[str], dtypes: Mapping[str, str], parameter: str = "column") -> list[str]:
    """Return the columns that are asked for, each once; all, if none is.

    Raises:
        Invalid: there is no such column.
    """
    for text in texts:
        if text not in dtypes:
            raise unknown(parameter, text)
    return list(dict.fromkeys(texts)) or list(dtypes)


def unknown(parameter: str, name: str) -> Exception:
    """Return the problem of a column that is not there."""
    return bad_parameter(parameter, "choice", f'This table has no column "{name[:100]}".')


def _condition(text: str, dtypes: Mapping[str, str]) -> Condition:
    fitting = (name for name in dtypes if text.startswith(name))
    for name in sorted(fitting, key=len, reverse=True):
        rest = text[len(name) :]
        for operator in _COMPARE:
            if rest.startswith(operator):
                value = _value(rest[len(operator) :], dtypes[name], operator)
                return Condition(name, operator, value)
    known = " ".join(_COMPARE)
    said = f"Name a column of this table, one of {known}, and a value: `price>=10`."
    raise bad_parameter("where", "format", said)


def _value(text: str, dtype: str, operator: str) -> Any:
    if text == "":
        if operator not in ("=", "!="):
            raise bad_parameter("where", "format", "Nothing can be compared by = and != alone.")
        return None
    if operator == "~" and dtype != "str":
        raise bad_parameter("where", "type", "Only texts can be searched by ~.")
    if dtype == "bool":
        return _truth(text, operator)
    if dtype == "datetime64":
        return _time(text)
    if dtype == "str":
        return text
    if not _NUMBERS["float64"].fullmatch(text):
        raise bad_parameter("where", "type", "This column holds numbers; compare it with one.")
    is_whole = dtype == "int64" and _NUMBERS["int64"].fullmatch(text)
    return pa.scalar(int(text.partition(".")[0])) if is_whole else pa.scalar(float(text))


def _truth(text: str, operator: str) -> Any:
    if text not in ("true", "false") or operator not in ("=", "!="):
        raise bad_parameter("where", "type", "This column is =true, =false or the contrary, !=.")
    return pa.scalar(text == "true")


def _time(text: str) -> Any:
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            found = pa.scalar(text.replace(" ", "+") if "T" in text else text).cast(kind)
        except pa.ArrowInvalid:
            continue
        return found if kind.tz else found.cast(pa.int64()).cast(pa.timestamp("us", "UTC"))
    raise bad_parameter("where", "type", "This column holds times: 2026-11-20T06:45:00Z.")
