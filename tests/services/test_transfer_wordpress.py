"""WordPress exports: what becomes of their parts, and what is refused in constant memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from services.errors import Fault
from services.transfer.html import to_markdown, with_paragraphs
from services.transfer.wordpress import WordPressExport
from tests.wordpress import BEGIN, END, export, item


def read(folder: Path, parts: Iterable[bytes], author: str | None = None) -> WordPressExport:
    """Return the reader of an export."""
    path = folder / "blog.xml"
    with path.open("wb") as file:
        file.writelines(parts)
    return WordPressExport(path, author)


def post(folder: Path, **fields: str) -> dict[str, Any]:
    """Return what becomes of one item."""
    (line,) = read(folder, [export(item(**fields))])
    assert isinstance(line.record, dict), line
    return line.record


def fault(folder: Path, *parts: bytes) -> Fault:
    """Return what an export is refused for, after anything else in it."""
    *_, line = read(folder, parts)
    assert isinstance(line.record, Fault), line
    return line.record


class TestRecords:
    def test_of_an_author(self, tmp_path: Path) -> None:
        author = (
            "<wp:author><wp:author_login>john.doe</wp:author_login>"
            "<wp:author_email>john@example.org</wp:author_email>"
            "<wp:author_display_name><![CDATA[John &amp; Co]]></wp:author_display_name></wp:author>"
        )
        (line,) = read(tmp_path, [export(author)])
        assert line.record == {
            "type": "user",
            "username": "john-doe",
            "email": "john@example.org",
            "name": "John & Co",
        }

    def test_of_a_post(self, tmp_path: Path) -> None:
        record = post(tmp_path, title="Tea &amp; <em>milk</em>", post_name="tea")
        assert record == {
            "type": "post",
            "slug": "tea",
            "author": "ada",
            "title": "Tea & milk",
            "body": "Some **bold** text.",
            "status": "published",
            "tags": ["News"],
            "published_at": "2010-01-01T09:00:00.000Z",
        }

    @pytest.mark.parametrize(
        ("status", "ours"),
        [
            ("publish", "published"),
            ("future", "published"),
            ("draft", "draft"),
            ("pending", "draft"),
            ("private", "draft"),
            ("lost", "lost"),
        ],
    )
    def test_status(self, tmp_path: Path, status: str, ours: str) -> None:
        assert post(tmp_path, status=status)["status"] == ours

    def test_a_post_behind_a_password_is_not_published(self, tmp_path: Path) -> None:
        assert post(tmp_path, post_password="x")["status"] == "draft"

    def test_trash_goes_to_the_trash(self, tmp_path: Path) -> None:
        record = post(tmp_path, status="trash", post_name="tea__trashed")
        assert record["slug"] == "tea"
        assert record["deleted_at"] == "2011-01-01T09:00:00.000Z"
        assert record["deleted_by"] == "ada"

    def test_a_slug_in_another_script_is_spelled(self, tmp_path: Path) -> None:
        assert post(tmp_path, post_name="%D1%87%D0%B0%D0%B9")["slug"] == "chai"

    def test_a_slug_that_an_earlier_post_has_gets_the_id(self, tmp_path: Path) -> None:
        lines = read(tmp_path, [export(item(post_id="1"), item(post_id="2"))])
        slugs = [line.record["slug"] for line in lines if isinstance(line.record, dict)]
        assert slugs == ["hello", "hello-2"]

    def test_what_is_no_post_is_counted(self, tmp_path: Path) -> None:
        others = [item(post_type=each) for each in ("page", "attachment", "attachment", "x")]
        comment = item(more="<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>")
        reader = read(tmp_path, [export(*others, comment)])
        assert len(list(reader)) == 1
        assert reader.left_out == {"pages": 1, "attachments": 2, "others": 1, "comments": 1}

    def test_lines_are_those_of_the_file(self, tmp_path: Path) -> None:
        lines = read(tmp_path, [export("\n\n", item(), "\n", item(post_id="9"))])
        assert [line.number for line in lines] == [4, 5]

    def test_an_author_may_be_given_for_posts_that_have_none(self, tmp_path: Path) -> None:
        (line,) = read(tmp_path, [export(item(creator=""))], author="grace")
        assert isinstance(line.record, dict)
        assert line.record["author"] == "grace"


class TestBody:
    def test_scripts_frames_and_comments_are_gone(self) -> None:
        text = "<!-- wp:x --><p>a<script>alert(1)</script><iframe src='//e'></iframe></p>"
        assert to_markdown(text) == "a"

    def test_what_looks_like_markdown_stays_text(self) -> None:
        assert to_markdown("<p>1 * 2 * 3 &lt;b&gt; _x_</p>") == r"1 \* 2 \* 3 \<b\> \_x\_"

    def test_code_with_fences_in_it_is_fenced_by_more(self) -> None:
        assert to_markdown("<pre>a\n```\nb</pre>") == "````\na\n```\nb\n````"

    def test_a_pipe_in_code_ends_no_cell(self) -> None:
        row = "<tr><td><code>a|b</code></td><td>c|d</td></tr>"
        assert r"| `a\|b` | c\|d |" in to_markdown(f"<table>{row}</table>")

    def test_blank_lines_of_the_classic_editor_are_paragraphs(self) -> None:
        text = with_paragraphs("One\r\n\r\nTwo\r\nlines\n<pre>a\n\nb</pre>\n")
        assert to_markdown(text) == "One\n\nTwo  \nlines\n\n```\na\n\nb\n```"

    @pytest.mark.parametrize(
        "part",
        [
            *("<div>", "<a ", "<!--", "<b></i>", "&#", "<table><tr><td>", "<", '<a x="'),
            *('<b title="</b>">', "<font></a>", "<li><p>"),
        ],
    )
    def test_what_is_made_to_be_expensive_is_not(self, tmp_path: Path, part: str) -> None:
        started = time.process_time()
        list(read(tmp_path, [export(item(content=part * 10_000))]))
        assert time.process_time() - started < 10

    def test_many_paragraphs_are_not_deep(self) -> None:
        assert to_markdown(with_paragraphs("a\n\n" * 500)).count("\n\n") == 499


class TestRefusal:
    @pytest.mark.parametrize(
        "text",
        [
            b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>',
            b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
            b'<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>',
            b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><rss/>',
            b"<rss>&nbsp;</rss>",
            b"",
            b"hello",
            b"<html><body/></html>",
            b'<?xml version="1.0" encoding="utf-7"?><rss/>',
            b'<?xml version="1.0" encoding="none"?><rss/>',
            b"<rss>\xff</rss>",
            b"<rss>\0</rss>",
        ],
        ids=[
            *("a document type", "an external entity", "a billion laughs", "a parameter entity"),
            *("an unknown entity", "nothing", "text", "HTML", "UTF-7", "no encoding"),
            *("not UTF-8", "a NUL"),
        ],
    )
    def test_of_what_is_no_export(self, tmp_path: Path, text: bytes) -> None:
        assert fault(tmp_path, text).code == "format"

    def test_of_one_that_is_cut_off(self, tmp_path: Path) -> None:
        whole, cut = read(tmp_path, [export(item()).removesuffix(END) + b"<item><title>"])
        assert isinstance(whole.record, dict)
        assert isinstance(cut.record, Fault)

    def test_what_is_whole_before_a_fault_is_read(self, tmp_path: Path) -> None:
        lines = list(read(tmp_path, [export(item(), "&nbsp;", item())]))
        assert [type(line.record) for line in lines] == [dict, Fault]

    def test_of_deep_elements(self, tmp_path: Path) -> None:
        assert fault(tmp_path, BEGIN, b"<a>" * 1_000_000).code == "format"

    def test_of_deep_html(self, tmp_path: Path) -> None:
        deep = fault(tmp_path, export(item(content="<div>" * 1000)))
        assert (deep.field, deep.code) == ("body", "format")


class TestMemory:
    @pytest.mark.parametrize(
        ("before", "part", "after"),
        [
            (b'<a x="', b"a", b""),
            (b"<", b"a", b""),
            (b"<!--", b"a", b"--></channel></rss>"),
            (b"<item><title>", b"a", b"</title></item></channel></rss>"),
            (b"<item>", b"<wp:comment>x</wp:comment>", b"</item></channel></rss>"),
        ],
        ids=["an attribute", "a name", "a comment", "a text", "comments of a post"],
    )
    def test_does_not_grow_with_the_file(
        self, tmp_path: Path, before: bytes, part: bytes, after: bytes
    ) -> None:
        # given
        chunk = part * (1024 * 1024 // len(part))
        reader = read(tmp_path, [BEGIN, before, *([chunk] * 64), after])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # when
        list(reader)
        # then
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
        assert grown < 40 * 1024  # KiB
