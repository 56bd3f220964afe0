"""What decodes pictures: turning one upright, and making it small; few at a time, in little memory.

What decoding takes is told from the header first, and what would take too much isn't begun.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from services import queue
from services.errors import Unavailable
from services.pictures.faults import BrokenPicture
from services.pictures.measuring import BROKEN, Size, kind_of, opened, orientation, shown

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_MEMORY = 52 << 20
"""Bytes that decoding one picture may take; up to 12 MiB more are in use around it."""
_MUCH = 16 << 20
"""Bytes from which on only one process of the machine decodes at a time."""
_PATIENCE = 1.0
"""Seconds to wait for one's turn."""
_TALL = 2
"""How many times as high as wide a thumbnail may be."""
_WIDE = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""Bytes that Pillow takes for a pixel, by mode; 4 in all others."""
_WIDE_DECODERS = {"WEBP": 16, "AVIF": 11}
"""The same for decoders with canvases of their own, and of what these hand over."""
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""Pillow's transpositions, by the orientation in EXIF that they undo."""
_STRIP = 16
"""Rows that are made small at once."""


class Settings:
    """What the process was told about pictures; ``configure`` sets it once, at start."""

    def __init__(self) -> None:
        self.lock: str | None = None
        self.slots = threading.BoundedSemaphore(1)

    def configure(self, *, lock: Path) -> None:
        """Apply settings.

        Args:
            lock: a file that all processes of the service can lock; where it can't be made, each
                process counts for itself.
        """
        self.lock = str(lock) if os.access(lock.parent, os.W_OK) else None


settings = Settings()


def thumbnail(source: Path | BinaryIO, width: int) -> bytes:
    """Return a picture as WebP: its first frame, at most ``width`` pixels wide, never enlarged.

    It is at most twice as high as ``width``.

    Raises:
        BrokenPicture: it can't be decoded, or not in ``MOST_MEMORY``.
        Unavailable: too many others are being decoded.
    """
    with _faults(), ExitStack() as slot:
        small, profile = _small(source, width, slot)  # what it was made of is let go by now
        written = BytesIO()
        small.save(written, "WEBP", quality=80, method=4, icc_profile=profile)
        return written.getvalue()


def turn(source: BinaryIO, target: BinaryIO, orientation: int) -> bool:
    """Write a picture upright, without metadata; False: it is too large for that.

    Raises:
        BrokenPicture, Unavailable: as ``thumbnail``.
    """
    from PIL import Image, JpegImagePlugin

    with _faults(), opened(source) as image:
        needed = memory(image, image.size) + 4 * image.width * image.height
        if needed > MOST_MEMORY:
            return False
        how: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            how |= {"qtables": image.quantization, "progressive": "progression" in image.info}
            how["subsampling"] = JpegImagePlugin.get_sampling(image)
        elif kind_of(image) == "WEBP":
            how |= {"quality": 95, "exact": True}
        with _slot(needed):
            upright = image.transpose(Image.Transpose(_TURNS[orientation]))
            upright.info = {k: v for k, v in image.info.items() if k == "transparency"}
            written = BytesIO()
            upright.save(written, kind_of(image), **how)
    target.write(written.getbuffer())  # out here: a full disk is not a broken picture
    return True


def _small(source: Path | BinaryIO, width: int, slot: ExitStack) -> tuple[Image, bytes | None]:
    """Return a thumbnail's pixels and colour profile; from here on ``slot`` holds the turn."""
    from PIL import Image

    with opened(source) as image:
        full, turned = image.size, orientation(image.info.get("exif"))
        fitted = _fitted(shown(full, turned), width)
        wanted = shown(fitted, turned)
        image.draft(None, wanted)
        by = max(1, min(image.width // wanted.width, image.height // wanted.height))
        mode = "RGBA" if image.has_transparency_data else "RGB"
        is_fit = by == 1 and image.mode == mode
        copied = 0 if is_fit else 4 * image.width * image.height // by**2
        slot.enter_context(_slot(memory(image, full) + copied))
        small = (image if is_fit else _reduced(image, by, mode)).resize(wanted)
        if turned != 1:
            small = small.transpose(Image.Transpose(_TURNS[turned]))
        return small, image.info.get("icc_profile")


def memory(image: Image, full: tuple[int, int]) -> int:
    """Return about how many bytes decoding takes at its peak.

    Args:
        full: the size in the file, where ``image`` is drafted smaller.
    """
    pixels, wide = image.width * image.height, _WIDE.get(image.mode, 4)
    wide = _WIDE_DECODERS.get(kind_of(image), wide)
    return pixels * wide + (_coefficients(image, full) if "progression" in image.info else 0)


def _coefficients(image: Image, full: tuple[int, int]) -> int:
    """Return the bytes of a progressive JPEG before it becomes pixels: two for each number."""
    parts = [(across, down) for _, across, down, _ in getattr(image, "layer", ())]
    widest, highest = (max(sides) for sides in zip(*parts, strict=True))
    share = sum(across * down for across, down in parts) / (widest * highest)
    return int(2 * share * full[0] * full[1])


def _fitted(size: Size, width: int) -> Size:
    by = min(1.0, width / size.width, _TALL * width / size.height)
    return Size(max(1, round(size.width * by)), max(1, round(size.height * by)))


def _reduced(image: Image, by: int, mode: str) -> Image:
    """Return ``image``, ``by`` times smaller, in ``mode``, whose colours can be averaged.

    Row by row, for converting all of it would take its memory once more.
    """
    from PIL import Image as Pictures

    small = Pictures.new(mode, (-(-image.width // by), -(-image.height // by)))
    rows = _STRIP * by
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(strip.convert(mode).reduce(by), (0, top // by))
    return small


@contextmanager
def _slot(needed: int) -> Iterator[None]:
    """Wait for one's turn to decode."""
    if needed > MOST_MEMORY:
        raise BrokenPicture("The picture is too large for a thumbnail.", code="too_large")
    busy = Unavailable("Too many pictures are being made small; try again.", retry_after=1)
    slots = settings.slots
    if not slots.acquire(timeout=_PATIENCE):
        raise busy
    with ExitStack() as stack:
        stack.callback(slots.release)
        if needed > _MUCH and settings.lock is not None:
            try:
                stack.enter_context(queue.turn(settings.lock, _PATIENCE))
            except queue.NoTurn as error:
                raise busy from error
        yield


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except BrokenPicture:
        raise
    except BROKEN as error:
        raise BrokenPicture() from error
