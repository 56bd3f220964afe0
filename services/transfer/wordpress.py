"""A WordPress export (WXR 1.0 to 1.2) as records of the import format, in constant memory.

Events come from expat by way of defusedxml, which refuses document types and entities. Which
fields become what: docs/operations.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.sax import ContentHandler, SAXException, SAXParseException
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from services import slugs
from services.errors import Fault
from services.transfer import html
from services.transfer.frontmatter import when
from services.transfer.lines import Line

_CHUNK = 64 * 1024
#: Bytes without an element's begin or end or any text: expat keeps all of a tag.
_MAX_TAG = 4 * 1024 * 1024
_MAX_DEPTH = 64
#: Characters of one element's text that are kept; what is longer is too long for any field.
_MAX_TEXT = 1_000_000
#: HTML that is longer makes no body of 100,000 characters.
_MAX_HTML = 400_000
_MAX_TAGS = 1_000

_STATUSES = {
    "publish": "published",
    "future": "published",
    "draft": "draft",
    "pending": "draft",
    "private": "draft",
    "trash": "draft",
}
_AUTHOR = {"wp:author_login", "wp:author_email", "wp:author_display_name"}
_POST = {
    *("title", "dc:creator", "content:encoded", "excerpt:encoded", "wp:post_id", "wp:post_type"),
    *("wp:post_date", "wp:post_date_gmt", "wp:post_name", "wp:status", "wp:post_password"),
    *("wp:post_modified", "wp:post_modified_gmt"),
}
_KINDS = {"wp:author": _AUTHOR, "item": _POST}
_TAGS = {"category", "post_tag"}
_UNSET = "0000-00-00"
_LONG_AGO = "1970-01-01T00:00:00.000Z"
_UNNAMED = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class Element:
    """An author or an item as it stands in the export."""

    kind: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    comments: int = 0

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


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
            for element in _elements(self.file, self.note):
                if (record := self._record(element)) is not None:
                    yield Line(element.line, source, record)
        except _Unreadable as exc:
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


# -- reading ---------------------------------------------------------------------------


class _Unreadable(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def _elements(path: Path, note: Callable[[int], object]) -> Iterator[Element]:
    """Return authors and items one after the other.

    Raises:
        _Unreadable: it is not XML, not an export, or made to be expensive.
    """
    reader = _Reader()
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(reader)
    reader.setDocumentLocator(parser)  # which is left out where chunks are fed
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                note(len(chunk))
                reader.silence += len(chunk)
                parser.feed(chunk)
                reader.refuse_silence()
                yield from reader.take()
        parser.close()
    except SAXParseException as exc:
        raise _Unreadable(f"Not XML: {exc.getMessage()}.", exc.getLineNumber() or 1) from None
    except DefusedXmlException:
        message = "Document types and entities are refused."
        raise _Unreadable(message, reader.line) from None
    except (SAXException, LookupError, ValueError) as exc:
        raise _Unreadable(f"Not XML: {exc}.", reader.line) from None
    yield from reader.take()
    if not reader.is_export:
        raise _Unreadable("Not a WordPress export: it has no wp:wxr_version.", 1)


class _Reader(ContentHandler):
    """Collects the wanted fields of one element at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.is_export = False
        self.silence = 0
        self._depth = 0
        self._ready: list[Element] = []
        self._element: Element | None = None
        self._text: list[str] | None = None
        self._length = 0

    @property
    def line(self) -> int:
        """Where the parser is."""
        locator = getattr(self, "_locator", None)
        return (locator.getLineNumber() if locator else None) or 1

    def take(self) -> list[Element]:
        """Return what is complete, once."""
        ready, self._ready = self._ready, []
        return ready

    def refuse_silence(self) -> None:
        """Refuse a tag without end."""
        if self.silence > _MAX_TAG:
            raise _Unreadable(f"A tag has over {_MAX_TAG:,} bytes.", self.line)

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - SAX's
        self.silence = 0
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Unreadable(f"Nested more than {_MAX_DEPTH} levels deep.", self.line)
        if self._depth == 3:
            self.is_export = self.is_export or name == "wp:wxr_version"
            self._element = Element(name, self.line) if name in _KINDS else None
        elif self._depth == 4 and self._element is not None:
            self._begin(self._element, name, attrs.get("domain", ""))

    def characters(self, content: str) -> None:
        self.silence = 0
        if self._text is not None and self._depth == 4 and self._length < _MAX_TEXT:
            self._text.append(content)
            self._length += len(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's
        self.silence = 0
        if self._depth == 4 and self._element is not None and self._text is not None:
            self._keep(self._element, name, "".join(self._text))
        if self._depth == 3 and self._element is not None:
            self._ready.append(self._element)
            self._element = None
        self._depth -= 1

    def _begin(self, element: Element, name: str, domain: str) -> None:
        is_tag = name == "category" and domain in _TAGS and len(element.tags) < _MAX_TAGS
        wanted = is_tag or name in _KINDS[element.kind]
        self._text, self._length = ([] if wanted else None), 0
        element.comments += name == "wp:comment"

    def _keep(self, element: Element, name: str, text: str) -> None:
        self._text = None
        if name != "category":
            element.fields[name] = text
        elif (tag := text.strip()) and tag != "Uncategorized":
            element.tags.append(tag[:1000])
