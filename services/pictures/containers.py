"""The containers of pictures, walked part by part; nothing is decoded, disorder is a fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap

from services.pictures.faults import BrokenPicture

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Where the compressed data of a JPEG scan end: at a marker that is no restart and no stuffing.
_SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"


@dataclass(frozen=True, slots=True)
class Part:
    """One segment, chunk or block: bytes ``start`` to ``end``, its content from ``body``."""

    kind: bytes
    start: int
    body: int
    end: int


def jpeg_parts(data: mmap) -> Iterator[Part]:
    """Yield the segments up to the end of the image, each scan with its data.

    Source: ITU-T T.81, annex B.
    """
    _must(data[:2] == b"\xff\xd8")
    yield Part(b"\xd8", 0, 2, 2)
    at = 2
    while True:
        _must(data[at : at + 1] == b"\xff")
        body = at + 1
        while data[body : body + 1] == b"\xff":
            body += 1
        kind = data[body : body + 1]
        if kind == _END_OF_IMAGE:
            yield Part(kind, at, body + 1, body + 1)
            return
        end = body + 1 + _number(data, body + 1, 2, "big")
        _must(end >= body + 3)
        if kind == START_OF_SCAN:
            found = _SCAN_END.search(data, end)
            _must(found is not None)
            end = found.start() if found else end
        yield _part(data, kind, at, body + 3, end)
        at = end


def png_parts(data: mmap) -> Iterator[Part]:
    """Yield the chunks, up to ``IEND``.

    Source: W3C, Portable Network Graphics, third edition, 5.3.
    """
    _must(data[:8] == PNG_SIGNATURE)
    at, kind = 8, b""
    while kind != b"IEND":
        end = at + 12 + _number(data, at, 4, "big")
        kind = data[at + 4 : at + 8]
        _must(kind == b"IHDR" or at > 8)
        yield _part(data, kind, at, at + 8, end)
        at = end


def webp_parts(data: mmap) -> Iterator[Part]:
    """Yield the chunks, each with its padding.

    Source: RFC 9649, 2.
    """
    _must(data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    at, last = 12, 8 + _number(data, 4, 4, "little")
    _must(last <= len(data))
    while at < last:
        size = _number(data, at + 4, 4, "little")
        end = at + 8 + size
        yield _part(data, data[at : at + 4], at, at + 8, min(end + size % 2, max(last, end)))
        at = end + size % 2


def gif_parts(data: mmap) -> Iterator[Part]:
    """Yield the header with its palette, each extension (``!`` and its label), each frame.

    Source: GIF89a, https://www.w3.org/Graphics/GIF/spec-gif89a.txt
    """
    _must(data[:6] in {b"GIF87a", b"GIF89a"})
    at = 13 + _palette(_number(data, 10, 1, "little"))
    yield _part(data, b"GIF", 0, 6, at)
    while (kind := data[at : at + 1]) != b";":
        if kind == b"!":
            body, kind = at + 2, data[at : at + 2]
        else:
            _must(kind == b",")
            body = at + 11 + _palette(_number(data, at + 9, 1, "little"))
        end = _after_blocks(data, body)
        yield _part(data, kind, at, body, end)
        at = end
    yield Part(b";", at, at + 1, at + 1)


def _palette(packed: int) -> int:
    """Return the bytes of the colour table that a packed field announces."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _after_blocks(data: mmap, at: int) -> int:
    while size := _number(data, at, 1, "little"):
        at += 1 + size
    return at + 1


def _part(data: mmap, kind: bytes, start: int, body: int, end: int) -> Part:
    _must(len(kind) > 0 and body <= end <= len(data))
    return Part(kind, start, body, end)


def _number(data: mmap, at: int, size: int, order: str) -> int:
    found = data[at : at + size]
    _must(len(found) == size)
    return int.from_bytes(found, "big" if order == "big" else "little")


def _must(holds: bool) -> None:
    if not holds:
        raise BrokenPicture("The picture is broken or incomplete.")


PARTS: dict[str, Callable[[mmap], Iterator[Part]]] = {
    "JPEG": jpeg_parts,
    "PNG": png_parts,
    "WEBP": webp_parts,
    "GIF": gif_parts,
}
