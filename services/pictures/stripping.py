"""What a picture gives away, taken off it: where it was taken, by whom, with what; pixels stay.

Parts that show nothing are left out and everything else is copied byte for byte. Only what EXIF
says to turn is encoded anew. No library for Python does this without GPL or encoding anew.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import ACCESS_COPY, ACCESS_READ, mmap
from typing import BinaryIO

from services.pictures import avif, decoding
from services.pictures.containers import PARTS, PNG_SIGNATURE, START_OF_SCAN, Part
from services.pictures.faults import BrokenPicture
from services.pictures.measuring import (
    MOST_FRAMES,
    MOST_SCANS,
    Size,
    kind_of,
    measure,
    opened,
    orientation,
    shown,
)

_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD pHYs"
    b" acTL fcTL fdAT".split()
)
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_GIF_KEPT = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"})
_FRAMES = {"PNG": b"fcTL", "WEBP": b"ANMF", "GIF": b","}
_WEBP_TOLD = 0x08 | 0x04
"""Flags of ``VP8X``: there is EXIF, there is XMP."""


def strip(source: BinaryIO, target: BinaryIO) -> Size:
    """Write ``source``, a file on disk, to ``target`` without metadata; return its size.

    Colour profiles stay, and so does what EXIF says of the orientation: pixels are turned, or,
    where that would take too much memory, EXIF says this and nothing else.

    Raises:
        BrokenPicture: it is broken, too large, or has too many frames.
        Unavailable: it has to be turned, and too many others are.
    """
    with opened(source) as image:
        kind, size = kind_of(image), image.size
        _refuse_many(getattr(image, "n_frames", 1) if kind == "AVIF" else 1)
    if kind == "AVIF":
        return _strip_avif(source, target)
    with mmap(source.fileno(), 0, access=ACCESS_READ) as data:
        parts = list(PARTS[kind](data))
        frames = sum(part.kind == _FRAMES.get(kind) for part in parts)
        _refuse_many(frames)
        if kind == "JPEG" and sum(part.kind == START_OF_SCAN for part in parts) > MOST_SCANS:
            raise BrokenPicture("The picture has more than 100 scans.", code="too_large")
        turned = orientation(_exif(kind, data, parts))
        if turned != 1 and frames == 0 and decoding.turn(source, target, turned):
            return shown(size, turned)
        kept = [part for part in parts if _KEEPS[kind](data, part)]
        if kind != "JPEG":
            turned = 1
        elif turned != 1:
            _write(data, kept[:1], target)
            target.write(_only_turned(turned))
            kept = kept[1:]
        _WRITERS.get(kind, _write)(data, kept, target)
    return shown(size, turned)


def _refuse_many(frames: int) -> None:
    if frames > MOST_FRAMES:
        raise BrokenPicture("The picture has more than 1,000 frames.", code="too_large")


def _strip_avif(source: BinaryIO, target: BinaryIO) -> Size:
    size = measure(source)
    with mmap(source.fileno(), 0, access=ACCESS_COPY) as data:
        avif.wipe(data)
        _write(data, [Part(b"", 0, 0, len(data))], target)
    return size


def _only_turned(turned: int) -> bytes:
    """Return the segment of a JPEG that tells its orientation alone."""
    from PIL import Image

    tags = Image.Exif()
    tags[0x0112] = turned
    content = tags.tobytes()
    content = content if content.startswith(b"Exif") else b"Exif\0\0" + content
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content


def _keeps_jpeg(data: mmap, part: Part) -> bool:
    marker = part.kind[0]
    if marker == 0xE0:  # longer, it holds a small picture of what may have been cut out since
        return part.end - part.start <= 18 and data[part.body : part.body + 5] == b"JFIF\0"
    if marker == 0xE2:
        return data[part.body : part.body + 12] == b"ICC_PROFILE\0"
    if marker == 0xEE:
        return data[part.body : part.body + 5] == b"Adobe"
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _keeps_gif(data: mmap, part: Part) -> bool:
    if part.kind == b"!\xff":
        return data[part.body + 1 : part.body + 12] in _GIF_KEPT
    return part.kind in {b"GIF", b",", b";", b"!\xf9"}


_KEEPS: dict[str, Callable[[mmap, Part], bool]] = {
    "JPEG": _keeps_jpeg,
    "PNG": lambda _, part: part.kind in _PNG_KEPT,
    "WEBP": lambda _, part: part.kind in _WEBP_KEPT,
    "GIF": _keeps_gif,
}


def _exif(kind: str, data: mmap, parts: list[Part]) -> bytes | None:
    wanted = {"JPEG": b"\xe1", "PNG": b"eXIf", "WEBP": b"EXIF"}.get(kind)
    for part in parts:
        if part.kind == wanted:
            found = data[part.body : part.end - (4 if kind == "PNG" else 0)]
            if kind != "JPEG" or found.startswith(b"Exif\0\0"):
                return found
    return None


def _write(data: mmap, parts: list[Part], target: BinaryIO) -> None:
    for part in parts:
        for at in range(part.start, part.end, 1 << 16):
            target.write(data[at : min(at + (1 << 16), part.end)])


def _write_png(data: mmap, parts: list[Part], target: BinaryIO) -> None:
    target.write(PNG_SIGNATURE)
    _write(data, parts, target)


def _write_webp(data: mmap, parts: list[Part], target: BinaryIO) -> None:
    size = 4 + sum(part.end - part.start for part in parts)
    target.write(b"RIFF" + size.to_bytes(4, "little") + b"WEBP")
    for part in parts:
        if part.kind == b"VP8X":
            target.write(data[part.start : part.body])
            target.write(bytes([data[part.body] & ~_WEBP_TOLD]))
            _write(data, [Part(part.kind, part.body + 1, part.body + 1, part.end)], target)
        else:
            _write(data, [part], target)


_WRITERS = {"PNG": _write_png, "WEBP": _write_webp}
