"""``flask documents import``: files of the disk become documents, within the rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from config import Config
from models import Change, File, User
from signpost.contract import make_user

DOCUMENTS = "/api/documents"


def run(app: Flask, *arguments: object) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(args=["documents", "import", *map(str, arguments)])


@pytest.fixture
def admin(session: Session) -> User:
    """Whose the documents are unless said."""
    return make_user(session, "admin", role="admin")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A document on the disk."""
    path = tmp_path / "my labels.json"
    path.write_bytes(b'{"0": "cat"}')
    return path


class TestImport:
    def test_stores_copies(self, app: Flask, session: Session, admin: User, labels: Path) -> None:
        # given
        other = labels.with_name("b.json")
        other.write_bytes(b"[1]")
        # when
        done = run(app, labels, other)
        labels.write_bytes(b"changed")
        # then
        assert (done.exit_code, done.stdout) == (0, "mylabels.json\nb.json\n"), done.output
        client = app.test_client()
        answer = client.get(f"{DOCUMENTS}/mylabels.json").get_json()
        assert answer == {"STATUS": "true", "LABELS_MAPPING": {"0": "cat"}}
        assert client.get(f"{DOCUMENTS}/b.json").get_json()["LABELS_MAPPING"] == [1]
        assert str(labels.parent) not in repr(session.execute(sa.select(File.__table__)).all())

    def test_under_a_prefix_for_an_owner(self, app: Flask, session: Session, labels: Path) -> None:
        # given
        ada = make_user(session, "ada")
        # when
        done = run(app, "--owner", "ADA", "--prefix", "2026-", labels)
        # then
        assert (done.exit_code, done.stdout) == (0, "2026-mylabels.json\n"), done.output
        (file,) = session.scalars(sa.select(File))
        assert (file.author_id, file.visibility) == (ada.id, "public")
        (change,) = session.scalars(sa.select(Change).where(Change.type == "files"))
        assert (change.actor_id, change.via, change.op) == (ada.id, "command", "create")

    def test_keeps_the_good_ones(
        self, app: Flask, session: Session, admin: User, labels: Path
    ) -> None:
        # given
        broken, empty = labels.with_name("broken.json"), labels.with_name("empty.json")
        broken.write_bytes(b"{")
        empty.write_bytes(b"")
        # when
        done = run(app, broken, labels, empty)
        # then
        assert (done.exit_code, done.stdout) == (1, "mylabels.json\n")
        assert f"{broken}: " in done.stderr
        assert f"{empty}: " in done.stderr
        assert list(session.scalars(sa.select(File.name))) == ["mylabels.json"]

    def test_stops_at_what_the_owner_may_store(
        self, make_app: object, config: Config, session: Session, admin: User, labels: Path
    ) -> None:
        # given
        app: Flask = make_app(replace(config, QUOTA_BYTES=5, MAX_FILE_BYTES=5))  # type: ignore[operator]
        # when
        done = run(app, labels)
        # then
        assert done.exit_code == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(File)) == 0

    @pytest.mark.parametrize("role", [None, "reader"])
    def test_for_who_may_not_have_files(
        self, app: Flask, session: Session, labels: Path, role: str | None
    ) -> None:
        # given
        if role:
            make_user(session, "eve", role=role)
        # when
        done = run(app, "--owner", "eve", labels)
        # then
        assert done.exit_code == 1
        assert done.stdout == ""
        assert session.scalar(sa.select(sa.func.count()).select_from(File)) == 0

    def test_of_what_is_no_file(self, app: Flask, admin: User, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "nothing.json"):
            assert run(app, path).exit_code == 2
