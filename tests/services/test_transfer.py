"""What an import makes of lines that people wrote, and of those that it has to refuse."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, Deletion, Post, PostSlug, PostTag, Revision, User
from services import passwords
from services.actor import Actor
from services.changes import ChangeService
from services.posts import PostService
from services.transaction import reading, transact
from services.trash import TrashService
from tests import factories
from tests.services.worlds import (
    ADA,
    ADMIN,
    DAY,
    NOTE,
    exported,
    faults,
    imported,
    rows,
)


class TestUser:
    def test_of_few_fields_gets_the_defaults(self, engine: sa.Engine, session: Session) -> None:
        # when
        report, refused = imported(engine, [ADA])
        # then
        assert refused == []
        assert report.is_whole
        [ada] = rows(session, User)
        assert (ada.username, ada.username_key, ada.role, ada.status) == (
            *("Ada", "ada", "author", "active"),
        )
        assert not passwords.verify(ada.password_hash, "")
        assert not passwords.verify(ada.password_hash, "!")
        [revision] = rows(session, Revision)
        assert (revision.version, revision.snapshot["username"]) == (1, "Ada")

    def test_signs_in_with_the_password_of_the_line(
        self, engine: sa.Engine, session: Session
    ) -> None:
        imported(engine, [ADA | {"password": factories.PASSWORD}])
        assert passwords.verify(rows(session, User)[0].password_hash, factories.PASSWORD)

    def test_signs_in_with_the_hash_of_the_line(self, engine: sa.Engine, session: Session) -> None:
        imported(engine, [ADA | {"password_hash": factories.PASSWORD_HASH}])
        assert passwords.verify(rows(session, User)[0].password_hash, factories.PASSWORD)

    @pytest.mark.parametrize(
        "hash",
        [
            "!",
            "secret",
            "$2b$12$abcdefghijklmnopqrstuv",
            factories.PASSWORD_HASH.replace("argon2id", "argon2i"),
            factories.PASSWORD_HASH.replace("m=19456", "m=9999999"),
            factories.PASSWORD_HASH.replace("t=3", "t=999"),
            factories.PASSWORD_HASH + "\n",
        ],
    )
    def test_with_a_hash_that_no_sign_in_could_bear(self, engine: sa.Engine, hash: str) -> None:
        _, refused = imported(engine, [ADA | {"password_hash": hash}])
        assert faults(refused) == [(1, "password_hash", "format")]

    def test_keeps_the_password_that_it_has(self, engine: sa.Engine, session: Session) -> None:
        # given
        imported(engine, [ADA | {"password_hash": factories.PASSWORD_HASH}])
        # when
        report, _ = imported(engine, [ADA | {"password": "another one entirely"}])
        # then
        assert report.outcomes == {"unchanged": 1}
        assert passwords.verify(rows(session, User)[0].password_hash, factories.PASSWORD)

    def test_of_a_taken_email(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, ADA | {"username": "bob"}])
        assert faults(refused) == [(2, "email", "taken")]
        assert len(rows(session, User)) == 1

    def test_lists_all_that_is_wrong(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(
            engine, [{"type": "user", "username": "a b", "email": "x", "id": 1, "role": "god"}]
        )
        assert sorted(faults(refused)) == [
            (1, "email", "too_short"),
            (1, "id", "unknown"),
            (1, "role", "choice"),
            (1, "username", "format"),
        ]
        assert rows(session, User) == []


class TestPost:
    def test_is_rendered_sanitised_tagged_and_found(
        self, engine: sa.Engine, session: Session
    ) -> None:
        # when
        body = "*Hi* <script>alert(1)</script>"
        line = NOTE | {"body": body, "tags": ["One", "one", "Zwei"], "status": "published"}
        imported(engine, [ADA, line])
        # then
        [note] = rows(session, Post)
        assert note.html == "<p><em>Hi</em> </p>\n"
        assert note.tags == ["One", "Zwei"]
        assert sorted(tag.key for tag in rows(session, PostTag)) == ["one", "zwei"]
        assert note.published_at is not None
        [change] = (change for change in rows(session, Change) if change.type == "posts")
        assert (change.op, change.was, change.now, change.via) == ("create", 0, 2, "command")
        with reading(session):
            page = ChangeService(session, None).page(None)
        assert {(item.type, item.op) for item in page.items} >= {("posts", "upsert")}

    def test_of_nobody(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [NOTE, ADA])
        assert faults(refused) == [(1, "author", "not-found")]
        assert rows(session, Post) == []

    def test_of_somebody_in_the_trash(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA | {"deleted_at": DAY}, NOTE])
        assert faults(refused) == [(2, "author", "not-found")]

    def test_without_a_slug_is_known_by_its_text(self, engine: sa.Engine, session: Session) -> None:
        # given
        one = {name: value for name, value in NOTE.items() if name != "slug"}
        lines = [ADA, one, one | {"body": "Another one"}, one]
        # when
        report, _ = imported(engine, lines)
        again, _ = imported(engine, lines)
        # then
        assert report.outcomes == {"created": 3, "unchanged": 1}
        assert again.outcomes == {"unchanged": 4}
        assert sorted(post.slug for post in rows(session, Post)) == ["note", "note-2"]

    @pytest.mark.parametrize("batch", [1, 200])
    def test_twice_with_other_contents(
        self, engine: sa.Engine, session: Session, batch: int
    ) -> None:
        report, refused = imported(
            engine, [ADA, NOTE, NOTE | {"title": "Other", "tags": ["x"]}, NOTE], batch=batch
        )
        assert faults(refused) == [(3, "tags", "conflict"), (3, "title", "conflict")]
        assert report.outcomes == {"created": 2, "refused": 1, "unchanged": 1}
        assert [post.title for post in rows(session, Post)] == ["Note"]

    def test_says_nothing_of_fields_that_it_leaves_out(
        self, engine: sa.Engine, session: Session
    ) -> None:
        imported(engine, [ADA, NOTE | {"tags": ["x"], "status": "published"}])
        report, _ = imported(engine, [NOTE])
        assert report.outcomes == {"unchanged": 1}

    def test_nested_too_deeply_disturbs_no_other(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, NOTE | {"slug": "deep", "body": ">" * 500}, NOTE])
        assert faults(refused) == [(2, "body", "format")]
        assert [post.slug for post in rows(session, Post)] == ["note"]

    def test_takes_former_slugs_over(self, engine: sa.Engine, session: Session) -> None:
        imported(engine, [ADA, NOTE | {"former_slugs": ["old", "older"]}])
        assert [slug.slug for slug in rows(session, PostSlug)] == ["old", "older"]

    @pytest.mark.parametrize(
        ("more", "wrong"),
        [
            ({"deleted_with_author": True, "created_at": DAY}, ("deleted_with_author", "conflict")),
            ({"deleted_at": DAY}, ("created_at", "required")),
            ({"deleted_by": "ada"}, ("deleted_by", "conflict")),
            (
                {"deleted_at": DAY, "created_at": DAY, "deleted_by": "nobody"},
                ("deleted_by", "not-found"),
            ),
        ],
    )
    def test_that_contradicts_itself(
        self, engine: sa.Engine, session: Session, more: dict[str, Any], wrong: tuple[str, str]
    ) -> None:
        _, refused = imported(engine, [ADA, NOTE | more])
        assert faults(refused) == [(2, *wrong)]
        assert rows(session, Post) == []


class TestTrash:
    def test_comes_back_as_if_it_was_deleted_here(
        self, engine: sa.Engine, session: Session
    ) -> None:
        # given
        gone = NOTE | {"deleted_with_author": True, "created_at": DAY, "status": "published"}
        imported(engine, [ADA | {"deleted_at": DAY}, gone, gone | {"slug": "other"}])
        [deletion] = rows(session, Deletion)
        assert (deletion.type, deletion.title, deletion.children_count) == ("users", "Ada", 2)
        service = TrashService(session, Actor(0, "admin"))
        # when
        transact(session, lambda: service.restore("users", deletion.item_id))
        # then
        assert {post.deleted_at for post in rows(session, Post)} == {None}
        restored = [change for change in rows(session, Change) if change.op == "restore"]
        assert len(restored) == 3

    def test_knows_who_deleted_whom(self, engine: sa.Engine, session: Session) -> None:
        bob = {"type": "user", "username": "bob", "email": "bob@example.com"}
        by = {"type": "deletion", "user": "ada", "by": "Bob"}
        report, refused = imported(engine, [ADA | {"deleted_at": DAY}, bob, by, by])
        assert refused == []
        assert report.outcomes == {"created": 3, "unchanged": 1}
        ids = {user.username: user.id for user in rows(session, User)}
        assert rows(session, Deletion)[0].deleted_by == ids["bob"]

    def test_tells_twins_apart(self, engine: sa.Engine, session: Session) -> None:
        # given
        twin = NOTE | {"deleted_at": DAY, "created_at": DAY}
        # when
        for batch in (1, 200, 1):
            imported(engine, [ADA, twin, twin], batch=batch)
        # then
        assert len(rows(session, Post)) == 2


class TestOnConflict:
    def test_skip_leaves_it_as_it_is(self, engine: sa.Engine, session: Session) -> None:
        imported(engine, [ADA, NOTE])
        report, refused = imported(engine, [NOTE | {"title": "Other"}], on_conflict="skip")
        assert refused == []
        assert report.outcomes == {"skipped": 1}
        assert rows(session, Post)[0].version == 1

    def test_update_changes_it_as_a_request_does(self, engine: sa.Engine, session: Session) -> None:
        # given
        imported(engine, [ADA, NOTE])
        lines = [ADA | {"name": "Ada L."}, NOTE | {"body": "**New**", "tags": ["x"]}]
        # when
        report, _ = imported(engine, lines, on_conflict="update")
        again, _ = imported(engine, lines, on_conflict="update")
        # then
        assert report.outcomes == {"updated": 2}
        assert again.outcomes == {"unchanged": 2}
        [note] = rows(session, Post)
        assert (note.version, note.html) == (2, "<p><strong>New</strong></p>\n")
        assert [change.op for change in rows(session, Change)].count("update") == 2
        assert len(rows(session, Revision)) == 4

    def test_update_gives_no_post_to_another_author(
        self, engine: sa.Engine, session: Session
    ) -> None:
        bob = {"type": "user", "username": "bob", "email": "bob@example.com"}
        imported(engine, [ADA, bob, NOTE])
        _, refused = imported(engine, [NOTE | {"author": "bob"}], on_conflict="update")
        assert faults(refused) == [(1, "author", "conflict")]

    def test_update_keeps_the_last_admin(self, engine: sa.Engine, session: Session) -> None:
        imported(engine, [ADA | {"role": "admin"}])
        report, refused = imported(engine, [NOTE, ADA | {"role": "reader"}], on_conflict="update")
        assert faults(refused) == [(2, "", "last-admin")]
        assert report.outcomes == {"created": 1, "refused": 1}
        assert rows(session, User)[0].role == "admin"


class TestExport:
    def test_has_neither_tokens_nor_ids(self, engine: sa.Engine, session: Session) -> None:
        ada = factories.make_user(session, "ada", token_version=987_654)
        factories.make_post(session, ada)
        text = exported(engine)
        assert b"987654" not in text
        assert b'"id"' not in text

    def test_asks_no_more_often_with_more_items_on_a_page(
        self, engine: sa.Engine, session: Session, count_queries: Any
    ) -> None:
        ada = factories.make_user(session, "ada")
        counts = []
        for _ in range(2):
            factories.make_post(session, ada)
            with count_queries() as queries:
                exported(engine)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_of_what_was_edited_here_tells_who_and_when(
        self, engine: sa.Engine, session: Session, ada: User
    ) -> None:
        # given
        post = factories.make_post(session, ada)
        service = PostService(session, Actor(ada.id, "author"))
        # when
        transact(session, lambda: service.patch(post.id, {"title": "New"}, None))
        # then
        assert exported(engine).count(b'"by":"ada"') == 1
        assert ADMIN.user_id is None
