"""Section A: names and texts that a database would act on are names and texts; hidden is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.answers import code, faults, ids
from tests.security.surface import JSON_PATCH, Operation, sent, texts, uniform

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from models import Post, User
    from tests.security.conftest import Locate, Stored

#: What a mapper, an ORM session or a query builder would make something of.
INTERNALS = (
    "_connector",
    "_negated",
    "__class__",
    "__dict__",
    "author__password__startswith",
    "self",
    "actor",
    "actor_id",
    "item_id",
    "now",
    "offset",
    "after",
    "after_id",
    "any_of",
    "folded",
    "tag_0",
    "f_author_id",
    "metadata",
    "registry",
)
#: What SQL would make something of.
INJECTIONS = (
    "'",
    '"',
    "a'))--",
    "' OR '1'='1",
    "x' OR 1=1 --",
    "') UNION SELECT password_hash FROM users --",
    "id;select",
    "1;DROP TABLE users",
    "(CASE WHEN 1=1 THEN id ELSE title END)",
    "1) AND (SELECT pg_sleep(9)) IS NULL --",
    "%",
    "_",
    "%%",
    "\\",
    "\\'",
    "$1",
    ":actor_id",
    "%(actor_id)s",
    "{0}",
    "id->>'x'",
    "id desc nulls last",
)


class TestCase008:
    """Names that mean something to the ORM mean nothing to the service."""

    def test_case_008_in_queries(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        stored: Stored,
    ) -> None:
        before, wrong = stored(), {}
        for operation in surface:
            names = set(INTERNALS) - set(operation.query)
            url = f"{existing(operation)}?{urlencode(dict.fromkeys(names, 'OR'))}"
            arguments = next(sent(operation, operation.valid()), {})
            answer = callers["admin"].open(url, method=operation.method, **arguments)
            if answer.status_code != 400 or faults(answer) != dict.fromkeys(names, "unknown"):
                wrong[str(operation)] = answer.text
        assert wrong == {}
        assert stored() == before

    def test_case_008_in_bodies(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        ada: User,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in surface:
            for name in INTERNALS if operation.body is not None else ():
                body = operation.valid() | {name: "OR"}
                for arguments in sent(operation, body):
                    answer = callers["author"].open(
                        operation.url(id=ada.id), method=operation.method, **arguments
                    )
                    if answer.status_code != 404:
                        assert faults(answer)[name] == "unknown", (operation, answer.text)
        assert stored() == before


class TestCase009:
    """SQL is text like any other."""

    def test_case_009_in_queries(
        self,
        callers: dict[str, FlaskClient],
        surface: list[Operation],
        existing: Locate,
        draft: Post,
        stored: Stored,
    ) -> None:
        before = stored()
        for operation in filter(lambda each: each.is_list, surface):
            for name in operation.query:
                for text in INJECTIONS:
                    query = urlencode({name: text})
                    answer = callers["author"].get(f"{existing(operation)}?{query}")
                    if answer.status_code == 200:
                        assert texts(operation.query[name]) or name == "tag", (operation, query)
                        assert ids(answer) == [], (operation, query)
                    else:
                        assert code(answer) == "validation", (operation, query)
                    assert "zq-hidden" not in answer.text
        assert stored() == before

    def test_case_009_in_paths(
        self, callers: dict[str, FlaskClient], surface: list[Operation], stored: Stored
    ) -> None:
        before = stored()
        for operation in surface:
            for name in operation.variables:
                for text in INJECTIONS:
                    url = operation.url(**{name: urlencode({"": text})[1:]})
                    answer = callers["admin"].open(url, method=operation.method)
                    assert code(answer) == "not-found", (operation, text)
        assert stored() == before

    def test_case_009_in_bodies_it_is_kept_as_it_is(self, callers: dict[str, FlaskClient]) -> None:
        author = callers["author"]
        for text in INJECTIONS:
            written = {"title": text, "body": text, "excerpt": text, "tags": [text, "b"]}
            answer = author.post("/api/v1/posts", json=written | {"status": "published"})
            assert answer.status_code == 201, answer.text
            shown = author.get(answer.headers["Location"]).get_json()
            assert {name: shown[name] for name in written} == written
            assert ids(author.get("/api/v1/posts", query_string={"tag": text})) == [shown["id"]]
            assert author.get(f"/api/v1/posts/by-slug/{shown['slug']}").get_json()["title"] == text
            refused = author.post("/api/v1/posts", json=written | {"slug": text})
            assert faults(refused) == {"slug": "format"}

    def test_case_009_as_a_patch(self, callers: dict[str, FlaskClient], ada: User) -> None:
        for text in INJECTIONS:
            operations = [{"op": "replace", "path": f"/{text}", "value": 1}]
            answer = callers["author"].patch(
                f"/api/v1/users/{ada.id}", json=operations, content_type=JSON_PATCH
            )
            assert faults(answer) == {"0.path": "unknown"}, text


class TestCase012:
    """Whatever hangs below an object that one may not read is as absent as the object."""

    @pytest.mark.parametrize("role", ["anonymous", "author"])
    def test_case_012_nothing_below_a_hidden_object(
        self,
        callers: dict[str, FlaskClient],
        role: str,
        surface: list[Operation],
        hidden: dict[str, dict[str, object]],
        stored: Stored,
    ) -> None:
        before, wrong = stored(), {}
        for operation in surface:
            for noun, path in hidden.items():
                if not operation.path.startswith(f"/api/v1/{noun.split()[0]}/{{"):
                    continue
                arguments = next(sent(operation, {}), {})
                answers = [
                    callers[role].open(url, method=operation.method, **arguments)
                    for url in (operation.url(**path), operation.url())
                ]
                expected = {404} if callers[role] is not callers["anonymous"] else {404, 401}
                there, nowhere = map(uniform, answers)
                if there != nowhere or there[0] not in expected:
                    wrong[str(operation), noun] = answers[0].text
        assert wrong == {}
        assert stored() == before
