"""Numbers and tables as JSON: what numpy and pandas hold, for the hook of ``api.output.dumps``.

The core has neither; nobody's answer holds such a value before somebody has imported them, so that
``sys.modules`` tells, and nothing is imported here that was not there. Tables are written column by
column: cells become Python values by the libraries' own loops, whole slices of rows by orjson.

What becomes of what (extensions/frames/README.md says the same to authors):

- numbers, truth values, texts: themselves; NaN, NA, NaT, None and infinities: null;
- times: UTC with milliseconds and ``Z``; those without a zone are taken to be UTC;
- spans of time: seconds, a number; dates: ``2026-11-20``; times of day, periods, intervals: texts;
- an array, a Series, an Index, a Categorical: a list; a DataFrame: a list of records, without its
  index (``reset_index()`` makes that a column);
- names of columns: texts; the levels of a MultiIndex are joined by dots, empty ones left out; names
  that come again get ``.1``, ``.2`` ...
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson

# What numpy and pandas have is ``Any``: the core is checked without either.

#: Rows of a table that are Python values at the same time: they fit into a processor's cache.
ROWS = 4_096
#: Years that four digits hold, as milliseconds since 1970.
_FIRST, _END = -62_135_596_800_000, 253_402_300_800_000
_ABSENT = object()
#: Arrow's days, which pandas takes for times.
_DATES = ("date32", "date64")
#: Never on ``api.output.dumps``: it imports numpy to look for it.
_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def encodable(value: Any, default: Callable[[Any], Any]) -> Any:
    """Return a value of numpy, pandas or ``datetime`` as one that orjson writes.

    Args:
        default: the hook for what stands in a table or an array.

    Raises:
        TypeError: it is none of these, or has no JSON form (complex numbers, bytes).
    """
    if (pandas := _there("pandas")) is not None:
        found = _of_pandas(pandas, value, default)
        if found is not _ABSENT:
            return found
    if (numpy := _there("numpy")) is not None:
        found = _of_numpy(numpy, value)
        if found is not _ABSENT:
            return found
    return _of_python(value)


def _there(name: str) -> Any:
    """Return a module that somebody has imported, complete; None if nobody has."""
    return importlib.import_module(name) if name in sys.modules else None


def _of_python(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time) and not isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _of_pandas(pandas: Any, value: Any, default: Callable[[Any], Any]) -> Any:
    if isinstance(value, pandas.DataFrame):
        return orjson.Fragment(b"".join(_records(pandas, value, default)))
    if isinstance(value, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        is_flat = not isinstance(value, pandas.MultiIndex)
        return _cells(pandas, pandas.Series(value)) if is_flat else value.tolist()
    if value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, pandas.Timestamp):
        return _cells(pandas, pandas.Series([value]))[0]
    if isinstance(value, pandas.Timedelta):
        return value.total_seconds()
    if isinstance(value, pandas.Period | pandas.Interval):
        return str(value)
    return _ABSENT


def _of_numpy(numpy: Any, value: Any) -> Any:
    if isinstance(value, numpy.ma.MaskedArray):
        if value.dtype.kind not in "mM":
            return value.tolist()
        value = value.filled(numpy.array("NaT", value.dtype))
    if isinstance(value, numpy.ndarray):
        return _array(numpy, value)
    if not isinstance(value, numpy.generic):
        return _ABSENT
    if value.dtype.kind in "biufmM":
        return _array(numpy, numpy.asarray(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _array(numpy: Any, array: Any) -> Any:
    """Return an array as a list of lists, or as the JSON of one; without an axis: what it holds."""
    kind, flat = array.dtype.kind, array.reshape(-1)
    if kind == "M":
        return _folded(_times(numpy, flat), array.shape)
    if kind == "m":
        return _folded(_seconds(numpy, flat), array.shape)
    if kind not in "biuf":
        return array.tolist()
    plain = array.dtype.newbyteorder("=") if array.dtype.itemsize <= 8 else float
    json = orjson.dumps(numpy.array(array, dtype=plain, order="C", ndmin=1), option=_NUMPY)
    return orjson.Fragment(json if array.ndim else json[1:-1])


def _folded(flat: list[Any], shape: tuple[int, ...]) -> Any:
    """Return the cells of an array as lists within each other; without an axis: its only one."""
    if not shape:
        return flat[0]
    for length in reversed(shape[1:]):
        flat = [flat[at : at + length] for at in range(0, len(flat), length)] if length else []
    return flat if 0 not in shape[1:] else [_folded([], shape[1:]) for _ in range(shape[0])]


# -- tables ------------------------------------------------------------------------------


def _records(pandas: Any, frame: Any, default: Callable[[Any], Any]) -> Iterator[bytes]:
    """Give the JSON of a table in pieces."""
    names = _names(frame.columns)
    yield b"["
    for start in range(0, len(frame), ROWS):
        part = frame.iloc[start : start + ROWS]
        columns = [_cells(pandas, part.iloc[:, at]) for at in range(len(names))]
        rows = zip(*columns, strict=True) if names else [()] * len(part)
        records = [dict(zip(names, row, strict=True)) for row in rows]
        option = orjson.OPT_PASSTHROUGH_DATETIME
        yield b"," if start else b""
        yield orjson.dumps(records, default=default, option=option)[1:-1]
    yield b"]"


def _names(columns: Any) -> list[str]:
    """Return names of columns as texts, each once."""
    names: dict[str, None] = {}
    for wanted in map(_name, columns.tolist()):
        name, number = wanted, 0
        while name in names:
            number += 1
            name = f"{wanted}.{number}"
        names[name] = None
    return list(names)


def _name(name: Any) -> str:
    if isinstance(name, tuple):
        return ".".join(filter(None, map(_name, name)))
    if isinstance(name, datetime) and name == name:
        return name.isoformat()
    return str(name)


def _cells(pandas: Any, series: Any) -> list[Any]:
    """Return the cells of a column as Python values; of other types only one by one."""
    numpy, dtype = _there("numpy"), series.dtype
    kind = getattr(dtype, "kind", "O")
    if isinstance(dtype, pandas.CategoricalDtype):
        return _categories(pandas, series)
    if isinstance(dtype, pandas.SparseDtype):
        return _cells(pandas, series.sparse.to_dense())
    if kind == "M" and not dtype.name.startswith(_DATES):
        return _times(numpy, _without_zone(pandas, series))
    if kind == "m":
        return _seconds(numpy, series.astype(_plain(series, "m8")).to_numpy())
    if isinstance(dtype, numpy.dtype):
        return _plain_cells(series.to_numpy())
    cells: list[Any] = series.to_numpy(dtype=object, na_value=None).tolist()
    return cells


def _plain_cells(values: Any) -> list[Any]:
    """Return what a column of numpy's own types holds."""
    if values.dtype.kind == "f" and values.dtype.itemsize < 8:  # 0.1, and not 0.10000000149011612
        short = orjson.dumps(values.copy(), option=_NUMPY)
        return orjson.loads(short)  # type: ignore[no-any-return]  # a list
    cells: list[Any] = values.tolist()
    return cells


def _categories(pandas: Any, series: Any) -> list[Any]:
    of_code = [*_cells(pandas, series.cat.categories.to_series()), None]
    return [of_code[code] for code in series.cat.codes.tolist()]


def _without_zone(pandas: Any, series: Any) -> Any:
    """Return times as numpy has them, in UTC."""
    if series.dt.tz is not None:
        series = series.dt.tz_convert(None)
    return series.astype(_plain(series, "M8")).to_numpy()


def _plain(series: Any, code: str) -> str:
    """Return numpy's type for the times of a column, Arrow's too."""
    unit = getattr(series.dtype, "unit", None) or series.dt.unit
    return f"{code}[{unit}]"


def _times(numpy: Any, moments: Any) -> list[Any]:
    """Return times as ``services.times.format_time`` has them.

    Raises:
        ValueError: one lies outside the years 1 to 9999.
    """
    cut = moments.astype("M8[ms]")
    absent, counts = numpy.isnat(cut), cut.view("i8")
    if ((counts < _FIRST) | (counts >= _END))[~absent].any():
        raise ValueError("a time outside the years 1 to 9999 has no place in an answer")
    cells = numpy.datetime_as_string(cut, unit="ms", timezone="UTC").tolist()
    for at in numpy.flatnonzero(absent).tolist():
        cells[at] = None
    return cells  # type: ignore[no-any-return]  # a list


def _seconds(numpy: Any, spans: Any) -> list[Any]:
    """Return spans of time; NaT is NaN, which orjson writes as null."""
    return (spans / numpy.timedelta64(1, "s")).tolist()  # type: ignore[no-any-return]  # a list
