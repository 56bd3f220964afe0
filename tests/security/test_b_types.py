"""Section B: every value has the type that it is declared with, once, or is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.answers import code, data, faults
from tests.factories import PASSWORD
from tests.security.surface import FORM, JSON, JSON_PATCH, Operation, kinds, sent

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from models import User
    from tests.security.conftest import Locate, Stored

#: Stands in what is sent, and so must not stand in what is answered.
ECHO = "zq-echo"
#: A value of each type, and what databases and languages make queries and objects of.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    1e300,
    "",
    ECHO,
    [],
    {},
    [ECHO],
    [[]],
    [None],
    [{}],
    [1, ECHO],
    {"$ne": ECHO},
    {"$gt": ""},
    {"": ""},
    {"zq": ECHO},
    {"length": 9, "0": ECHO},
    {"__class__": {"__init__": ECHO}},
)
#: What an id is not, made of one that is: ``posts/123abc``.
NO_ID = (
    *("{}abc", "{}%20", "%20{}", "{}.0", "{}.json", "{},{}", "{};{}", "[{}]", "{{{}}}", '"{}"'),
    *("+{}", "-{}", "0{}", "00{}", "{}e0", "{}_0", "{}%00", "{}%0A", "{}'", "{}%2F{}"),
    *("0x{}", "{}L", "{}n", "%EF%BC%91{}", "{}%D9%A1", "null", "undefined", "NaN", "true", "*"),
    *("%D9%A1", "%F0%9D%9F%99", "%C2%B2", "Me", "ME", "self", "0", "-1", "~", "%2E", "1.5"),
)


def types_of(value: Any) -> set[str]:
    """Return the JSON types that ``value`` has."""
    if value is None:
        return {"null"}
    kind = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return {kind.get(type(value), "object")}


def wrong_for(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Give values that are not of the declared type, or not of the declared items."""
    allowed = set(kinds(schema))
    for value in VALUES:
        if not types_of(value) & allowed:
            yield value
        elif isinstance(value, list) and value and "items" in schema:
            items = set(kinds(schema["items"]))
            if any(not types_of(item) & items for item in value):
                yield value


class TestCase017:
    """One address, not a list of them."""

    def test_case_017_several_addresses_at_once(
        self, client: FlaskClient, victim: User, stored: Stored
    ) -> None:
        before = stored()
        for addresses in (
            [victim.email, "me@example.org"],
            ["me@example.org"],
            {"0": victim.email},
            f"{victim.email},me@example.org",
            f"{victim.email};me@example.org",
            f"{victim.email} me@example.org",
            f"{victim.email}\nbcc: me@example.org",
            f"{victim.email}%0abcc:me@example.org",
            f"me@example.org <{victim.email}>",
        ):
            new = {"username": "eve", "email": addresses, "password": PASSWORD}
            answer = client.post("/api/v1/users", json=new)
            assert faults(answer).keys() == {"email"}, addresses
            assert victim.email not in answer.text
        assert stored() == before

    def test_case_017_several_names_to_sign_in(
        self, client: FlaskClient, victim: User, stored: Stored
    ) -> None:
        before = stored()["sessions"]
        grant = {"grant_type": "password", "username": victim.username, "password": PASSWORD}
        for name in ("username", "password"):
            for value in ([grant[name], "x"], [grant[name]], {"$ne": ""}):
                answer = client.post("/api/v1/auth/token", json=grant | {name: value})
                assert faults(answer) == {name: "type"}
            form = urlencode([*grant.items(), (name, grant[name])])
            answer = client.post("/api/v1/auth/token", data=form, content_type=FORM)
            assert faults(answer) == {name: "repeated"}
        assert stored()["sessions"] == before


class TestCase018:
    """The path names the object, and names it in one way."""

    def test_case_018_what_merely_begins_as_an_id(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before, wrong = stored(), {}
        for operation in surface:
            if "id" not in operation.variables:
                continue
            id = existing(operation).removeprefix(operation.path.split("{id}")[0]).split("/")[0]
            for spelling in NO_ID:
                url = operation.url(id=spelling.format(id.split("/")[-1], id.split("/")[-1]))
                answer = callers["admin"].open(url, method=operation.method)
                if answer.status_code != 404 or code(answer) != "not-found":
                    wrong[str(operation), url] = answer.text
        assert wrong == {}
        assert stored() == before

    def test_case_018_another_id_in_the_query(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        ada: User,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            url = f"{existing(operation)}?id={ada.id}"
            arguments = next(sent(operation, operation.valid()), {})
            answer = callers["admin"].open(url, method=operation.method, **arguments)
            assert faults(answer) == {"id": "unknown"}, operation
        assert stored() == before


class TestCase019:
    """What is said twice is refused, also if it is said the same way."""

    def test_case_019_parameters_given_twice(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            for name, schema in operation.query.items():
                times = 51 if schema.get("type") == "array" and name == "tag" else 2
                for values in (["1"] * times, ["1", *["1000"] * (times - 1)]):
                    query = "&".join(f"{name}={value}" for value in values)
                    answer = callers["admin"].open(
                        f"{existing(operation)}?{query}", method=operation.method
                    )
                    assert faults(answer)[name] in {"repeated", "too_many"}, (operation, query)
        assert stored() == before

    def test_case_019_members_of_the_body_in_the_query(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            for name in set(operation.body or ()) - set(operation.query):
                for arguments in sent(operation, operation.valid()):
                    url = f"{existing(operation)}?{name}=x"
                    answer = callers["admin"].open(url, method=operation.method, **arguments)
                    assert faults(answer)[name] == "unknown", operation
        assert stored() == before


class TestCase020:
    """A name twice in one object is a fault: two readers would read two things."""

    @pytest.mark.parametrize("second", ["role", "r\\u006fle"])
    def test_case_020_a_role_twice(self, client: FlaskClient, stored: Stored, second: str) -> None:
        new = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
        text = json.dumps(new)[:-1] + f', "role": "author", "{second}": "admin"}}'
        answer = client.post("/api/v1/users", data=text, content_type=JSON)
        assert code(answer) == "malformed-json"
        assert stored()["users"] == []

    def test_case_020_every_member_of_every_body(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            for name in operation.body or ():
                for text in (
                    f'{{"{name}": 1, "{name}": 1}}',
                    f'{{"x": {{"{name}": 1, "{name}": 2}}}}',
                    f'[{{"op": "test", "op": "replace", "path": "/{name}", "value": 1}}]',
                ):
                    kind = JSON_PATCH if text[0] == "[" and JSON_PATCH in operation.types else JSON
                    answer = callers["admin"].open(
                        existing(operation), method=operation.method, data=text, content_type=kind
                    )
                    assert code(answer) == "malformed-json", (operation, text)
        assert stored() == before


class TestCase021:
    """Another type is a fault of the field, never an error of the service."""

    def test_case_021_every_field(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before, wrong = stored(), {}
        for operation in surface:
            for name, schema in (operation.body or {}).items():
                for value in wrong_for(schema):
                    for arguments in sent(operation, operation.valid() | {name: value}):
                        answer = callers["admin"].open(
                            existing(operation), method=operation.method, **arguments
                        )
                        fields = {each.split(".")[0] for each in faults(answer)}
                        if fields != {name} or ECHO in answer.text:
                            wrong[str(operation), name, str(value)] = answer.text
        assert wrong == {}
        assert stored() == before

    def test_case_021_the_body_as_a_whole(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            for value in VALUES:
                for kind in operation.types if operation.body is not None else ():
                    if kind.startswith("multipart/"):
                        continue  # its parts have cases of their own, 98 and 117
                    answer = callers["admin"].open(
                        existing(operation),
                        method=operation.method,
                        data=json.dumps(value),
                        content_type=kind,
                    )
                    nothing: Any = [] if kind == JSON_PATCH else None if operation.required else {}
                    if value is not None and value == nothing:
                        assert data(answer)["version"] == 1
                    else:
                        assert code(answer) in {"validation", "malformed-json"}, (operation, value)
                        assert answer.text.count(ECHO) == 0
        assert stored() == before

    def test_case_021_no_pointer_and_no_operation(
        self, callers: dict[str, FlaskClient], stored: Stored
    ) -> None:
        before = stored()
        for member in ("op", "path", "from", "value"):
            for value in VALUES:
                operation = {"op": "replace", "path": "/bio", "value": "x"} | {member: value}
                fits = member == "from" or (member == "value" and types_of(value) & {"string"})
                if not fits and not (member == "value" and value is None):
                    answer = callers["admin"].patch(
                        "/api/v1/users/me", json=[operation], content_type=JSON_PATCH
                    )
                    assert code(answer) == "validation", operation
                    assert ECHO not in answer.text
        assert stored() == before
