"""Section H: what pictures would give away, and those that are larger than they look."""

from __future__ import annotations

import os
import resource
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from models import Content, File, User
from tests.answers import code, data
from tests.api.pictures import content_of, picture, thumbnail_of, uploaded
from tests.processes import together
from tests.uploads import FILES

SignIn = Callable[[User], FlaskClient]
#: How often what may leak a file is done; ten thousand times where proofs are made.
TIMES = 10_000 if os.environ.get("PROVE") else 300
#: Bytes that may be used beside what a process has when it has loaded Pillow (fault T19).
ROOM = 64 * 2**20


def with_place(kind: str) -> bytes:
    """Return a picture that tells where it was taken, when, and with what."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0132] = "SECRET-CAMERA", "2026:11:20 06:45:00"
    tags.get_ifd(0x8825)[1] = "N"
    tags.get_ifd(0x8825)[2] = (52.0, 30.0, 1.0)
    xmp: dict[str, Any] = {} if kind == "PNG" else {"xmp": b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>"}
    return picture(300, 200, kind, exif=tags.tobytes(), **xmp)


def blank(width: int, height: int, colours: int = 2) -> bytes:
    """Return a small PNG of many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    wide = {2: 3 * width, 0: -(-width // 8)}[colours]
    packer, row = zlib.compressobj(9), bytes(1 + wide)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8 if colours else 1, colours, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bombs() -> dict[str, bytes]:
    """Return pictures that say, or hold, far more than they have bytes."""
    small = {kind: picture(8, 8, kind) for kind in ("JPEG", "GIF", "WEBP")}
    start = small["JPEG"].index(b"\xff\xc0") + 5
    webp = b"VP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0" * 2 + small["WEBP"][12:]
    profile = b"x\0\0" + zlib.compress(bytes(10**8), 9)
    header = blank(8, 8)
    chunk = struct.pack(">I", len(profile)) + b"iCCP" + profile
    chunk += struct.pack(">I", zlib.crc32(b"iCCP" + profile))
    written = BytesIO()
    Image.new("L", (5_000, 5_000)).save(written, "WEBP", lossless=True)
    return {
        "PNG of 169 million pixels": blank(13_000, 13_000, 0),
        "PNG of 25 million": blank(5_000, 5_000),
        "PNG with a profile of 100 MB": header[:33] + chunk + header[33:],
        "GIF of 4 billion": small["GIF"][:6] + b"\xff\xff\xff\xff" + small["GIF"][10:],
        "JPEG of 4 billion": small["JPEG"][:start]
        + b"\xff\xdc\xff\xdc"
        + small["JPEG"][start + 4 :],
        "WebP of 268 million": b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp,
        "WebP of 25 million": written.getvalue(),
    }


class TestCase124:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
    def test_case_124_is_served_without_what_it_tells(
        self, sign_in: SignIn, client: FlaskClient, ada: User, kind: str
    ) -> None:
        # given
        given = with_place(kind)
        assert b"SECRET" in given
        # when
        file = uploaded(sign_in(ada), given, f"a.{kind.lower()}", visibility="public")
        # then
        for path in (content_of(file["id"]), thumbnail_of(file["id"], 64)):
            served = client.get(path).data
            assert b"SECRET" not in served
            assert b"2026:11:20" not in served
            with Image.open(BytesIO(served)) as opened:
                assert dict(opened.getexif()) == {}
        assert file["size"] == len(client.get(content_of(file["id"])).data)

    def test_case_124_by_its_name_too(
        self, sign_in: SignIn, client: FlaskClient, ada: User
    ) -> None:
        uploaded(sign_in(ada), with_place("JPEG"), "place.jpg", visibility="public")

        served = client.get(f"/api/v1/users/{ada.id}/files/by-name/place.jpg").data

        assert served.startswith(b"\xff\xd8")
        assert b"SECRET" not in served


class TestCase120:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
    def test_case_120_what_hangs_on_to_a_picture_is_left_out(
        self, sign_in: SignIn, client: FlaskClient, ada: User, kind: str
    ) -> None:
        hidden = b"<script>alert(1)</script>PK\x03\x04"

        file = uploaded(sign_in(ada), picture(kind=kind) + hidden, "a.html", visibility="public")

        answer = client.get(content_of(file["id"]))
        assert answer.headers["Content-Type"] == f"image/{kind.lower()}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert b"script" not in answer.data
        assert b"PK\x03\x04" not in answer.data


class TestCase114:
    @pytest.mark.parametrize("width", ["-1", "1e9", "9" * 400, "256;rm", "%00", "256.0"])
    def test_case_114_bad_transforms_are_400(self, sign_in: SignIn, ada: User, width: str) -> None:
        caller = sign_in(ada)
        file = uploaded(caller)

        assert code(caller.get(f"{FILES}/{file['id']}/thumbnail?width={width}")) == "validation"

    def test_case_114_open_files_stay_as_many(self, sign_in: SignIn, ada: User) -> None:
        # given
        caller = sign_in(ada)
        path = thumbnail_of(uploaded(caller)["id"], 64)
        caller.head(path)
        before = len(list(Path("/proc/self/fd").iterdir()))
        # when
        statuses = {
            caller.open(path, method=method, headers=headers).status_code
            for _ in range(TIMES // 3)
            for method, headers in (
                ("HEAD", {}),
                ("HEAD", {"If-None-Match": "*"}),
                ("GET", {"Range": "bytes=" + ",".join(["9999999-"] * 1_000)}),
            )
        }
        # then
        assert statuses == {200, 304, 416}
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


class TestBombs:
    def test_fault_12_is_refused_and_nothing_stored(
        self, sign_in: SignIn, ada: User, session: Session
    ) -> None:
        bomb = blank(13_000, 13_000, 0)
        assert len(bomb) < 30_000

        answer = sign_in(ada).post(
            FILES,
            data={"files": [(BytesIO(bomb), "bomb.png"), (BytesIO(picture()), "a.png")]},
            content_type="multipart/form-data",
        )

        refused, kept = data(answer, 207)["items"]
        assert refused["problem"]["errors"][0]["code"] == "too_large"
        assert kept["status"] == 201
        assert session.scalars(sa.select(File.name)).all() == ["a.png"]
        assert session.scalar(sa.select(sa.func.count()).select_from(Content)) == 1

    @pytest.mark.parametrize("name", bombs())
    def test_fault_19_they_are_decided_about_in_64_mib(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "bomb"
        path.write_bytes(bombs()[name])

        (outcome,) = together(_decide, [(path,)])

        is_small_enough = "of 25 million" in name
        assert outcome == "refused" or (is_small_enough and outcome == "no thumbnail")


def _decide(path: Path) -> Any:
    """Do with a picture all that is done with one, in little memory; return how that ended."""
    from services.pictures import BrokenPicture, measure, strip, thumbnail

    measure_one = BytesIO(picture())
    thumbnail(measure_one, 64)  # loads what is loaded once
    used = _data()
    resource.setrlimit(resource.RLIMIT_DATA, (used + ROOM, used + ROOM))
    target = path.with_name("stripped")
    try:
        measure(path)
        with path.open("rb") as source, target.open("wb") as written:
            strip(source, written)
    except BrokenPicture:
        return "refused"
    try:
        thumbnail(target, 256)
    except BrokenPicture:
        return "no thumbnail"
    return "a thumbnail"


def _data() -> int:
    """Return the bytes that this process has for data, as the system counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024
