"""A picture of a table: lines, bars, a histogram or points, as PNG or SVG.

Figures are made without pyplot, whose figures are global; one is drawn at a time, since fonts and
settings of matplotlib are shared by all threads.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from signpost_frames.refusals import bad_parameter

KINDS = ("line", "bar", "hist", "scatter")
#: Points of a line, and bars, that a picture can show.
MAX_POINTS, MAX_BARS = 10_000, 40
_DPI = 100
_NUMERIC = ("int64", "float64")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Plot:
    """What to draw; ``y`` is None for a histogram, and for bars that count."""

    kind: str
    x: str
    y: str | None
    format: str
    """``png`` or ``svg``."""
    width: int
    """Pixels."""
    height: int
    bins: int

    def check(self, dtypes: dict[str, str]) -> None:
        """Refuse columns that cannot be drawn so.

        Raises:
            Invalid: one is missing, too many, or does not hold numbers.
        """
        if self.kind in ("line", "scatter") and self.y is None:
            raise bad_parameter("y", "required", f"A {self.kind} needs x and y.")
        if self.kind == "hist" and self.y is not None:
            raise bad_parameter("y", "conflict", "A histogram has x alone.")
        if self.kind != "bar" and dtypes[self.x] not in (*_NUMERIC, "datetime64"):
            raise bad_parameter("x", "type", "Draw numbers or times along x.")
        if self.y is not None and dtypes[self.y] not in _NUMERIC:
            raise bad_parameter("y", "type", "Draw numbers along y.")

    @property
    def columns(self) -> list[str]:
        """What is read of the table."""
        return list(dict.fromkeys([self.x] if self.y is None else [self.x, self.y]))


def draw(frame: Any, plot: Plot) -> bytes:
    """Return the picture of a table that has ``plot.columns``."""
    with _ONE_AT_A_TIME, mpl.rc_context({"svg.hashsalt": "signpost", "text.parse_math": False}):
        figure = Figure(figsize=(plot.width / _DPI, plot.height / _DPI), dpi=_DPI)
        axes = figure.add_subplot()
        _DRAW[plot.kind](axes, frame, plot)
        figure.autofmt_xdate() if plot.kind == "bar" else None
        picture = io.BytesIO()
        metadata = {"Date": None} if plot.format == "svg" else {}
        figure.savefig(picture, format=plot.format, bbox_inches=None, metadata=metadata)
        return picture.getvalue()


def _line(axes: Any, frame: Any, plot: Plot) -> None:
    axes.plot(*_points(frame.sort_values(plot.x, kind="stable"), plot), linewidth=1)
    axes.set(xlabel=plot.x, ylabel=plot.y)


def _scatter(axes: Any, frame: Any, plot: Plot) -> None:
    axes.scatter(*_points(frame, plot), s=8, linewidths=0)
    axes.set(xlabel=plot.x, ylabel=plot.y)


def _hist(axes: Any, frame: Any, plot: Plot) -> None:
    axes.hist(_plain(frame[plot.x].dropna()), bins=plot.bins)
    axes.set(xlabel=plot.x, ylabel="count")


def _bar(axes: Any, frame: Any, plot: Plot) -> None:
    """Draw the largest sums of y by x, or how often the commonest values of x are there."""
    if plot.y is None:
        bars = frame[plot.x].value_counts()
    else:
        bars = frame.groupby(plot.x, sort=False)[plot.y].sum()
    bars = bars.sort_values(ascending=False, kind="stable")[:MAX_BARS]
    names = [str(name)[:40] for name in bars.index]
    axes.bar(range(len(names)), bars.to_numpy(dtype=float, na_value=np.nan))
    axes.set_xticks(range(len(names)), names)
    axes.set(xlabel=plot.x, ylabel="count" if plot.y is None else plot.y)


def _points(frame: Any, plot: Plot) -> tuple[Any, Any]:
    """Return x and y where both are there, of so many rows as can be told apart."""
    whole = frame[plot.columns].dropna()
    few = whole.iloc[:: -(-len(whole) // MAX_POINTS) or 1]
    return _plain(few[plot.x]), _plain(few[plot.y])


def _plain(cells: Any) -> Any:
    """Return cells without gaps as matplotlib takes them."""
    if cells.dtype.kind == "M":
        return cells.dt.tz_convert(None).to_numpy()
    return cells.to_numpy(dtype=float)


_DRAW = {"line": _line, "bar": _bar, "hist": _hist, "scatter": _scatter}
