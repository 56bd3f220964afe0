"""Reads the elements of a WordPress export one by one, in memory that its size does not change.

Events come from expat by way of defusedxml, which refuses document types and entities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax import ContentHandler, SAXException, SAXParseException
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

_CHUNK = 64 * 1024
#: Bytes without an element's begin or end or any text: expat keeps all of a tag.
_MAX_TAG = 4 * 1024 * 1024
_MAX_DEPTH = 64
#: Characters of one element's text that are kept; what is longer is too long for any field.
_MAX_TEXT = 1_000_000
_MAX_TAGS = 1_000

_AUTHOR = {"wp:author_login", "wp:author_email", "wp:author_display_name"}
_POST = {
    *("title", "dc:creator", "content:encoded", "excerpt:encoded", "wp:post_id", "wp:post_type"),
    *("wp:post_date", "wp:post_date_gmt", "wp:post_name", "wp:status", "wp:post_password"),
    *("wp:post_modified", "wp:post_modified_gmt"),
}
_KINDS = {"wp:author": _AUTHOR, "item": _POST}
_TAGS = {"category", "post_tag"}


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


class Unreadable(Exception):
    """A file of which no more can be read; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def elements(path: Path, note: Callable[[int], object]) -> Iterator[Element]:
    """Return authors and items one after the other.

    Raises:
        Unreadable: it is not XML, not an export, or made to be expensive.
    """
    reader = _Reader()
    try:
        for _ in _fed(reader, path, note):
            yield from reader.take()
    except Unreadable:
        yield from reader.take()
        raise
    yield from reader.take()
    if not reader.is_export:
        raise Unreadable("Not a WordPress export: it has no wp:wxr_version.", 1)


def _fed(reader: _Reader, path: Path, note: Callable[[int], object]) -> Iterator[None]:
    """Feed a file to ``reader``, piece by piece."""
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(reader)
    reader.setDocumentLocator(parser)  # which is left out where pieces are fed
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                note(len(chunk))
                reader.silence += len(chunk)
                parser.feed(chunk)
                reader.refuse_silence()
                yield
        parser.close()
    except SAXParseException as exc:
        raise Unreadable(f"Not XML: {exc.getMessage()}.", exc.getLineNumber() or 1) from None
    except DefusedXmlException:
        message = "Document types and entities are refused."
        raise Unreadable(message, reader.line) from None
    except (SAXException, LookupError, ValueError) as exc:
        raise Unreadable(f"Not XML: {exc}.", reader.line) from None


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
            raise Unreadable(f"A tag has over {_MAX_TAG:,} bytes.", self.line)

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - SAX's
        self.silence = 0
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable(f"Nested more than {_MAX_DEPTH} levels deep.", self.line)
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
