"""Compiled plans give what RESTX's marshal gives, masks only ever take away, JSON is ours."""

from __future__ import annotations

import itertools
import json
import math
import random
import uuid
from collections import namedtuple
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask_restx import Model, Namespace, marshal

from api import fields, output
from api.output import dumps, masked, plan
from services.errors import Invalid

MOMENT = datetime(2026, 11, 20, 6, 45, 0, 123_456, UTC)
ns = Namespace("test")
author = fields.shape(
    ns,
    "Author",
    id=fields.Integer(attribute="author_id"),
    username=fields.String(attribute="author_name"),
)
comment = fields.shape(ns, "Comment", id=fields.Integer(), body=fields.String())
post = fields.shape(
    ns,
    "Post",
    id=fields.Integer(),
    title=fields.String(),
    tags=fields.List(fields.String()),
    pinned=fields.Boolean(),
    created_at=fields.DateTime(),
    author=fields.Inline(author),
    comments=fields.List(fields.Nested(comment)),
    first=fields.Nested(comment),
)
ROW = {
    "id": 1,
    "title": "Hi",
    "tags": ["a", "b"],
    "pinned": False,
    "created_at": MOMENT,
    "author_id": 7,
    "author_name": "ada",
    "password_hash": "secret",
    "comments": [{"id": 3, "body": "x", "secret": 1}],
    "first": None,
}
SHOWN = {
    "id": 1,
    "title": "Hi",
    "tags": ["a", "b"],
    "pinned": False,
    "created_at": "2026-11-20T06:45:00.123Z",
    "author": {"id": 7, "username": "ada"},
    "comments": [{"id": 3, "body": "x"}],
    "first": None,
}


Point = namedtuple("Point", "x")


class Colour(StrEnum):
    RED = "red"


class TestPlan:
    def test_shows_what_is_declared_in_its_order(self) -> None:
        shown = plan(post)(ROW)

        assert shown == SHOWN
        assert list(shown) == list(post)

    def test_reads_objects(self) -> None:
        assert plan(post)(SimpleNamespace(**ROW)) == SHOWN

    def test_reads_rows_of_a_query(self) -> None:
        statement = sa.select(
            *(
                sa.literal(value).label(name)
                for name, value in ROW.items()
                if name in ("id", "title")
            ),
            sa.literal(7).label("author_id"),
            sa.literal("ada").label("author_name"),
        )
        names = {name: post[name] for name in ("id", "title", "author")}
        shape = fields.shape(ns, "RowPost", **names)

        with sa.create_engine("sqlite://").connect() as connection:
            row = connection.execute(statement).one()

        expected = {"id": 1, "title": "Hi", "author": {"id": 7, "username": "ada"}}
        assert plan(shape)(row) == plan(shape)(row._mapping) == expected

    def test_is_compiled_once(self) -> None:
        assert plan(post) is plan(post)

    def test_what_a_row_does_not_have_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            plan(post)({})
        with pytest.raises(AttributeError):
            plan(post)(SimpleNamespace())

    def test_an_inline_is_null_only_if_it_may_be(self) -> None:
        empty = {"author_id": None, "author_name": None}
        always = fields.shape(ns, "Always", author=fields.Inline(author))
        never = fields.shape(ns, "Never", author=fields.Inline(author, nullable=True))

        assert plan(always)(empty) == {"author": {"id": None, "username": None}}
        assert plan(never)(empty) == {"author": None}
        assert plan(never)({**empty, "author_id": 0}) == {"author": {"id": 0, "username": None}}

    def test_a_dotted_attribute_is_null_as_soon_as_a_part_is(self) -> None:
        shape = fields.shape(ns, "Dotted", name=fields.String(attribute="post.author.name"))
        found = {"post": SimpleNamespace(author={"name": "ada"})}

        assert plan(shape)(found) == {"name": "ada"}
        assert plan(shape)({"post": SimpleNamespace(author=None)}) == {"name": None}

    def test_a_class_of_ones_own_formats_as_it_says(self) -> None:
        class Loud(fields.String):
            def format(self, value: object) -> str:
                return str(value).upper()

        class Fixed(fields.String):
            def output(self, key: str, obj: object, **_: Any) -> str:
                return f"{key}!"

        shape = fields.shape(ns, "Own", a=Loud(), b=fields.List(Loud()), c=Fixed())

        assert plan(shape)({"a": "x", "b": ["y"]}) == {"a": "X", "b": ["Y"], "c": "c!"}

    @pytest.mark.parametrize(
        "attribute", ["a b", "a[0]", "a()", "", "a.", "a or 1", "__import__('os')"]
    )
    def test_an_attribute_is_a_name_and_no_code(self, attribute: str) -> None:
        shape = fields.shape(ns, "Code", a=fields.String(attribute=attribute or " "))

        with pytest.raises(TypeError):
            plan(shape)

    def test_refuses_inherited_shapes_and_lists_of_inlines(self) -> None:
        with pytest.raises(TypeError):
            plan(ns.inherit("Child", post, {}))
        with pytest.raises(TypeError):
            fields.List(fields.Inline(author))


class TestPlanAgainstMarshal:
    """Random shapes and rows; RESTX has the last word on what is to come out."""

    numbers = itertools.count()

    @pytest.mark.parametrize("seed", range(60))
    def test_agrees(self, seed: int) -> None:
        chance = random.Random(seed)
        shape = self.shape(chance, 2)
        for _ in range(10):
            row = self.row(chance, shape)
            expected = json.loads(json.dumps(marshal(row, shape)))
            thing = json.loads(dumps(plan(shape)(self.as_object(row))))

            assert json.loads(dumps(plan(shape)(row))) == expected
            assert thing == expected

    def shape(self, chance: random.Random, depth: int) -> Model:
        number = next(self.numbers)
        members = {
            f"f{number}_{n}": self.field(chance, depth, f"a{number}_{n}")
            for n in range(chance.randint(1, 6))
        }
        return fields.shape(ns, f"Random{number}", **members)

    def field(self, chance: random.Random, depth: int, attribute: str) -> Any:
        options: dict[str, Any] = {"attribute": attribute} if chance.random() < 0.3 else {}
        if depth and chance.random() < 0.5:
            inner = self.shape(chance, depth - 1)
            if chance.random() < 0.3:
                return fields.Inline(inner, nullable=chance.random() < 0.5)
            if chance.random() < 0.5:
                return fields.Nested(inner, **options)
            return fields.List(fields.Nested(inner), **options)
        kind, default = chance.choice(
            [
                *((fields.String, default) for default in ("", "x")),
                *((fields.Integer, default) for default in (0, 3)),
                *((fields.Boolean, True), (fields.Raw, 1), (fields.DateTime, MOMENT)),
            ]
        )
        if chance.random() < 0.3:
            options["default"] = default
        if chance.random() < 0.2:
            return fields.List(
                kind(), **({**options, "default": []} if "default" in options else options)
            )
        return kind(**options)

    def row(self, chance: random.Random, shape: Model) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, field in shape.items():
            if isinstance(field, fields.Inline):
                row |= self.row(chance, field.model)
            else:
                row[field.attribute or name] = self.value(chance, field)
        return row

    def value(self, chance: random.Random, field: Any) -> Any:
        if chance.random() < 0.2:
            return None
        if isinstance(field, fields.List):
            values = [self.value(chance, field.container) for _ in range(chance.randint(0, 3))]
            return chance.choice([list, tuple])(value for value in values if value is not None)
        if isinstance(field, fields.Nested):
            return self.row(chance, field.model)
        if isinstance(field, fields.DateTime):
            zone = timezone(timedelta(minutes=chance.randint(-1400, 1400)))
            moment = MOMENT + timedelta(milliseconds=chance.randint(-(10**9), 10**9))
            return chance.choice([moment, moment.astimezone(zone), moment.replace(microsecond=0)])
        if isinstance(field, fields.Integer):
            return chance.choice([0, -5, 2**53, "12", True, 3.7])
        return chance.choice(["", "text", "\xe9\U0001f600", 0, 5, True, False, 1.5, Colour.RED])

    def as_object(self, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        return SimpleNamespace(**{name: self.as_object(value) for name, value in row.items()})


class TestMasked:
    @pytest.mark.parametrize(
        ("mask", "expected"),
        [
            ("id", {"id": 1}),
            ("title,id", {"id": 1, "title": "Hi"}),
            ("{id, title}", {"id": 1, "title": "Hi"}),
            ("author{username}", {"author": {"username": "ada"}}),
            ("author", {"author": SHOWN["author"]}),
            ("author{*}", {"author": SHOWN["author"]}),
            ("comments{id},first{id}", {"comments": [{"id": 3}], "first": None}),
            ("*", SHOWN),
            ("*,author{id}", {**SHOWN, "author": {"id": 7}}),
            ("author{id},*", {**SHOWN, "author": {"id": 7}}),
            (" { id , author { id } } ", {"id": 1, "author": {"id": 7}}),
            ("id,id", {"id": 1}),
        ],
    )
    def test_leaves_what_is_named(self, mask: str, expected: Any) -> None:
        assert masked(post, mask)(ROW) == expected
        assert list(masked(post, mask)(ROW)) == [name for name in post if name in expected]

    @pytest.mark.parametrize(
        ("mask", "code"),
        [
            *((mask, "unknown") for mask in ("password_hash", "nope", "__class__", "author_id")),
            *(
                (mask, "unknown")
                for mask in ("author{password_hash}", "*,password_hash", "author{author{id}}")
            ),
            *(
                (mask, "format")
                for mask in ("", " ", "{}", ",", "id,", ",id", "id,,title", "id title")
            ),
            *(
                (mask, "format")
                for mask in ("{id", "id}", "author{id", "author{}", "id{x}", "{{id}}")
            ),
            *(
                (mask, "format")
                for mask in ("{id},{title}", "author{id}{id}", "*{id}", "id;title", "\xe9")
            ),
            *((mask, "format") for mask in ("author.id", "id\0", "{" * 1000, "{author{" * 250)),
            ("a" * 2001, "too_long"),
        ],
    )
    def test_is_refused(self, mask: str, code: str) -> None:
        with pytest.raises(Invalid) as caught:
            masked(post, mask)

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [("fields", code)]

    def test_hidden_and_unknown_names_are_told_alike(self) -> None:
        refusals = []
        for mask in ("password_hash", "no_such_thing"):
            with pytest.raises(Invalid) as caught:
                masked(post, mask)
            refusals.append((caught.value.public_message, caught.value.faults))

        assert refusals[0] == refusals[1]

    def test_equal_wishes_share_a_plan_and_few_are_kept(self) -> None:
        assert masked(post, "id,title") is masked(post, "{title, id}")
        names = list(post)
        for chosen in itertools.product([True, False], repeat=len(names)):
            if any(chosen):
                wanted = [n for n, yes in zip(names, chosen, strict=True) if yes]
                masked(post, ",".join(wanted))

        assert output._masked.cache_info().maxsize == output.MAX_MASKED == 256


class TestDumps:
    def test_times_have_our_form_wherever_they_stand(self) -> None:
        zone = timezone(timedelta(hours=2))
        data = {"a": MOMENT, "b": [MOMENT.astimezone(zone), MOMENT.replace(microsecond=0)]}

        expected = b'{"a":"2026-11-20T06:45:00.123Z","b":["2026-11-20T06:45:00.123Z",'
        assert dumps(data) == expected + b'"2026-11-20T06:45:00.000Z"]}'

    def test_other_types_of_databases(self) -> None:
        data = [Decimal(3), Decimal("2.5"), uuid.UUID(int=1), math.nan, Colour.RED, "\xe9"]

        assert json.loads(dumps(data)) == [3, 2.5, str(uuid.UUID(int=1)), None, "red", "\xe9"]

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"x", Point(object())])
    def test_what_has_no_json_form(self, value: Any) -> None:
        with pytest.raises(TypeError):
            dumps(value)
