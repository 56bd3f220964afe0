"""What ``--resource`` and a name may say."""

from __future__ import annotations

import pytest

from signpost.scaffold.declared import Field, NotDeclared, checked_name, resource_of


class TestName:
    @pytest.mark.parametrize("name", ["people", "hello_rest", "a1"])
    def test_that_fits(self, name: str) -> None:
        assert checked_name(name) == name

    @pytest.mark.parametrize(
        "name",
        ["", "People", "1st", "a-b", "a b", "_a", "ä", "a\n", "v1", "v27", "class", "a" * 41],
    )
    def test_that_does_not(self, name: str) -> None:
        with pytest.raises(NotDeclared):
            checked_name(name)


class TestResource:
    def test_has_fields_in_order(self) -> None:
        # when
        event = resource_of("event: title:str! starts_at:datetime notes:text")
        # then
        assert event.fields == (
            Field("title", "str", required=True),
            Field("starts_at", "datetime", required=False),
            Field("notes", "text", required=False),
        )

    @pytest.mark.parametrize(
        ("noun", "plural"),
        [("event", "events"), ("city", "cities"), ("day", "days"), ("box", "boxes")],
    )
    def test_is_many_in_urls(self, noun: str, plural: str) -> None:
        assert resource_of(f"{noun}: a:str").plural == plural

    @pytest.mark.parametrize(
        "text",
        [
            "event",
            "event:",
            "Event: title:str",
            "event: title",
            "event: title:string",
            "event: title:str!!",
            "event: title:str title:int",
            "event: id:int",
            "event: author:str",
            "event: sort:str",
            "event: class:str",
        ],
    )
    def test_that_cannot_be(self, text: str) -> None:
        with pytest.raises(NotDeclared):
            resource_of(text)
