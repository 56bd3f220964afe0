"""Every operation of the core is explained, and works: signpost/contract/documented.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api.problems import CODES
from signpost.contract import documented
from signpost.contract.documented import Operation
from tests.factories import make_user

#: In this order, whatever stands between them.
FIRST = ("Posts", "Users", "Trash")


class TestOperation(documented.Documented):
    def test_is_explained(self, operations: list[Operation]) -> None:
        for each in operations:
            summary, description = each.told["summary"], each.told.get("description", "")
            assert 5 <= len(summary) <= 60, each.id
            assert not summary.endswith("."), each.id
            assert description.endswith("."), each.id
            assert "{" not in summary + description, each.id

    def test_is_in_one_group_that_is_explained(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        groups = [each["name"] for each in document["tags"]]
        assert [each for each in groups if each in FIRST] == [*FIRST]
        assert all(each["description"] for each in document["tags"])
        for each in operations:
            (group,) = each.told["tags"]
            assert group in groups, each.id

    def test_stands_where_one_looks_for_it(self, operations: list[Operation]) -> None:
        names = [each.id for each in operations]
        posts = ["listPosts", "createPost", "getPost", "replacePost", "patchPost", "deletePost"]
        assert names[:6] == posts

    def test_shows_each_error_that_it_answers(
        self, document: dict[str, Any], operations: list[Operation]
    ) -> None:
        problems = document["components"]["examples"]
        assert list(problems) == list(CODES)
        for each in operations:
            answers = each.told["responses"]
            assert {"400", "500", "503", "default"} <= set(answers), each.id
            for status, answer in answers.items():
                if status >= "400":
                    (content,) = answer["content"].values()
                    assert content["examples"], (each.id, status)
                    for code, shown in content["examples"].items():
                        assert shown == {"$ref": f"#/components/examples/{code}"}
                        assert status in ("default", str(CODES[code].status)), (each.id, code)

    def test_names_codes_only_where_they_belong(self, operations: list[Operation]) -> None:
        by_name = {each.id: each for each in operations}
        conflict = by_name["createPost"].told["responses"]["409"]["content"]
        assert list(conflict["application/problem+json"]["examples"]) == ["conflict", "slug-taken"]


class TestPressed(documented.Pressed):
    before = {"getDeletion": "deletePost"}
    last = ("purgeItem", "deleteSession")

    def test_creating_a_post_works_as_often_as_one_likes(
        self,
        sign_in: Callable[[Any], FlaskClient],
        session: Session,
        document: dict[str, Any],
        operations: list[Operation],
    ) -> None:
        client = sign_in(make_user(session, role="admin"))
        (create,) = (each for each in operations if each.id == "createPost")
        statuses = [
            self.press(client, document, create, "application/json").status_code for _ in range(3)
        ]
        assert statuses == [201, 201, 201]
        assert session.scalar(sa.text("SELECT count(*) FROM posts")) == 3
