"""Folders of Markdown: what generators write, what becomes of it, and what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from services.errors import Fault
from services.transfer import Line
from services.transfer.frontmatter import when
from services.transfer.markdown import MAX_FILE, MarkdownFolder


def write(folder: Path, name: str, text: str | bytes) -> None:
    """Make a file of a folder, and the folders above it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def only(folder: Path, author: str | None = "ada") -> Line:
    """Return the one line of a folder."""
    (line,) = MarkdownFolder(folder, author)
    return line


def post(folder: Path, text: str, name: str = "a.md") -> dict[str, Any]:
    """Return what becomes of one file."""
    write(folder, name, text)
    record = only(folder).record
    assert isinstance(record, dict), record
    return record


def fault(folder: Path) -> tuple[str, int, str]:
    """Return source, line and code of the one refusal."""
    line = only(folder)
    assert isinstance(line.record, Fault), line
    return line.source, line.number, line.record.code


class TestFields:
    def test_of_jekyll(self, tmp_path: Path) -> None:
        # given
        text = (
            "---\nlayout: post\ntitle: Hello\ncategories: [News]\ntags: [a, News]\n"
            "author: grace\nexcerpt: Short.\n---\n\nThe *body*.\n"
        )
        # when
        record = post(tmp_path, text, "_posts/2024-03-01-hello-world.md")
        # then
        assert record == {
            "type": "post",
            "title": "Hello",
            "slug": "hello-world",
            "author": "grace",
            "excerpt": "Short.",
            "published_at": "2024-03-01T00:00:00.000Z",
            "status": "published",
            "tags": ["a", "News"],
            "body": "The *body*.",
        }

    def test_of_hugo(self, tmp_path: Path) -> None:
        text = '+++\ntitle = "Hi"\ndate = 2024-03-01T10:00:00+02:00\ndraft = true\n+++\nBody'
        record = post(tmp_path, text, "content/posts/my-bundle/index.md")
        assert (record["title"], record["slug"], record["status"]) == ("Hi", "my-bundle", "draft")
        assert record["published_at"] == "2024-03-01T10:00:00.000+02:00"

    def test_of_eleventy(self, tmp_path: Path) -> None:
        record = post(tmp_path, "---\ntags: one, two words\ndescription: Text.\n---\nBody")
        assert record["tags"] == ["one", "two words"]
        assert record["excerpt"] == "Text."

    def test_without_front_matter(self, tmp_path: Path) -> None:
        record = post(tmp_path, "Just text.\n---\nMore.\n", "my-first_note.md")
        assert record["title"] == "My first note"
        assert record["slug"] == "my-first-note"
        assert record["body"] == "Just text.\n---\nMore."
        assert record["author"] == "ada"

    def test_numbers_and_words_stay_as_written(self, tmp_path: Path) -> None:
        record = post(tmp_path, "---\ntitle: 010\nexcerpt: No\ntags: [1.10, on]\n---\nx")
        assert (record["title"], record["excerpt"], record["tags"]) == ("010", "No", ["1.10", "on"])

    @pytest.mark.parametrize(
        ("written", "status"),
        [
            ("draft: true", "draft"),
            ("draft: yes", "draft"),
            ("draft: false", "published"),
            ("published: false", "draft"),
            ("status: archived", "archived"),
            ("status: Publish", "published"),
            ("status: lost", "lost"),
        ],
    )
    def test_status(self, tmp_path: Path, written: str, status: str) -> None:
        assert post(tmp_path, f"---\n{written}\n---\nx")["status"] == status

    def test_of_a_folder_of_drafts(self, tmp_path: Path) -> None:
        assert post(tmp_path, "x", "_drafts/a.md")["status"] == "draft"

    def test_author_is_left_out_where_nobody_is_named(self, tmp_path: Path) -> None:
        write(tmp_path, "a.md", "x")
        record = only(tmp_path, author=None).record
        assert isinstance(record, dict)
        assert "author" not in record

    def test_what_is_not_understood_stays_for_validation(self, tmp_path: Path) -> None:
        record = post(tmp_path, "---\ndate: soon\ntitle: {a: b}\ntags: [[x]]\n---\n")
        assert (record["published_at"], record["title"], record["tags"]) == ("soon", {}, [{}])
        assert record["body"] == ""

    @pytest.mark.parametrize(
        ("written", "moment"),
        [
            ("2024-01-02", "2024-01-02T00:00:00.000Z"),
            ("2024-01-02 10:00:00", "2024-01-02T10:00:00.000Z"),
            ("2024-01-02 10:00:00 +0200", "2024-01-02T10:00:00.000+02:00"),
            ("2024-01-02 10:00 UTC", "2024-01-02T10:00:00.000Z"),
            ("2024-13-01", "2024-13-01"),
        ],
    )
    def test_times_without_a_zone_are_in_utc(self, written: str, moment: str) -> None:
        assert when(written) == moment


class TestFolder:
    def test_files_come_in_order_and_others_stay_out(self, tmp_path: Path) -> None:
        for name in ("b.md", "a.MARKDOWN", "c/d.md", ".git/e.md", ".f.md", "g.txt", "_index.md"):
            write(tmp_path, name, "---\nlayout: x\n---\nx")
        folder = MarkdownFolder(tmp_path, "ada")
        assert [line.source for line in folder] == ["a.MARKDOWN", "b.md", "c/d.md"]
        assert folder.left_out == {"field layout": 3, "section pages (_index.md)": 1}

    def test_the_second_of_two_slugs_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path, "a.md", "x")
        write(tmp_path, "b.md", "---\nslug: a\n---\nx")
        first, second = MarkdownFolder(tmp_path, "ada")
        assert isinstance(first.record, dict)
        assert isinstance(second.record, Fault)
        assert (second.source, second.record.code) == ("b.md", "taken")


class TestRefusal:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("---\na: &a [x]\nb: *a\n---\n", 3),
            ("---\na: 1\nb: 2\na: 3\n---\n", 4),
            ("---\na: !!python/object/apply:os.system [id]\n---\n", 2),
            ("---\na: !!bool maybe\n---\n", 1),
            ("---\na: [\n---\n", 3),
            ("---\n- a\n---\n", 1),
            ("---\n? [a]\n: b\n---\n", 2),
            ("---\ntitle: x\n", 1),
            ("---\na: \x00\n---\n", 1),
            ("+++\na = 1\na = 2\n+++\n", 3),
            ("---\n" + "a: b\n" * 10_000 + "---\n", 1),
            (b"---\ntitle: x\n---\n\xff\xfe", 4),
            ("---\n---\nx".encode("utf-16"), 1),
        ],
        ids=[
            *("an alias", "a repeated name", "a Python object", "no truth", "open brackets"),
            *("a list", "a name that is a list", "no end", "a NUL", "a repeated name in TOML"),
            *("a long one", "not UTF-8", "UTF-16"),
        ],
    )
    def test_names_the_line(self, tmp_path: Path, text: str | bytes, number: int) -> None:
        write(tmp_path, "a.md", text)
        assert fault(tmp_path) == ("a.md", number, "format")

    @pytest.mark.parametrize(
        "text",
        [
            "---\na: " + "[" * 32_000 + "\n---\n",
            "---\n" + "- " * 16_000 + "\n---\n",
            "---\n" + "{" * 32_000 + "\n---\n",
            "+++\na = " + "[" * 32_000 + "\n+++\n",
            "---\na: &a [x,x]\n" + "b: [*a,*a]\n" * 2_000 + "---\n",
        ],
        ids=["flows", "blocks", "mappings", "TOML", "a billion laughs"],
    )
    def test_of_what_is_made_to_be_expensive(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, "a.md", text)
        started = time.process_time()
        assert fault(tmp_path)[2] == "format"
        assert time.process_time() - started < 5

    def test_of_a_huge_file(self, tmp_path: Path) -> None:
        write(tmp_path, "a.md", b"a" * (MAX_FILE + 1))
        assert fault(tmp_path) == ("a.md", 1, "too_long")

    def test_of_a_link_out_of_the_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "secret", "root:x")
        (tmp_path / "in").mkdir()
        (tmp_path / "in/a.md").symlink_to(tmp_path / "secret")
        assert fault(tmp_path / "in") == ("a.md", 1, "format")

    def test_of_a_linked_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "out/a.md", "x")
        (tmp_path / "in").mkdir()
        (tmp_path / "in/linked").symlink_to(tmp_path / "out")
        folder = MarkdownFolder(tmp_path / "in", "ada")
        assert list(folder) == []
        assert folder.left_out == {"linked folders": 1}

    def test_of_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.md")
        assert fault(tmp_path) == ("a.md", 1, "format")

    def test_of_a_name_that_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / os.fsdecode(b"\xff\x1b.md")).write_text("x")
        assert only(tmp_path).source == "\ufffd\ufffd.md"
