"""What an import makes of the lines of exports, of rehearsals and of anything at all."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Change, Post, Revision, User
from services.errors import Fault, Unavailable
from services.transaction import transact
from services.transfer import Line, Options, Refusal, Unusable, import_records
from tests import factories
from tests.services.worlds import (
    ADA,
    DAY,
    HEADER,
    KEPT,
    NOTE,
    REVISION,
    SHAPES,
    exported,
    faults,
    imported,
    rows,
)


class TestRevision:
    def test_tells_who_made_it_and_when(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, KEPT, REVISION])
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
        _, refused = imported(engine, [ADA, KEPT, REVISION | more])
        assert (3, *wrong) in faults(refused)
        assert [each.type for each in rows(session, Revision)] == ["users"]

    def test_of_a_refused_post(self, engine: sa.Engine, session: Session) -> None:
        _, refused = imported(engine, [ADA, NOTE, KEPT | {"title": ""}, REVISION])
        assert faults(refused) == [(3, "title", "too_short"), (4, "post", "not-found")]

    def test_is_never_rewritten(self, engine: sa.Engine, session: Session) -> None:
        # given
        imported(engine, [ADA, KEPT, REVISION])
        other = REVISION | {"contents": REVISION["contents"] | {"title": "Forged"}}
        # when
        _, refused = imported(engine, [KEPT, other])
        # then
        assert faults(refused) == [(2, "contents", "conflict")]
        assert {each.snapshot.get("title") for each in rows(session, Revision)} == {None, "Draft"}


class TestDryRun:
    def test_stores_nothing_and_finds_what_an_import_would(
        self, engine: sa.Engine, session: Session
    ) -> None:
        # given
        lines = [
            *[ADA, NOTE, NOTE, NOTE | {"title": "Other"}, NOTE | {"author": "bob"}],
            *[ADA | {"username": "bob"}, {"type": "user"}],
            *[REVISION, KEPT | {"slug": "b"}],
            REVISION | {"post": "b"},
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
        [({}, "required"), ({"type": "page"}, "choice"), ({"type": 1}, "choice")],
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

    @pytest.mark.parametrize("more", [{"version": 3}, {"format": "other"}])
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
    kept = KEPT
    record = dict(chance.choice([bob, NOTE, trashed, kept, REVISION, ADA]))
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
