"""Pictures of tables: what is drawn, what is refused, and by many threads at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from PIL import Image

from signpost.services import Invalid
from signpost_frames.plots import KINDS, MAX_BARS, Plot, draw

FRAME = pd.DataFrame(
    {
        "n": pd.array([1, 2, None, 4], dtype="Int64"),
        "real": [0.5, None, 2.0, 1.5],
        "name": ["$x_", "b", "<script>", None],
        "at": pd.to_datetime(["2026-01-01", None, "2026-01-03", "2026-01-04"], utc=True),
    }
)
DTYPES = {"n": "int64", "real": "float64", "name": "str", "at": "datetime64"}
LINE = Plot("line", "n", "real", "png", 400, 300, 10)


@pytest.mark.parametrize("format", ["png", "svg"])
@pytest.mark.parametrize(
    ("kind", "x", "y"),
    [
        ("line", "n", "real"),
        ("line", "at", "n"),
        ("scatter", "real", "n"),
        ("scatter", "n", "n"),
        ("bar", "name", None),
        ("bar", "name", "real"),
        ("bar", "at", "n"),
        ("hist", "real", None),
        ("hist", "at", None),
    ],
)
@pytest.mark.parametrize("rows", [4, 0])
class TestDraw:
    def test_draws_the_same_each_time(
        self, kind: str, x: str, y: str | None, format: str, rows: int
    ) -> None:
        # given
        plot = replace(LINE, kind=kind, x=x, y=y, format=format)
        plot.check(DTYPES)
        # when
        picture = draw(FRAME[:rows][plot.columns], plot)
        # then
        assert picture == draw(FRAME[:rows][plot.columns], plot)
        if format == "png":
            assert Image.open(BytesIO(picture)).size == (400, 300)
        else:
            assert b"<svg" in picture
            assert b"<script" not in picture


class TestPlot:
    def test_is_drawn_by_many_threads_without_pyplot(self) -> None:
        # given
        plots = [replace(LINE, width=100 + 10 * at) for at in range(16)]
        # when
        with ThreadPoolExecutor(8) as threads:
            drawn = list(threads.map(lambda plot: draw(FRAME[plot.columns], plot), plots))
        # then
        sizes = [Image.open(BytesIO(each)).size[0] for each in drawn]
        assert sizes == [plot.width for plot in plots]
        assert mpl.rcParams["svg.hashsalt"] is None

    def test_shows_so_much_as_can_be_seen(self) -> None:
        # given
        many = pd.DataFrame({"n": range(100_000), "name": [f"t{at}" for at in range(100_000)]})
        # when
        points = draw(many, replace(LINE, kind="scatter", y="n", format="svg"))
        bars = draw(many, replace(LINE, kind="bar", x="name", y="n", format="svg"))
        # then
        assert len(re.findall(b"<use ", points)) < 10_100
        assert len(re.findall(rb"<!-- t\d+ -->", bars)) == MAX_BARS
        assert b"<!-- t99999 -->" in bars

    @pytest.mark.parametrize(
        ("changes", "field", "code"),
        [
            ({"y": None}, "y", "required"),
            ({"kind": "scatter", "y": None}, "y", "required"),
            ({"kind": "hist"}, "y", "conflict"),
            ({"x": "name"}, "x", "type"),
            ({"kind": "hist", "x": "name", "y": None}, "x", "type"),
            ({"y": "name"}, "y", "type"),
            ({"kind": "bar", "y": "at"}, "y", "type"),
        ],
    )
    def test_that_cannot_be_drawn_is_refused(
        self, changes: dict[str, Any], field: str, code: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            replace(LINE, **changes).check(DTYPES)
        assert [(each.field, each.code) for each in caught.value.faults] == [(field, code)]

    def test_knows_the_kinds_that_are_offered(self) -> None:
        from signpost_frames import asking

        assert asking._KINDS == KINDS
