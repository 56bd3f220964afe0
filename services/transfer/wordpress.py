"""A WordPress export (WXR 1.0 to 1.2) as records of the import format, in constant memory.

It is read in services/transfer/wxr.py. Which fields become what: docs/operations.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from services import slugs
from services.errors import Fault
from services.transfer import html
from services.transfer.frontmatter import when
from services.transfer.lines import Line
from services.transfer.wxr import Element, Unreadable, elements

#: HTML that is longer makes no body of 100,000 characters.
_MAX_HTML = 400_000

_STATUSES = {
    "publish": "published",
    "future": "published",
    "draft": "draft",
    "pending": "draft",
    "private": "draft",
    "trash": "draft",
}
_UNSET = "0000-00-00"
_LONG_AGO = "1970-01-01T00:00:00.000Z"
_UNNAMED = re.compile(r"[^A-Za-z0-9_-]+")


class WordPressExport:
    """The authors and posts of an export, in its order.

    Args:
        file: the export.
        author: username of the author of posts that name none.
    """

    def __init__(self, file: Path, author: str | None = None) -> None:
        self.file = file
        self.author = author
        self.left_out: Counter[str] = Counter()
        """What was not taken over → how often."""
        self.note: Callable[[int], object] = lambda _bytes: None
        """Told how many bytes were read since it was last told."""
        self._slugs: set[str] = set()

    def __iter__(self) -> Iterator[Line]:
        source = self.file.name
        try:
            for element in elements(self.file, self.note):
                if (record := self._record(element)) is not None:
                    yield Line(element.line, source, record)
        except Unreadable as exc:
            yield Line(exc.line, source, Fault("file", "format", exc.message))

    def _record(self, element: Element) -> dict[str, Any] | Fault | None:
        if element.kind == "wp:author":
            return _user(element)
        self.left_out += Counter(comments=element.comments)
        kind, status = element["wp:post_type"], element["wp:status"]
        if kind != "post" or status in {"auto-draft", "inherit"}:
            known = kind if kind in {"page", "attachment", "revision", "nav_menu_item"} else "other"
            self.left_out[f"{known}s" if kind != "post" else "automatic drafts"] += 1
            return None
        try:
            return self._post(element)
        except html.TooDeep:
            return Fault("body", "format", "Nested too deep.")

    def _post(self, element: Element) -> dict[str, Any]:
        status = element["wp:status"]
        if element["wp:post_password"]:
            self.left_out["passwords of posts, which are drafts now"] += 1
            status = "draft"
        title = html.to_text(element["title"]) or "Untitled"
        moment = _moment(element, "post_date")
        body = element["content:encoded"]
        if len(body) <= _MAX_HTML:
            body = html.to_markdown(html.with_paragraphs(body))
        post: dict[str, Any] = {
            "type": "post",
            "slug": self._slug(element, title),
            "author": username(element["dc:creator"]) or self.author or "",
            "title": title,
            "body": body,
            "status": _STATUSES.get(status, status),
            "tags": list({tag.casefold(): tag for tag in reversed(element.tags)}.values())[::-1],
        }
        if excerpt := html.to_text(element["excerpt:encoded"]):
            post["excerpt"] = excerpt
        if moment:
            post["published_at"] = moment
        return post | (_trashed(element, moment, post["author"]) if status == "trash" else {})

    def _slug(self, element: Element, title: str) -> str:
        """Return the post's own slug in our spelling; with its id if an earlier one has it."""
        written = unquote(element["wp:post_name"]).removesuffix("__trashed")
        slug = slugs.from_title(written or title)
        if slug in self._slugs:
            slug = f"{slug}-{slugs.from_title(element['wp:post_id'])}"
        self._slugs.add(slug)
        return slug


def username(login: str) -> str:
    """Return a login as a username: what cannot stand in one becomes ``-``."""
    name = _UNNAMED.sub("-", login.strip()).strip("-")
    return name if len(name) > 2 or not name else f"{name}-author"


def _user(element: Element) -> dict[str, Any]:
    user = {
        "type": "user",
        "username": username(element["wp:author_login"]),
        "email": element["wp:author_email"].strip(),
    }
    name = html.to_text(element["wp:author_display_name"])
    return user | ({"name": name} if name else {})


def _trashed(element: Element, made: Any, author: str) -> dict[str, Any]:
    """Return what puts a post into its author's trash: WordPress says who did it nowhere."""
    moment = _moment(element, "post_modified") or made or _LONG_AGO
    return {"created_at": made or moment, "deleted_at": moment, "deleted_by": author}


def _moment(element: Element, name: str) -> Any:
    """Return a time of a post, in UTC if the export says it; drafts may have none yet."""
    for written in (element[f"wp:{name}_gmt"].strip(), element[f"wp:{name}"].strip()):
        if written and not written.startswith(_UNSET):
            return when(written)
    return None
