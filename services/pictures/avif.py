"""AVIF without metadata: they are overwritten where they are, so that nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from services.pictures.faults import BrokenPicture

#: EXIF that says nothing: the four bytes in front of it, and a directory without entries.
_NO_EXIF = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"
_SHOWN = frozenset({b"ftyp", b"meta", b"moov", b"mdat", b"free"})
_TOLD = frozenset({b"udta", b"uuid", b"meta"})


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


def wipe(data: mmap) -> None:
    """Overwrite EXIF, XMP and whatever a picture needs not.

    Source: ISO/IEC 14496-12, 8.11; AV1 Image File Format, 1.1.

    Raises:
        BrokenPicture: its boxes are out of order.
    """
    try:
        for box in list(_boxes(data, 0, len(data))):
            if box.kind == b"meta":
                _wipe_items(data, box)
            elif box.kind == b"moov":
                _wipe_inside(data, box)
            elif box.kind not in _SHOWN:
                _free(data, box)
    except (IndexError, RecursionError) as error:
        raise BrokenPicture("The picture is broken or incomplete.") from error


def _boxes(data: mmap, at: int, end: int) -> Iterator[_Box]:
    while at < end:
        size, kind, body = _number(data, at, 4), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, body = _number(data, at + 8, 8), at + 16
        last = end if size == 0 else at + size
        if not body <= last <= end:
            raise BrokenPicture("The picture is broken or incomplete.")
        yield _Box(kind, at, body, last)
        at = last


def _wipe_inside(data: mmap, box: _Box) -> None:
    for inner in list(_boxes(data, box.body, box.end)):
        if inner.kind in _TOLD:
            _free(data, inner)
        elif inner.kind in {b"trak", b"mdia"}:
            _wipe_inside(data, inner)


def _wipe_items(data: mmap, meta: _Box) -> None:
    inner = {box.kind: box for box in _boxes(data, meta.body + 4, meta.end)}
    if b"iinf" not in inner or b"iloc" not in inner:
        return
    told = _told_items(data, inner[b"iinf"])
    idat = inner[b"idat"].body if b"idat" in inner else 0
    for item, start, size in _extents(data, inner[b"iloc"], idat):
        if item in told:
            if not 0 <= start <= start + size <= len(data):
                raise BrokenPicture("The picture is broken or incomplete.")
            filling = _NO_EXIF if told[item] == b"Exif" and size >= len(_NO_EXIF) else b""
            data[start : start + size] = filling.ljust(size, b"\0" if filling else b" ")


def _told_items(data: mmap, iinf: _Box) -> dict[int, bytes]:
    """Return which items are EXIF or a document such as XMP."""
    wide = data[iinf.body] > 0
    told = {}
    for entry in _boxes(data, iinf.body + (8 if wide else 6), iinf.end):
        version, at = data[entry.body], entry.body + 4
        length = 4 if version >= 3 else 2
        kind = data[at + length + 2 : at + length + 6]
        if kind in {b"Exif", b"mime", b"uri "}:
            told[_number(data, at, length)] = kind
    return told


def _extents(data: mmap, iloc: _Box, idat: int) -> Iterator[tuple[int, int, int]]:
    """Yield item, first byte and size of all extents in the file."""
    version, at = data[iloc.body], iloc.body + 4
    sizes = _number(data, at, 2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    index = index if version else 0
    wide = 4 if version == 2 else 2
    count, at = _number(data, at + 2, wide), at + 2 + wide
    for _ in range(count):
        item, at = _number(data, at, wide), at + wide
        method = _number(data, at, 2) & 15 if version else 0
        at += (2 if version else 0) + 2
        origin, at = _number(data, at, base) + (idat if method == 1 else 0), at + base
        extents, at = _number(data, at, 2), at + 2
        for _ in range(extents):
            at += index
            yield item, origin + _number(data, at, offset), _number(data, at + offset, length)
            at += offset + length


def _number(data: mmap, at: int, size: int) -> int:
    found = data[at : at + size]
    if len(found) != size:
        raise BrokenPicture("The picture is broken or incomplete.")
    return int.from_bytes(found, "big")


def _free(data: mmap, box: _Box) -> None:
    data[box.start + 4 : box.start + 8] = b"free"
    for at in range(box.body, box.end, 1 << 16):
        data[at : min(at + (1 << 16), box.end)] = bytes(min(1 << 16, box.end - at))
