"""Comments, likes and follows that are imported: found again, counted, or refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Follow, Like, Post
from tests.services.worlds import ADA, DAY, NOTE, faults, imported, rows

BOB: dict[str, Any] = {"type": "user", "username": "bob", "email": "bob@example.com"}
SAID: dict[str, Any] = {
    "type": "comment",
    "post": "note",
    "author": "bob",
    "body": "So it is.",
    "created_at": DAY,
}
LIKED = {"type": "like", "post": "note", "user": "bob", "at": DAY}
FOLLOWED = {"type": "follow", "user": "bob", "follows": "Ada", "at": DAY}
PUBLIC = NOTE | {"status": "published", "published_at": DAY}


class TestTalk:
    def test_is_stored_and_counted(self, engine: sa.Engine, session: Session) -> None:
        answer = SAID | {"author": "ada", "answers": {"author": "bob", "created_at": DAY}}

        report, refused = imported(
            engine, [ADA, BOB, PUBLIC, SAID, SAID | {"nth": 2}, answer, LIKED, FOLLOWED], batch=4
        )

        assert refused == []
        assert report.outcomes == {"created": 8}
        first, second, reply = rows(session, Comment)
        assert (first.parent_id, second.parent_id, reply.parent_id) == (None, None, first.id)
        [post] = rows(session, Post)
        assert (post.comments_count, post.likes_count) == (3, 1)
        assert len(rows(session, Follow)) == 1

    def test_once_more_changes_nothing(self, engine: sa.Engine, session: Session) -> None:
        records = [ADA, BOB, PUBLIC, SAID, LIKED, FOLLOWED]
        imported(engine, records)

        report, refused = imported(engine, records, batch=2)

        assert (refused, report.outcomes) == ([], {"unchanged": 6})
        [post] = rows(session, Post)
        assert (post.comments_count, post.likes_count) == (1, 1)

    @pytest.mark.parametrize(
        ("policy", "outcome", "body"),
        [
            ("refuse", "refused", "So it is."),
            ("skip", "skipped", "So it is."),
            ("update", "updated", "No."),
        ],
    )
    def test_with_other_contents(
        self, engine: sa.Engine, session: Session, policy: Any, outcome: str, body: str
    ) -> None:
        imported(engine, [ADA, BOB, PUBLIC, SAID])

        records = [ADA, BOB, PUBLIC, SAID | {"body": "No."}]
        report, _ = imported(engine, records, on_conflict=policy)

        assert report.outcomes == {"unchanged": 3, outcome: 1}
        assert [comment.body for comment in rows(session, Comment)] == [body]

    def test_in_a_dry_run_stores_nothing(self, engine: sa.Engine, session: Session) -> None:
        answer = SAID | {"nth": 2, "answers": {"author": "bob", "created_at": DAY}}
        records = [ADA, BOB, PUBLIC, SAID, answer, LIKED, FOLLOWED]
        for given in ([], records[:3]):
            imported(engine, given)
            report, refused = imported(engine, records, dry_run=True, batch=3)
            assert refused == []
            assert report.outcomes["created"] >= 4
            assert rows(session, Comment) == rows(session, Like) == rows(session, Follow) == []

    @pytest.mark.parametrize(
        ("record", "fault"),
        [
            (SAID | {"author": "nobody"}, ("author", "not-found")),
            (SAID | {"post": "other"}, ("post", "not-found")),
            (SAID | {"answers": {"author": "ada", "created_at": DAY}}, ("answers", "not-found")),
            (SAID | {"deleted_with": "post"}, ("deleted_with", "conflict")),
            (SAID | {"deleted_by": "ada"}, ("deleted_by", "conflict")),
            (SAID | {"deleted_by": "nobody"}, ("deleted_by", "not-found")),
            (SAID | {"body": ""}, ("body", "too_short")),
            (LIKED | {"user": "nobody"}, ("user", "not-found")),
            (LIKED | {"post": "other"}, ("post", "not-found")),
            (FOLLOWED | {"follows": "BOB"}, ("follows", "conflict")),
            (FOLLOWED | {"follows": "nobody"}, ("follows", "not-found")),
        ],
    )
    def test_of_what_cannot_be(
        self, engine: sa.Engine, session: Session, record: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        _, refused = imported(engine, [ADA, BOB, PUBLIC, record])

        assert faults(refused) == [(4, *fault)]
        assert rows(session, Comment) == rows(session, Like) == rows(session, Follow) == []
        assert rows(session, Post)[0].comments_count == 0
