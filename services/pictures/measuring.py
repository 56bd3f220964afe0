"""How large a picture is, told by its header alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from services.pictures.faults import BrokenPicture

if TYPE_CHECKING:
    from PIL.Image import Image

#: Media types that are measured, stripped and made small, by Pillow's names for them.
TYPES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}
MOST_PIXELS = 25_000_000
MOST_FRAMES = 1_000
MOST_SCANS = 100
"""Of a progressive JPEG: to decode takes as many times as long."""
MOST_BYTES = 64 << 20
"""Of the file: Pillow keeps the whole header of some formats in memory."""
BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError),
    *(RuntimeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow raises at broken pictures; its own errors are among them."""
_TURNED = frozenset({5, 6, 7, 8})
"""Orientations in EXIF that swap width and height."""


class Size(NamedTuple):
    """In pixels, as shown: after the orientation in EXIF."""

    width: int
    height: int


def measure(source: Path | BinaryIO) -> Size:
    """Return the size of a picture without decoding it.

    Raises:
        BrokenPicture: it isn't a picture of one of ``TYPES``, is broken or too large.
    """
    with opened(source) as image:
        return shown(image.size, orientation(image.info.get("exif")))


def shown(size: tuple[int, int], turned: int) -> Size:
    """Return how large a picture is once its orientation has turned it."""
    return Size(*(reversed(size) if turned in _TURNED else size))


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[Image]:
    """Open a picture that isn't too large, its pixels not decoded. Raises as ``measure``."""
    from PIL import Image

    _prepare()
    if _bytes(source) > MOST_BYTES:
        raise BrokenPicture("The picture has more than 64 MiB.", code="too_large")
    try:
        image = Image.open(source, formats=tuple(TYPES.values()))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except BROKEN as error:
        raise BrokenPicture("The picture is broken, or of an unknown kind.") from error
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise _too_many_pixels()
        if image.width < 1 or image.height < 1:
            raise BrokenPicture()
        yield image


def kind_of(image: Image) -> str:
    """Return Pillow's name of the kind, as in ``TYPES``: several pictures in a JPEG are one."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def orientation(exif: bytes | None) -> int:
    """Return how EXIF says that a picture is to be turned: 1 to 8, 1 for not at all."""
    from PIL import Image

    if not exif:
        return 1
    tags = Image.Exif()
    try:
        tags.load(exif)
        found = tags.get(0x0112, 1)
    except (*BROKEN, UserWarning):
        return 1  # what nobody can read turns nothing
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _prepare() -> None:
    """Import what reads ``TYPES``, or Pillow would import everything that it knows.

    It warns of broken EXIF, which is nothing to an operator.
    """
    import warnings

    from PIL import AvifImagePlugin, Image, WebPImagePlugin  # noqa: F401  they register themselves

    if Image.MAX_IMAGE_PIXELS != MOST_PIXELS:
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)


def _bytes(source: Path | BinaryIO) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    size = source.seek(0, 2)
    source.seek(0)
    return size


def _too_many_pixels() -> BrokenPicture:
    return BrokenPicture("The picture has more than 25 million pixels.", code="too_large")
