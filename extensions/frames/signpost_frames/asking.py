"""What a table holds: its columns, rows, statistics and plots. What reads it is imported late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response

from signpost import Namespace, RequestParser, Resource, arguments, expose, fields, request, uploads
from signpost.paging import paged, paging, query_of
from signpost_frames.resource import ns
from signpost_frames.service import FrameService

if TYPE_CHECKING:
    from signpost_frames.stored import Table


@dataclass(frozen=True)
class _Column(arguments.Text):
    """The name of a column; whether there is one is asked later."""

    max_length: int = 200
    min_length: int = 1

    @property
    def __schema__(self) -> dict[str, Any]:
        return super().__schema__ | {"x-example": "price"}


column = ns.model(
    "FrameColumn",
    {
        "name": fields.String(required=True, example="price"),
        "dtype": fields.String(
            required=True,
            enum=["int64", "float64", "bool", "datetime64", "str"],
            description="Times are UTC, to the millisecond.",
            example="float64",
        ),
        "nulls": fields.Integer(required=True, description="Cells without a value.", example=3),
    },
)
columns = ns.model("FrameColumns", {"items": fields.List(fields.Nested(column), required=True)})
rows = ns.model(
    "FrameRows",
    {
        "items": fields.List(fields.Raw(description="Name of a column → value."), required=True),
        "next": fields.String(required=True, nullable=True, description="`cursor` of what follows"),
        "total": fields.Integer(required=True, nullable=True, description="With `total=true`."),
    },
)
statistics = ns.model(
    "FrameStatistics",
    {
        "items": fields.List(
            fields.Raw(
                description="`name`, `dtype`, `nulls`, `count`; of numbers and times `mean`, "
                "`min`, `25%`, `50%`, `75%`, `max`, of numbers `std`; else `unique`, `top`, `freq`."
            ),
            required=True,
        )
    },
)

nothing_asked = RequestParser()
rows_asked = paging()
rows_asked.add_argument(
    "where",
    arguments.Text(1_000, 1),
    action="append",
    help="Rows for which this holds; all of several. `price>=10`, `colour=red`, `at<2026-01-01`, "
    "`name~part` (in a text, whatever the case), `colour=` (nothing there), `!=`, `<=`, `>`.",
)
_COLUMN: dict[str, Any] = {
    "type": arguments.Text(200, 1),
    "action": "append",
    "help": "Only these.",
}
rows_asked.add_argument("column", **_COLUMN)
columns_asked = RequestParser()
columns_asked.add_argument("column", **_COLUMN)
plot_asked = RequestParser()
_KINDS, _FORMATS = ("line", "bar", "hist", "scatter"), {"png": "image/png", "svg": "image/svg+xml"}
plot_asked.add_argument("kind", arguments.choice(*_KINDS), default="bar", help="How to draw.")
plot_asked.add_argument("x", _Column(), required=True, help="A column.")
plot_asked.add_argument(
    "y",
    arguments.Text(200, 1),
    help="A column of numbers. Bars are sums of it by x; without it they count.",
)
plot_asked.add_argument("format", arguments.choice(*_FORMATS), default="png", help="Of the answer.")
plot_asked.add_argument("width", arguments.Whole(100, 4_000), default=800, help="Pixels.")
plot_asked.add_argument("height", arguments.Whole(100, 4_000), default=500, help="Pixels.")
plot_asked.add_argument("bins", arguments.Whole(1, 500), default=30, help="Of a histogram.")


def _answers(model: Any) -> dict[str, Any]:
    failed: dict[str, Any] = {
        "400": ("No such column, or a value of another kind", None, {}),
        "404": ("Not found", None, {}),
        "503": ("Unavailable", None, {}),
    }
    return {"responses": {"200": ("OK", model, {}), **failed}}


class _OfTable(Resource):
    """What is asked of one visible table."""

    access = "anyone"

    def row(self, id: int) -> Any:
        """Return what is known of a table.

        Raises:
            NotFound: it is not there, or hidden from the caller.
        """
        return self.read(lambda session: FrameService(session, self.actor, self.config).row(id))

    @contextmanager
    def table(self, row: Any) -> Iterator[Table]:
        """Give what a table holds.

        Raises:
            NotFound: it was purged meanwhile.
            Damaged: it is not what was stored.
        """
        from signpost_frames.stored import Table

        try:
            with uploads.opened(self.config, row.sha256, row.size) as file:
                yield Table(file)
        except uploads.Missing as exc:
            self.row(row.id)
            raise uploads.Damaged() from exc


@expose(ns, "/<id:id>/columns", get={"id": "listFrameColumns", **_answers(columns)})
class FrameColumns(_OfTable):
    def get(self, id: int) -> Any:
        """List the columns of a frame"""
        nothing_asked.parse_args()
        return {"items": self.row(id).columns}


@expose(
    ns,
    "/<id:id>/rows",
    get={"id": "listFrameRows", "expect": [rows_asked], **_answers(rows)},
)
class FrameRows(_OfTable):
    def get(self, id: int) -> Any:
        """List rows of a frame

        As they were uploaded, or sorted by a column; empty cells come last.
        """
        values = rows_asked.parse_args()
        query, row = query_of(values), self.row(id)
        dtypes = _dtypes(row)
        from signpost_frames.conditions import chosen, conditions, order

        shown = chosen(values["column"], dtypes)
        where = conditions(values["where"], dtypes)
        by = order(query.sort, dtypes) if query.sort else []
        with self.table(row) as table:
            found = table.page(
                shown,
                where,
                by,
                start=query.after[1] if query.after else 0,
                skip=query.limit * (query.page - 1) if query.page else 0,
                limit=query.limit,
                count=query.total,
            )
        return paged(found.frame, values, found.next, found.total)


@expose(
    ns,
    "/<id:id>/describe",
    get={"id": "describeFrame", "expect": [columns_asked], **_answers(statistics)},
)
class FrameStatistics(_OfTable):
    def get(self, id: int) -> Any:
        """Describe the columns of a frame"""
        wanted, row = columns_asked.parse_args()["column"], self.row(id)
        from signpost_frames.conditions import chosen

        about = {each["name"]: each for each in row.columns}
        with self.table(row) as table:
            said = table.describe(chosen(wanted, _dtypes(row)))
            return {"items": [{**about[name], **found} for name, found in said]}


@expose(
    ns,
    "/<id:id>/plot",
    get={
        "id": "plotFrame",
        "expect": [plot_asked],
        "produces": [*_FORMATS.values(), "application/problem+json"],
        **_answers(None),
    },
)
class FramePlot(_OfTable):
    def get(self, id: int) -> Response:
        """Draw a frame

        Lines and points show up to 10,000 rows, evenly picked; bars the 40 largest.
        """
        values, row = plot_asked.parse_args(), self.row(id)
        from signpost_frames.conditions import chosen
        from signpost_frames.plots import Plot, draw

        plot, dtypes = Plot(**values), _dtypes(row)
        for axis in ("x", "y"):
            chosen([values[axis]] if values[axis] else [], dtypes, axis)
        plot.check(dtypes)
        with self.table(row) as table:
            picture = draw(table.frame(plot.columns), plot)
        response = Response(picture, content_type=_FORMATS[plot.format])
        response.add_etag()
        response.make_conditional(request)
        return response


def routes() -> Namespace:
    """Return the namespace, with these routes and those of resource.py."""
    return ns


def _dtypes(row: Any) -> dict[str, str]:
    return {each["name"]: each["dtype"] for each in row.columns}
