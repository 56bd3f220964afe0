"""``flask import --from``: folders of Markdown and WordPress exports, into both databases."""

from __future__ import annotations

from pathlib import Path

import click.testing
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from models import Post, User
from tests.api.importing import Run
from tests.wordpress import author, export, item


@pytest.fixture
def run(app: Flask) -> Run:
    """``run("--from", "markdown", folder)``: an import into the shared database."""

    def run(*arguments: object) -> click.testing.Result:
        return app.test_cli_runner().invoke(args=["import", *map(str, arguments)])

    return run


def posts(session: Session) -> dict[str, tuple[str, str]]:
    """Return slug → status and author of every post that is not in the trash."""
    session.expire_all()
    found = sa.select(Post.slug, Post.status, User.username).join(User, User.id == Post.author_id)
    rows = session.execute(found.where(Post.deleted_at.is_(None)))
    return {slug: (status, name) for slug, status, name in rows}


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """A folder of two good posts and four that are refused."""
    files = {
        "2024-01-02-one.md": "---\ntitle: One\ntags: [a]\n---\nText.",
        "two.md": "+++\ntitle = 'Two'\ndraft = true\nauthor = 'mallory'\n+++\nText.",
        "bad/empty.md": "---\ntitle: Empty\ndate: soon\nstatus: lost\n---\n",
        "bad/nobody.md": "---\nauthor: nobody\n---\nText.",
        "bad/tags.md": "---\ntags: [" + ",".join(f"t{n}" for n in range(21)) + "]\n---\nText.",
        "bad/yaml.md": "---\ntitle: a\ntitle: b\n---\nText.",
    }
    for name, text in files.items():
        path = tmp_path / "blog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "blog"


class TestMarkdown:
    def test_good_files_are_posts_and_others_are_told_with_all_faults(
        self, run: Run, blog: Path, session: Session, ada: User, mallory: User
    ) -> None:
        result = run("--from", "markdown", "--author", "ada", blog)
        assert result.exit_code == 1
        assert posts(session) == {"one": ("published", "ada"), "two": ("draft", "mallory")}
        assert "2 created" in result.stdout
        assert "4 refused" in result.stdout
        for line in ("published_at", "status", "body"):
            assert f"bad/empty.md, line 1: {line}: " in result.stderr
        assert "bad/nobody.md, line 1: author: " in result.stderr
        assert "bad/tags.md, line 1: tags: " in result.stderr
        assert "bad/yaml.md, line 3: file: " in result.stderr

    def test_a_second_run_changes_nothing(
        self, run: Run, blog: Path, session: Session, ada: User, mallory: User
    ) -> None:
        run("--from", "markdown", "--author", "ada", blog)
        before = session.execute(sa.select(Post.id, Post.version, Post.updated_at)).all()
        result = run("--from", "markdown", "--author", "ada", blog)
        session.expire_all()
        assert session.execute(sa.select(Post.id, Post.version, Post.updated_at)).all() == before
        assert "0 created, 0 updated, 2 unchanged" in result.stdout

    def test_a_file_is_no_folder(self, run: Run, blog: Path, session: Session) -> None:
        assert run("--from", "markdown", blog / "two.md").exit_code == 2
        assert run(blog).exit_code == 2
        assert posts(session) == {}


class TestWordPress:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """An export of two authors with five posts, of which one is refused, and a page."""
        path = tmp_path / "blog.xml"
        path.write_bytes(
            export(
                author("eve.w", "eve@example.org"),
                author("bo", "bo@example.org"),
                item(creator="eve.w", post_name="one"),
                item(creator="bo", post_name="two", status="private"),
                item(creator="bo", post_name="gone__trashed", status="trash"),
                item(creator="bo", post_name="later", status="future", content="x" * 500_000),
                item(creator="bo", post_name="", post_id="7", post_date_gmt="0000-00-00 00:00:00"),
                item(post_type="page"),
            )
        )
        return path

    def test_authors_and_posts_come_and_pages_do_not(
        self, run: Run, file: Path, session: Session
    ) -> None:
        result = run("--from", "wordpress", file)
        assert result.exit_code == 1
        assert posts(session) == {
            "one": ("published", "eve-w"),
            "two": ("draft", "bo-author"),
            "hello": ("published", "bo-author"),
        }
        assert "blog.xml, line 2: body: " in result.stderr
        assert "Left out: pages (1)." in result.stdout

    def test_what_was_in_the_trash_is_in_the_trash(
        self, run: Run, file: Path, session: Session
    ) -> None:
        run("--from", "wordpress", file)
        gone = session.scalars(sa.select(Post).where(Post.slug == "gone")).one()
        assert gone.deleted_at is not None

    def test_a_second_run_changes_nothing(self, run: Run, file: Path, session: Session) -> None:
        run("--from", "wordpress", file)
        result = run("--from", "wordpress", file)
        assert "0 created, 0 updated, 6 unchanged, 0 skipped, 1 refused" in result.stdout

    def test_nobody_can_sign_in_as_an_author_yet(
        self, run: Run, file: Path, app: Flask, session: Session
    ) -> None:
        run("--from", "wordpress", file)
        grant = {"grant_type": "password", "username": "eve-w", "password": ""}
        assert app.test_client().post("/api/v1/auth/token", json=grant).status_code == 400

    def test_an_entity_stores_nothing(self, run: Run, tmp_path: Path, session: Session) -> None:
        path = tmp_path / "evil.xml"
        path.write_bytes(b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + export(item()))
        result = run("--from", "wordpress", path)
        assert result.exit_code == 1
        assert "root:" not in result.output
        assert posts(session) == {}
