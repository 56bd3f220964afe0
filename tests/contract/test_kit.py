"""The kit for authors, in a package of its own: it passes what is right and names what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.loading import GROUP
from tests import packages
from tests.servers import ROOT

#: An extension with a resource of its own, by the book.
NOTES = '''
"""Notes: what notes tells is in its README."""

import sqlalchemy as sa
from signpost import (
    Collection, Item, Namespace, Resource, Spec, expose, fields, models, patch_of, services
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

ns = Namespace("Notes", description="What people note.")


class Note(models.Versioned, models.SoftDeletable, models.base_of("notes")):
    __tablename__ = "notes_notes"
    __table_args__ = (sa.Index(None, "created_at", "id"), models.base_of("notes").__table_args__)

    id: Mapped[models.PrimaryKey]
    author_id: Mapped[int] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    title: Mapped[str]

    author: Mapped[models.User] = relationship(lazy="raise")


class NoteService(services.Authored[Note]):
    model = Note
    type = "notes"
    sorts = {"created_at": services.Sort(Note.created_at)}
    default_sort = "created_at"
    history = ("title",)


title = fields.String(required=True, max_length=200, example="Milk")
note = ns.model("Note", {
    "id": fields.Integer(required=True, readonly=True, example=42),
    "title": title,
    "version": fields.Integer(required=True, readonly=True),
    "created_at": fields.DateTime(required=True, readonly=True),
    "updated_at": fields.DateTime(required=True, readonly=True),
})
given = ns.model("NoteInput", {"title": title})
spec = Spec(name="note", service=NoteService, output=note, create=given, replace=given,
            patch=patch_of(ns, "NotePatch", given))


@expose(ns, "/notes")
class NoteCollection(Collection):
    spec = spec


@expose(ns, "/notes/<id:id>")
class NoteItem(Item):
    spec = spec


@ns.route("/count")
class Count(Resource):
    access = {"GET": "reader"}

    def get(self):
        """Tell a number"""
        return {"count": 1}


def create():
    return ns
'''
STEP = '''"""Notes."""

import sqlalchemy as sa
from alembic import op

from migrations.columns import Moment, Number

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table(
        "notes_notes",
        sa.Column("id", Number, nullable=False),
        sa.Column("author_id", Number, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment),
        sa.Column("deletion_id", Number),
        sa.PrimaryKeyConstraint("id", name="pk_notes_notes"),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], "fk_notes_notes_author_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deletion_id"], ["deletions.id"], "fk_notes_notes_deletion_id", ondelete="RESTRICT"
        ),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notes_notes_author_id", "notes_notes", ["author_id"])
    op.create_index("ix_notes_notes_deletion_id", "notes_notes", ["deletion_id"])
    op.create_index("ix_notes_notes_created_at_id", "notes_notes", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("notes_notes")
'''
#: One in which everything is wrong that the kit looks for outside of resources.
WRONG = '''
from dataclasses import dataclass

from flask import request
from signpost import Namespace, Resource, models, setting
from sqlalchemy.orm import Mapped


@dataclass(frozen=True)
class Settings:
    LENGTH: int = setting(3, "How long it is.")


ns = Namespace("Wrong", description="Wrong.", settings=Settings)


class Thing(models.base_of("wrong")):
    __tablename__ = "wrong_things"
    id: Mapped[models.PrimaryKey]


@ns.errorhandler(ZeroDivisionError)
def telling(error):
    return {"said": str(error)}, 500


@ns.route("/undeclared")
class Undeclared(Resource):
    @ns.doc(params={"size": {"in": "query", "required": True}})
    def get(self):
        """Say what goes on and on although nobody has ever asked for so much"""
        return {}

    def post(self):
        return {"said": request.get_json()["said"]}


def create():
    return ns
'''
FAILS = {
    "test_every_route_says_who_may_call_it",
    "test_is_summed_up",
    "test_has_an_example_of_what_its_url_needs",
    "test_every_example_works_on_a_fresh_service",
    "test_its_settings_stand_in_its_readme",
    "test_its_models_and_migrations_agree",
    "test_its_migrations_can_be_taken_back",
    "test_what_is_no_body_is_a_problem",
    "test_a_mistake_of_the_code_tells_nothing",
}
TESTS = """
from signpost.contract import Contract


class TestNotes(Contract):
    extension = "notes"


class TestWrong(Contract):
    extension = "wrong"


class TestDiffering(Contract):
    extension = "wrong"

    def test_is_summed_up(self, client):
        "It has much to say."
        told = client.get("/api/v1/openapi.json").get_json()["paths"]["/wrong/undeclared"]
        assert len(told["get"]["summary"]) > 60


def test_fixtures(client, sign_in, session):
    assert client.get("/api/notes/count").status_code == 401
    assert sign_in("reader").get("/api/notes/count").get_json() == {"count": 1}
    assert session.connection()
"""
RESULT = re.compile(r"^(PASSED|FAILED|ERROR) \S+?::(?:(\w+)::)?(\w+)", re.M)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], set[str]]:
    """Return class and result → tests, of a run beside nothing of ours."""
    folder: Path = tmp_path_factory.mktemp("foreign")
    for name, code in (("notes", NOTES), ("wrong", WRONG)):
        packages.install(folder, name, code, {GROUP: {name: "create"}})
    (folder / "notes-1.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: notes\nVersion: 1.2\n\nAll about notes.\n"
    )
    steps = folder / "migrations" / "notes"
    steps.mkdir(parents=True)
    (steps / "0001_notes.py").write_text(STEP)
    (folder / "test_contract.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-Werror", "--database", "sqlite"]
    done = subprocess.run(
        [*command, "--show-capture=no", "--tb=no", "test_contract.py"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[tuple[str, str], set[str]] = {}
    for result, cls, test in RESULT.findall(done.stdout):
        found.setdefault((cls, result), set()).add(test)
    assert found, done.stdout[-3000:] + done.stderr[-3000:]
    return found


Results = dict[tuple[str, str], set[str]]


class TestContract:
    def test_of_what_is_right_holds(self, results: Results) -> None:
        assert {("TestNotes", "FAILED"), ("TestNotes", "ERROR")} & results.keys() == set()
        assert len(results["TestNotes", "PASSED"]) > 40
        assert "test_it_can_be_removed_for_good" in results["TestNotes", "PASSED"]

    def test_of_what_is_wrong_fails_by_name(self, results: Results) -> None:
        assert results["TestWrong", "FAILED"] == FAILS
        assert ("TestWrong", "ERROR") not in results

    def test_is_written_anew_where_an_extension_differs(self, results: Results) -> None:
        assert "test_is_summed_up" in results["TestDiffering", "PASSED"]
        assert results["TestDiffering", "FAILED"] == FAILS - {"test_is_summed_up"}

    def test_has_fixtures_for_other_tests(self, results: Results) -> None:
        assert results["", "PASSED"] == {"test_fixtures"}


def test_the_service_runs_without_pytest() -> None:
    script = "import sys, signpost, api.serve, api.app; print('pytest' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
