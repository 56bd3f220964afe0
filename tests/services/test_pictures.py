"""Pictures without a service around them: measured by their header, stripped without loss."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services.errors import Unavailable
from services.pictures import BrokenPicture, Size, decoding, measure, strip, thumbnail

SECRETS = (b"SECRET-CAMERA", b"SECRET-XMP", b"SECRET-COMMENT", b"SECRET-TEXT", b"SECRET-TAIL")
PROFILE = b"a colour profile"
STILL = ("JPEG", "PNG", "WEBP", "AVIF")


@pytest.fixture
def file() -> Iterator[BinaryIO]:
    with TemporaryFile() as file:
        yield file


def exif(orientation: int = 1) -> bytes:
    """Return EXIF with a place and a camera."""
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = orientation, SECRETS[0].decode()
    tags.get_ifd(0x8825)[1] = "N"
    tags.get_ifd(0x8825)[2] = (52.0, 30.0, 1.0)
    return tags.tobytes()


def image() -> Image.Image:
    """Return a grey picture of 60 x 40 whose top left corner is red."""
    made = Image.radial_gradient("L").resize((60, 40)).convert("RGB")
    made.paste((255, 0, 0), (0, 0, 16, 16))
    return made


def telling(kind: str, orientation: int = 1) -> bytes:
    """Return a picture that tells all that one of its kind can tell."""
    written, text = BytesIO(), PngInfo()
    text.add_text("Comment", SECRETS[3].decode())
    ways: dict[str, dict[str, Any]] = {
        "JPEG": {"xmp": SECRETS[1], "comment": SECRETS[2], "quality": 90},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": SECRETS[1], "lossless": True},
        "AVIF": {"xmp": SECRETS[1]},
    }
    image().save(written, kind, exif=exif(orientation), icc_profile=PROFILE, **ways[kind])
    tail = b"" if kind == "AVIF" else SECRETS[4]
    return written.getvalue() + tail


def stripped(file: BinaryIO, content: bytes) -> tuple[bytes, Size]:
    """Return a picture stripped, and the size that is told of it."""
    file.write(content)
    target = BytesIO()
    size = strip(file, target)
    return target.getvalue(), size


def pixels(content: bytes) -> bytes:
    """Return a picture's pixels, decoded."""
    with Image.open(BytesIO(content)) as opened:
        return opened.convert("RGB").tobytes()


def is_red(content: bytes, right: bool = False) -> bool:
    """Whether a top corner is red."""
    with Image.open(BytesIO(content)) as opened:
        shown = opened.convert("RGB")
    red, green, blue = shown.getpixel((shown.width - 4 if right else 4, 4))  # type: ignore[misc]
    return bool(red > 180 and green < 80 and blue < 80)


class TestStrip:
    @pytest.mark.parametrize("kind", STILL)
    def test_takes_off_what_is_told_and_leaves_every_pixel(self, file: BinaryIO, kind: str) -> None:
        given = telling(kind)

        left, size = stripped(file, given)

        assert sum(secret in given for secret in SECRETS) >= 2
        assert not [secret for secret in SECRETS if secret in left]
        assert pixels(left) == pixels(given)
        assert size == (60, 40)
        with Image.open(BytesIO(left)) as opened:
            assert dict(opened.getexif()) == {}
            assert opened.info["icc_profile"] == PROFILE

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize(
        ("orientation", "size", "corner"),
        [(3, (60, 40), None), (6, (40, 60), "right"), (8, (40, 60), None), (2, (60, 40), "right")],
    )
    def test_turns_what_is_to_be_turned(
        self,
        file: BinaryIO,
        kind: str,
        orientation: int,
        size: tuple[int, int],
        corner: str | None,
    ) -> None:
        left, told = stripped(file, telling(kind, orientation))

        assert told == size
        assert not [secret for secret in SECRETS if secret in left]
        with Image.open(BytesIO(left)) as opened:
            assert opened.size == size
            assert dict(opened.getexif()) == {}
        assert is_red(left, right=True) is (corner == "right")

    def test_of_a_photo_too_large_to_be_turned_leaves_its_orientation(
        self, file: BinaryIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(decoding, "MOST_MEMORY", 1_000)
        given = telling("JPEG", 6)

        left, told = stripped(file, given)

        assert told == (40, 60)
        assert pixels(left) == pixels(given)
        assert not [secret for secret in SECRETS if secret in left]
        with Image.open(BytesIO(left)) as opened:
            assert dict(opened.getexif()) == {0x0112: 6}

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
    def test_keeps_an_animation(self, file: BinaryIO, kind: str) -> None:
        frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (50, 150, 250)]
        written = BytesIO()
        how: dict[str, Any] = {"comment": SECRETS[2]} if kind == "GIF" else {"exif": exif()}
        frames[0].save(
            written, kind, save_all=True, append_images=frames[1:], duration=70, loop=3, **how
        )

        left, _ = stripped(file, written.getvalue())

        assert not [secret for secret in SECRETS if secret in left]
        with (
            Image.open(BytesIO(left)) as opened,
            Image.open(BytesIO(written.getvalue())) as before,
        ):
            assert opened.n_frames == 3  # type: ignore[attr-defined]
            assert opened.info.get("loop") == before.info.get("loop") == 3

    def test_of_what_was_stripped_changes_nothing(self, file: BinaryIO) -> None:
        once, _ = stripped(file, telling("JPEG"))
        with TemporaryFile() as again:
            assert stripped(again, once)[0] == once

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_refuses_what_was_cut_off(self, file: BinaryIO, kind: str) -> None:
        whole = telling(kind).removesuffix(SECRETS[4])

        with pytest.raises(BrokenPicture):
            stripped(file, whole[:-20])

    @pytest.mark.parametrize(
        "content", [b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"x"]
    )
    def test_refuses_what_is_no_picture(self, file: BinaryIO, content: bytes) -> None:
        with pytest.raises(BrokenPicture):
            stripped(file, content)

    def test_refuses_frames_without_end(self, file: BinaryIO) -> None:
        written = BytesIO()
        Image.new("P", (1, 1)).save(written, "GIF")
        whole = written.getvalue()
        frame = whole[whole.index(b",") : -1]

        with pytest.raises(BrokenPicture) as caught:
            stripped(file, whole[:-1] + frame * 1_000 + b";")
        assert caught.value.code == "too_large"

    def test_refuses_scans_without_end(self, file: BinaryIO) -> None:
        written = BytesIO()
        image().save(written, "JPEG", progressive=True)
        whole = written.getvalue()
        scan = whole[whole.rindex(b"\xff\xda") : -2]

        with pytest.raises(BrokenPicture) as caught:
            stripped(file, whole[:-2] + scan * 100 + whole[-2:])
        assert caught.value.code == "too_large"


class TestMeasure:
    @pytest.mark.parametrize("kind", [*STILL, "GIF"])
    def test_reads_no_more_than_the_header(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "picture"
        image().save(path, kind)

        assert measure(path) == (60, 40)

    @pytest.mark.parametrize("kind", STILL)
    def test_tells_the_size_as_shown(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "picture"
        path.write_bytes(telling(kind, 6))

        assert measure(path) == (40, 60)

    @pytest.mark.parametrize(("side", "is_taken"), [(5_000, True), (5_001, False)])
    def test_refuses_more_than_25_million_pixels(
        self, tmp_path: Path, side: int, is_taken: bool
    ) -> None:
        path = tmp_path / "picture"
        path.write_bytes(blank(side, side))

        if is_taken:
            assert measure(path) == (side, side)
        else:
            with pytest.raises(BrokenPicture) as caught:
                measure(path)
            assert caught.value.code == "too_large"


class TestThumbnail:
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
    def test_of_every_mode(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / "picture"
        made = Image.new("I;16", (300, 200), 40_000) if mode == "I;16" else image()
        made = made if mode == "I;16" else made.resize((300, 200)).convert(mode)
        made.save(path, "JPEG" if mode == "CMYK" else "PNG")

        small = thumbnail(path, 64)

        with Image.open(BytesIO(small)) as opened:
            assert (opened.format, opened.size) == ("WEBP", (64, 43))

    def test_keeps_what_is_transparent(self, tmp_path: Path) -> None:
        path = tmp_path / "picture"
        Image.new("RGBA", (300, 200), (255, 0, 0, 0)).save(path, "PNG")

        with Image.open(BytesIO(thumbnail(path, 64))) as opened:
            assert opened.convert("RGBA").getpixel((9, 9))[3] == 0  # type: ignore[index]

    def test_is_at_most_twice_as_high_as_wide(self, tmp_path: Path) -> None:
        path = tmp_path / "picture"
        Image.new("RGB", (100, 9_000)).save(path, "PNG")

        with Image.open(BytesIO(thumbnail(path, 64))) as opened:
            assert opened.size == (1, 128)

    def test_is_the_same_each_time(self, tmp_path: Path) -> None:
        path = tmp_path / "picture"
        path.write_bytes(telling("JPEG", 6))

        assert thumbnail(path, 64) == thumbnail(path, 64)
        assert not [secret for secret in SECRETS if secret in thumbnail(path, 64)]

    def test_of_what_would_take_too_much_memory_is_not_begun(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "picture"
        path.write_bytes(blank(5_000, 5_000))
        monkeypatch.setattr(Image.Image, "crop", None)

        with pytest.raises(BrokenPicture) as caught:
            thumbnail(path, 64)
        assert caught.value.code == "too_large"

    def test_waits_for_its_turn_no_longer_than_a_second(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "picture"
        image().save(path, "PNG")
        monkeypatch.setattr(decoding, "_PATIENCE", 0.01)

        with decoding.settings.slots, pytest.raises(Unavailable):
            thumbnail(path, 64)

        assert thumbnail(path, 64)


def blank(width: int, height: int) -> bytes:
    """Return a small PNG of many pixels, all of them black."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer, row = zlib.compressobj(9), bytes(1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
