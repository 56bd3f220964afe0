"""What a file is, told by its content: a client's word for it counts for nothing.

Text is told from binary files by reading all of it, kinds of binary files by a library. The name
decides one thing: text called ``.json`` has to be JSON.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from services.errors import ServiceError
from services.uploads import documents

JSON, TEXT, HTML, XML = "application/json", "text/plain", "text/html", "application/xml"
PDF = "application/pdf"
SVG, XHTML, ANYTHING = "image/svg+xml", "application/xhtml+xml", "application/octet-stream"

_HEAD, _CHUNK = 8192, 2**18
#: Names that the library knows → those that are registered with IANA.
_REGISTERED = {
    "application/x-7z-compressed": ANYTHING,
    "application/x-bzip2": "application/x-bzip2",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "audio/m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "audio/x-wav": "audio/wav",
    "image/x-icon": "image/vnd.microsoft.icon",
    "video/x-m4v": "video/mp4",
}
#: Control characters that text does not have, as a browser looks for them.
#: Source: WHATWG, MIME Sniffing, section 3 (binary data bytes).
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
#: What may stand before the first element: a byte order mark, comments, declarations.
_PROLOGUE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
#: Elements of pages.
#: Source: WHATWG, MIME Sniffing, section 7.1; more of them, since to be shown is the worse mistake.
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml", re.IGNORECASE)
_ELEMENTS = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|link|base|style|script|iframe|object|embed"
    rb"|form|input|button|img|image|video|audio|svg|math|h1|div|span|font|table|p|a|b|br)\b",
    re.IGNORECASE,
)


def kind_of(source: BinaryIO, size: int, name: str) -> str:
    """Return the media type of a file.

    Args:
        source: the whole file, to be read from its start.
        size: its bytes.

    Raises:
        ServiceError: it is called ``.json`` and is none (``malformed-json``), or too large to be
            checked (``too-large``).
    """
    if name.lower().endswith(".json"):
        _check_document(source, size)
        return JSON
    source.seek(0)
    head = source.read(_HEAD)
    source.seek(0)
    return _text_kind(head) if _is_text(source) else _binary_kind(head)


def _check_document(source: BinaryIO, size: int) -> None:
    if size > documents.MAX_BYTES:
        raise ServiceError(
            f"A JSON document may have up to {documents.MAX_BYTES:,} bytes.", code="too-large"
        )
    source.seek(0)
    documents.check(source.read())


def _is_text(source: BinaryIO) -> bool:
    """Whether all of it is UTF-8 without control characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := source.read(_CHUNK):
            if _BINARY.search(piece):
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _text_kind(head: bytes) -> str:
    if head.startswith(b"%PDF-"):  # one without compressed streams
        return PDF
    prologue = _PROLOGUE.match(head)
    rest = head[prologue.end() :] if prologue else head
    lower = head.lower()
    if b"<svg" in lower and rest.startswith(b"<"):
        return SVG
    if b"http://www.w3.org/1999/xhtml" in lower:
        return XHTML
    if _XML.match(head):
        return XML
    return HTML if _ELEMENTS.match(rest) else TEXT


def _binary_kind(head: bytes) -> str:
    import filetype  # a file a day is no reason to have it in memory

    found = filetype.guess_mime(head)
    return _REGISTERED.get(found, found) if found else ANYTHING
