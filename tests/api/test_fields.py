"""Shapes: what they refuse when they are declared, what they check, what they say in Swagger."""

from __future__ import annotations

from typing import Any

import pytest
from flask_restx import Namespace
from flask_restx import fields as restx

from api import fields
from api.input import check_body
from api.output import plan
from api.patterns import pattern_of
from services.errors import Invalid

ns = Namespace("test")
post = fields.shape(
    ns,
    "Post",
    id=fields.Integer(readonly=True, required=True),
    title=fields.String(required=True, min_length=1, max_length=200),
    body=fields.String(multiline=True, max_length=100),
    excerpt=fields.String(max_length=500, resettable=True, default=""),
    status=fields.String(enum=["draft", "published"]),
    published_at=fields.DateTime(nullable=True),
    tags=fields.List(fields.String(kind="tag"), max_items=20, resettable=True, default=[]),
    pinned=fields.Boolean(),
    rank=fields.Integer(min=1, max=9),
    extra=fields.Raw(),
)


class TestShapes:
    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "title", "required"),
            ({"title": ""}, "title", "too_short"),
            ({"title": "x" * 201}, "title", "too_long"),
            ({"title": None}, "title", "null"),
            ({"title": ["x"]}, "title", "type"),
            ({"id": 1}, "id", "read_only"),
            ({"role": "admin"}, "role", "unknown"),
            ({"__class__": 1}, "__class__", "unknown"),
            ({"body": None}, "body", "null"),
            ({"excerpt": None}, "excerpt", "null"),
            ({"status": "gone"}, "status", "choice"),
            ({"published_at": "soon"}, "published_at", "format"),
            ({"tags": ["a"] * 21}, "tags", "too_many"),
            ({"tags": ["a", ""]}, "tags.1", "too_short"),
            ({"pinned": 1}, "pinned", "type"),
            ({"rank": True}, "rank", "type"),
            ({"rank": 1.0}, "rank", "type"),
            ({"rank": 10}, "rank", "too_large"),
            ({"extra": {"a": ["\0"]}}, "extra.a.0", "control_character"),
        ],
    )
    def test_a_fault(self, body: dict[str, Any], field: str, code: str) -> None:
        valid = {} if field == "title" else {"title": "Hi"}

        with pytest.raises(Invalid) as caught:
            check_body(post, {**valid, **body})

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [(field, code)]

    def test_a_patch_requires_nothing_and_resets_by_null(self) -> None:
        patch = fields.patch_of(ns, "PostPatch", post)

        assert check_body(patch, {}) == {}
        cleaned = check_body(patch, {"published_at": None, "excerpt": None, "tags": None})
        assert cleaned == {"published_at": None, "excerpt": "", "tags": []}
        assert cleaned["tags"] is not post["tags"].default
        with pytest.raises(Invalid):
            check_body(patch, {"title": None})

    def test_a_patch_leaves_the_shape_it_is_made_of_alone(self) -> None:
        before = post.__schema__

        fields.patch_of(ns, "AnotherPatch", post)

        assert post.__schema__ == before
        with pytest.raises(Invalid):
            check_body(post, {})

    def test_members_that_are_shown_only_are_told_from_unknown_ones(self) -> None:
        shape = fields.shape(ns, "TitleInput", title=post["title"])
        shape.read_only = frozenset({"status"})

        with pytest.raises(Invalid) as caught:
            check_body(shape, {"title": "Hi", "status": "draft", "x": 1})

        assert [fault.code for fault in caught.value.faults] == ["read_only", "unknown"]

    @pytest.mark.parametrize(
        "field", [fields.String, restx.String(), restx.Wildcard(restx.String), "x"]
    )
    def test_declares_instances_of_our_fields_only(self, field: Any) -> None:
        with pytest.raises(TypeError):
            fields.shape(ns, "Bad", x=field)
        with pytest.raises(TypeError):
            fields.List(field)
        with pytest.raises(TypeError):
            check_body(ns.model("Bad", {"x": field}), {})

    def test_refuses_misspelt_options_and_inherited_shapes(self) -> None:
        with pytest.raises(TypeError):
            fields.String(max_lenght=5)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            check_body(ns.inherit("Child", post, {"x": fields.Raw()}), {})


class TestSchema:
    def test_null_is_said_by_an_extension(self) -> None:
        inner = fields.shape(ns, "Inner", a=fields.Integer())
        schemas = [
            fields.String(nullable=True).__schema__,
            fields.String(nullable=True, enum=["a"]).__schema__,
            fields.Nested(inner, nullable=True).__schema__,
            fields.Nested(inner).__schema__,
        ]

        assert schemas == [
            {"type": "string", "pattern": pattern_of("line"), "x-nullable": True},
            {"type": "string", "enum": ["a", None], "example": "a", "x-nullable": True},
            {"allOf": [{"$ref": "#/definitions/Inner"}], "x-nullable": True},
            {"$ref": "#/definitions/Inner"},
        ]

    def test_says_what_is_checked(self) -> None:
        slug, email = fields.String(kind="slug").__schema__, fields.String(kind="email").__schema__

        assert slug["pattern"] == "^(?:[a-z0-9]+(-[a-z0-9]+)*)$"
        assert (slug["minLength"], slug["maxLength"]) == (1, 200)
        assert email["format"] == "email"
        assert fields.Integer(readonly=True).__schema__["readOnly"] is True

    def test_a_number_is_checked_and_shown_within_its_bounds(self) -> None:
        shape = fields.shape(ns, "Measure", x=fields.Float(min=0.5))

        assert fields.Float(min=0.5).__schema__ == {"type": "number", "minimum": 0.5}
        assert check_body(shape, {"x": 1.5}) == {"x": 1.5}
        with pytest.raises(Invalid):
            check_body(shape, {"x": 0.25})
        assert plan(shape)({"x": 1}) == {"x": 1.0}

    def test_a_patch_says_that_null_resets(self) -> None:
        patch = fields.patch_of(ns, "SchemaPatch", post)

        assert "required" not in patch.__schema__
        assert patch["excerpt"].__schema__["x-nullable"] is True
        assert "x-nullable" not in post["excerpt"].__schema__
