"""What a resource declares: its service, its shapes, and what its lists can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from flask_restx import Model
from flask_restx.reqparse import RequestParser

from api import arguments, query
from api.pagination import DEEPEST
from services.actor import Actor
from services.base import Service

_SEARCH = (
    "Words, all of which must be there, whatever their case and accents; no operators. Without"
    " `sort` the best come first and the list ends after 1,000."
)


@dataclass(frozen=True)
class ByRole:
    """The shape of a body of which admins may set more; the specs show theirs."""

    admins: Model
    others: Model


#: The shape of a body: one for all, or one by role.
Shape: TypeAlias = "Model | ByRole"


def shape_for(actor: Actor | None, shape: Shape) -> Model:
    """Return what ``actor`` may send."""
    if isinstance(shape, ByRole):
        return shape.admins if actor and actor.is_at_least("admin") else shape.others
    return shape


def declared(shape: Shape | None) -> Shape:
    """Return ``shape`` of a verb that exists, and so has one."""
    if shape is None:
        raise TypeError("this verb has no shape")
    return shape


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One resource: everything that ``Collection`` and ``Item`` need to know of it.

    Args:
        name: singular noun, for summaries and operation ids.
        service: its rules.
        output: what is shown, and what the specs say is shown.
        view: (caller, row or None in a list) → the part of ``output`` that this caller sees.
        create, replace, patch: what POST, PUT and PATCH read; a verb without one doesn't exist.
        filters: query parameter → options of ``RequestParser.add_argument``.
        anonymous: writing verbs that need nobody signed in.
    """

    name: str
    service: type[Service[Any]]
    output: Model
    view: Callable[[Actor | None, Any], Model] | None = None
    create: Shape | None = None
    replace: Shape | None = None
    patch: Shape | None = None
    filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    anonymous: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Tell the shapes what is shown but not written: such a field is ``read_only`` there."""
        for shape in (self.create, self.replace, self.patch):
            for model in (shape.admins, shape.others) if isinstance(shape, ByRole) else (shape,):
                if model is not None:
                    model.read_only = frozenset(self.output) - frozenset(model)

    @cached_property
    def list_parser(self) -> RequestParser:
        """The query string of a list."""
        parser = arguments.parser()
        add = parser.add_argument
        add("limit", arguments.Whole(1, 100), default=20, help="Items a page.")
        add("cursor", arguments.Cursor(), help="`next` of the page before.")
        add(
            "page",
            arguments.Whole(1, DEEPEST, "Follow the cursor in `next` to go deeper."),
            help="Page by number, from 1, for tables in a UI; down to row 10,000.",
        )
        add("total", arguments.flag, default=False, help="Count all matches.")
        usual = self.service.default_sort
        help = "Order; `-` for descending. Ties are broken by id."
        if self.service.searched:
            add("q", arguments.Words(), help=_SEARCH)
            help += f" Without it: `{usual}`, with `q` the best first."
        add(
            "sort",
            arguments.sort(*self.service.sorts),
            default=None if self.service.searched else usual,
            help=help,
        )
        for name, options in self.filters.items():
            add(name, **options)
        return with_fields(parser, self.output)

    @cached_property
    def item_parser(self) -> RequestParser:
        """The query string of an item."""
        return with_fields(arguments.parser(), self.output)

    @cached_property
    def read_list_query(self) -> Callable[[], dict[str, Any]]:
        """Parse the query string of a list; ``sort`` is None for the best first."""
        read, usual = query.compile(self.list_parser), self.service.default_sort

        def parse() -> dict[str, Any]:
            values = read()
            return values if values.get("q") else {**values, "sort": values["sort"] or usual}

        return parse

    @cached_property
    def read_item_query(self) -> Callable[[], dict[str, Any]]:
        """Parse the query string of an item."""
        return query.compile(self.item_parser)

    def shown_to(self, actor: Actor | None, row: Any) -> Model:
        """Return the shape in which ``actor`` sees ``row`` (None: any row of a list)."""
        return self.view(actor, row) if self.view else self.output


def with_fields(parser: RequestParser, *shapes: Model) -> RequestParser:
    """Add the mask, of any of these shapes, to a query string."""
    parser.add_argument(
        "fields",
        arguments.Mask(shapes=shapes),
        help="Members to show, others are absent: `id,title,author{name}`; also as `X-Fields`.",
    )
    return parser
