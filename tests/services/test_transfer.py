"""What an import makes of lines that people wrote, and of those that it has to refuse."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, Deletion, Post, PostSlug, PostTag, Revision, User
from services import passwords
from services.actor import Actor
from services.changes import ChangeService
from services.errors import Fault, Unavailable
from services.posts import PostService
from services.transaction import reading, transact
from services.transfer import Line, Options, Refusal, Unusable, import_records
from services.trash import TrashService
from tests import factories
from tests.services.worlds import ADMIN, SHAPES, exported, faults, imported

ADA: dict[str, Any] = {"type": "user", "username": "Ada", "email": "ada@example.com"}
NOTE: dict[str, Any] = {
    "type": "post",
    "author": "ada",
    "slug": "note",
    "title": "Note",
    "body": "*Note*",
}
HEADER = {"type": "header", "format": "signpost", "version": 1}
DAY = "2026-01-02T03:04:05.678Z"


def rows(session: Session, model: type[Any]) -> list[Any]:
    """Return all rows of a table."""
    session.expunge_all()
    found = list(session.scalars(sa.select(model).order_by(*sa.inspect(model).primary_key)))
    session.expunge_all()  # before the rollback, after which they would be read anew
    session.rollback()
    return found


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


class TestRevision:
    REVISION = {
        "type": "revision",
        "post": "note",
        "version": 1,
        "at": DAY,
        "by": "ada",
        "contents": {
            "title": "Draft",
            "body": "Old",
            "slug": "note",
            "excerpt": "Old",
            "status": "draft",
            "published_at": None,
            "tags": [],
        },
    }
    KEPT = NOTE | {"version": 2, "has_revisions": True}

    def test_tells_who_made_it_and_when(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, self.KEPT, self.REVISION])
        assert refused == []
        [revision] = (each for each in rows(session, Revision) if each.type == "posts")
        assert revision.snapshot["title"] == "Draft"
        assert revision.made_by == rows(session, User)[0].id
        assert b'"at":"2026-01-02T03:04:05.678Z","by":"Ada"' in exported(engine)

    @pytest.mark.parametrize(
        ("more", "wrong"),
        [
            ({"post": "other"}, ("post", "not-found")),
            ({"by": "nobody"}, ("by", "not-found")),
            ({"version": 3}, ("version", "too_large")),
            ({"version": 0}, ("version", "too_small")),
            ({"user": "ada"}, ("user", "required")),
            ({"contents": {}}, ("contents.title", "required")),
            ({"contents": []}, ("contents", "type")),
        ],
    )
    def test_of_what_cannot_be(
        self, engine: sa.Engine, session: Session, more: dict[str, Any], wrong: tuple[str, str]
    ) -> None:
        _, refused = imported(engine, [ADA, self.KEPT, self.REVISION | more])
        assert (3, *wrong) in faults(refused)
        assert [each.type for each in rows(session, Revision)] == ["users"]

    def test_of_a_refused_post(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, NOTE, self.KEPT | {"title": ""}, self.REVISION])
        assert faults(refused) == [(3, "title", "too_short"), (4, "post", "not-found")]

    def test_is_never_rewritten(self, engine: sa.Engine, session: Session) -> None:
        # given
        imported(engine, [ADA, self.KEPT, self.REVISION])
        other = self.REVISION | {"contents": self.REVISION["contents"] | {"title": "Forged"}}  # type: ignore[operator]
        # when
        _, refused = imported(engine, [self.KEPT, other])
        # then
        assert faults(refused) == [(2, "contents", "conflict")]
        assert {each.snapshot.get("title") for each in rows(session, Revision)} == {None, "Draft"}


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


class TestDryRun:
    def test_stores_nothing_and_finds_what_an_import_would(
        self, engine: sa.Engine, session: Session
    ) -> None:
        # given
        lines = [
            *[ADA, NOTE, NOTE, NOTE | {"title": "Other"}, NOTE | {"author": "bob"}],
            *[ADA | {"username": "bob"}, {"type": "user"}],
            *[TestRevision.REVISION, TestRevision.KEPT | {"slug": "b"}],
            TestRevision.REVISION | {"post": "b"},
        ]
        # when
        report, refused = imported(engine, lines, dry_run=True, batch=2)
        # then
        assert rows(session, User) == rows(session, Post) == rows(session, Change) == []
        real, really = imported(engine, lines, batch=2)
        assert [each.number for each in refused] == [each.number for each in really]
        assert report.outcomes == real.outcomes

    def test_of_an_update(self, engine: sa.Engine, session: Session) -> None:
        imported(engine, [ADA, NOTE])
        report, _ = imported(
            engine, [NOTE | {"title": "Other"}], dry_run=True, on_conflict="update"
        )
        assert report.outcomes == {"updated": 1}
        assert rows(session, Post)[0].title == "Note"


class TestLines:
    def test_that_could_not_be_read_are_refused_with_their_fault(self, engine: sa.Engine) -> None:
        # given
        refused: list[Refusal] = []
        lines = [Line(7, "a", Fault("", "malformed-json", "No JSON.")), Line(8, "a", ADA)]
        # when
        report = import_records(engine, lines, Options(SHAPES, refused=refused.append))
        # then
        assert faults(refused) == [(7, "", "malformed-json")]
        assert report.outcomes == {"refused": 1, "created": 1}

    @pytest.mark.parametrize(
        ("record", "code"),
        [({}, "required"), ({"type": "comment"}, "choice"), ({"type": 1}, "choice")],
    )
    def test_of_no_known_type(self, engine: sa.Engine, record: dict[str, Any], code: str) -> None:
        assert faults(imported(engine, [record])[1]) == [(1, "type", code)]

    def test_that_are_cut_off_are_told_at_the_end(
        self, engine: sa.Engine, session: Session
    ) -> None:
        _, refused = imported(engine, [HEADER, ADA, NOTE])
        assert faults(refused) == [(3, "", "cut")]
        assert len(rows(session, Post)) == 1

    def test_of_which_some_are_missing(self, engine: sa.Engine) -> None:
        _, refused = imported(engine, [HEADER, ADA, {"type": "end", "records": 2}])
        assert faults(refused) == [(3, "records", "cut")]

    @pytest.mark.parametrize("more", [{"version": 2}, {"format": "other"}])
    def test_of_another_version(
        self, engine: sa.Engine, session: Session, more: dict[str, Any]
    ) -> None:
        with pytest.raises(Unusable):
            imported(engine, [HEADER | more, ADA])
        assert rows(session, User) == []

    def test_wait_for_a_database_that_is_busy(
        self, engine: sa.Engine, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        answers: list[Any] = [Unavailable(retry_after=3), transact]
        waited: list[int] = []

        def busy(session: Session, work: Any) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer(session, work)

        monkeypatch.setattr("services.transfer.importing.transact", busy)
        monkeypatch.setattr("services.transfer.importing.time.sleep", waited.append)
        # when
        report, _ = imported(engine, [ADA, NOTE])
        # then
        assert report.outcomes == {"created": 2}
        assert waited == [3]

    def test_that_disturb_each_other_are_stored_by_themselves(
        self, engine: sa.Engine, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        factories.make_user(session, "eve", email="taken@example.com")
        bob = {"type": "user", "username": "bob", "email": "taken@example.com"}
        # when
        monkeypatch.setattr("services.transfer.present.email_key", lambda email: "unseen")
        monkeypatch.setattr("services.transfer.admission.email_key", lambda email: f"no {email}")
        report, refused = imported(engine, [ADA, bob, NOTE])
        # then
        assert faults(refused) == [(2, "email", "taken")]
        assert report.outcomes == {"created": 2, "refused": 1}
        assert len(rows(session, Change)) == 2


class TestAnything:
    @pytest.mark.parametrize("seed", range(3))
    def test_is_stored_or_refused_and_never_breaks_it_off(
        self, engine: sa.Engine, session: Session, seed: int
    ) -> None:
        # given
        chance = random.Random(seed)
        lines = [ADA, *(_mutated(chance) for _ in range(300))]
        # when
        report, refused = imported(engine, lines, batch=chance.choice([1, 7, 200]))
        again, _ = imported(engine, lines)
        # then
        assert sum(report.outcomes.values()) == len(lines)
        assert report.outcomes["refused"] == len(refused) > 50
        assert report.outcomes["created"] > 10
        assert again.outcomes["created"] == 0
        assert len(rows(session, Change)) == len(rows(session, User)) + len(rows(session, Post))


def _mutated(chance: random.Random) -> dict[str, Any]:
    """Return a good line with something else in it."""
    bob = {"type": "user", "username": f"bob{chance.randint(1, 5)}", "email": "bob@example.com"}
    trashed = NOTE | {"created_at": DAY, "deleted_at": DAY}
    kept = TestRevision.KEPT
    record = dict(chance.choice([bob, NOTE, trashed, kept, TestRevision.REVISION, ADA]))
    names = [*record, "tags", "status", "name", "former_slugs", "version", "deleted_with_author"]
    odd: list[Any] = [
        None,
        True,
        -1,
        2**63,
        1.5,
        "",
        "x",
        "\ud800",
        "\0",
        [],
        ["a"],
        {},
        {"a": [1]},
    ]
    odd += [DAY, "ada", "note", "published", "9999-12-31T23:59:59Z", "x" * 300]
    for _ in range(chance.choice([0, 0, 1, 2])):
        record[chance.choice(names)] = chance.choice(odd)
    return record


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
