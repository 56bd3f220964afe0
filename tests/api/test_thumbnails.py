"""Thumbnails over HTTP: of pictures that may be seen, made once, kept, gone with their picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import File, User
from services.pictures import thumbnails
from tests.answers import code, faults
from tests.api.pictures import content_of, picture, shown, thumbnail_of, uploaded
from tests.racing import World, all_at_once, told
from tests.uploads import FILES

SignIn = Callable[..., FlaskClient]


def kept(config: Config, file: dict[str, Any]) -> list[str]:
    """Return what the storage has of a picture."""
    return sorted(path.name for path in Path(config.files).rglob(f"{file['sha256']}*"))


class TestGet:
    def test_is_a_small_webp(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, picture(600, 400), visibility="public")

        answer = caller.get(thumbnail_of(file["id"], 128))

        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"] == 'inline; filename="harbour-128.webp"'
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        image = shown(answer.data)
        assert (image.format, image.size) == ("WEBP", (128, 85))
        red, green, blue = image.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
        assert red > 200 > green + blue

    def test_is_256_wide_unless_told_otherwise(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, picture(600, 400))

        assert shown(caller.get(thumbnail_of(file["id"])).data).size == (256, 171)

    @pytest.mark.parametrize("width", thumbnails.WIDTHS)
    def test_is_never_larger_than_the_picture(self, sign_in: SignIn, ada: User, width: int) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, picture(60, 40))

        assert shown(caller.get(thumbnail_of(file["id"], width)).data).size == (60, 40)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
    def test_of_every_kind(self, sign_in: SignIn, ada: User, kind: str) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, picture(300, 200, kind), f"x.{kind.lower()}")

        assert shown(caller.get(thumbnail_of(file["id"], 64)).data).size == (64, 43)

    def test_head_tells_what_get_would(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)
        path = thumbnail_of(uploaded(caller)["id"])

        head, got = caller.head(path), caller.get(path)

        assert head.status_code == 200
        assert head.data == b""
        assert head.headers["Content-Length"] == str(len(got.data))
        assert head.headers["ETag"] == got.headers["ETag"]

    def test_is_asked_after_by_its_tag(self, sign_in: SignIn, ada: User, config: Config) -> None:
        caller = sign_in(ada)
        file = uploaded(caller)
        tag = caller.get(thumbnail_of(file["id"], 64)).headers["ETag"]

        again = caller.get(thumbnail_of(file["id"], 64), headers={"If-None-Match": tag})
        other = caller.get(thumbnail_of(file["id"], 128), headers={"If-None-Match": tag})

        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert other.status_code == 200
        assert other.headers["ETag"] != tag

    def test_is_made_once(
        self, sign_in: SignIn, ada: User, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        caller = sign_in(ada)
        file = uploaded(caller)
        first = caller.get(thumbnail_of(file["id"], 64))
        monkeypatch.setattr(thumbnails, "thumbnail", None)
        # when
        second = caller.get(thumbnail_of(file["id"], 64))
        # then
        assert second.data == first.data
        assert kept(config, file) == [file["sha256"], f"{file['sha256']}-64.webp"]


class TestRefusal:
    @pytest.mark.parametrize("width", ["0", "65", "-64", "064", "1e2", "", "99999", "64px"])
    def test_of_other_widths(self, sign_in: SignIn, ada: User, config: Config, width: str) -> None:
        caller = sign_in(ada)
        file = uploaded(caller)

        answer = caller.get(f"{FILES}/{file['id']}/thumbnail?width={width}")

        assert faults(answer) == {"width": "choice"}
        assert kept(config, file) == [file["sha256"]]

    def test_of_other_parameters(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)

        answer = caller.get(thumbnail_of(uploaded(caller)["id"], 64) + "&height=64")

        assert faults(answer) == {"height": "unknown"}

    def test_of_what_is_no_picture(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, b"Hello, world.\n", "notes.txt")

        assert code(caller.get(thumbnail_of(file["id"]))) == "not-found"

    def test_of_what_cannot_be_decoded(
        self, sign_in: SignIn, ada: User, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        caller = sign_in(ada)
        whole = picture(300, 200)
        start = whole.index(b"IDAT") + 4
        broken = whole[:start] + bytes(40) + whole[start + 40 :]
        file = uploaded(caller, broken)
        # when
        first = caller.get(thumbnail_of(file["id"]))
        monkeypatch.setattr(thumbnails, "thumbnail", None)
        second = caller.get(thumbnail_of(file["id"]))
        # then
        assert code(first) == "not-found"
        assert code(second) == "not-found"  # it isn't tried again
        assert kept(config, file) == [file["sha256"]]

    @pytest.mark.parametrize("who", ["nobody", "mallory"])
    def test_of_private_pictures_to_others(
        self, client: FlaskClient, sign_in: SignIn, ada: User, mallory: User, who: str
    ) -> None:
        # given
        file = uploaded(sign_in(ada))
        sign_in(ada).get(thumbnail_of(file["id"]))
        caller = client if who == "nobody" else sign_in(mallory)
        # when
        answers = [
            caller.get(thumbnail_of(file["id"])),
            caller.head(thumbnail_of(file["id"])),
            caller.get(thumbnail_of(file["id"]), headers={"If-None-Match": "*"}),
        ]
        # then
        assert [answer.status_code for answer in answers] == [404, 404, 404]


class TestDeletion:
    def test_hides_it(self, sign_in: SignIn, ada: User) -> None:
        caller = sign_in(ada)
        file = uploaded(caller, visibility="public")
        tag = caller.get(thumbnail_of(file["id"])).headers["ETag"]

        caller.delete(f"{FILES}/{file['id']}")

        answer = caller.get(thumbnail_of(file["id"]), headers={"If-None-Match": tag})
        assert code(answer) == "not-found"

    def test_for_good_removes_it(
        self, sign_in: SignIn, ada: User, session: Session, config: Config
    ) -> None:
        # given
        caller = sign_in(ada)
        file = uploaded(caller)
        for width in (64, 256):
            caller.get(thumbnail_of(file["id"], width))
        assert len(kept(config, file)) == 3
        # when
        caller.delete(f"{FILES}/{file['id']}")
        answer = caller.delete(f"/api/v1/trash/files/{file['id']}")
        # then
        assert answer.status_code == 204
        assert session.scalar(sa.select(sa.func.count()).select_from(File)) == 0
        assert kept(config, file) == []

    def test_leaves_those_of_the_same_picture_of_others(
        self, sign_in: SignIn, ada: User, mallory: User, config: Config
    ) -> None:
        caller, other = sign_in(ada), sign_in(mallory)
        content = picture()
        file, same = uploaded(caller, content), uploaded(other, content)
        caller.get(thumbnail_of(file["id"], 64))

        caller.delete(f"{FILES}/{file['id']}")
        caller.delete(f"/api/v1/trash/files/{file['id']}")

        assert len(kept(config, file)) == 2
        assert other.get(thumbnail_of(same["id"], 64)).status_code == 200
        assert other.get(content_of(same["id"])).status_code == 200


class TestAtOnce:
    def test_asked_for_by_many_is_the_same_for_all(self, world: World) -> None:
        # given
        _, caller = world.user()
        sent = caller.post(FILES, files={"files": ("a.jpg", picture(2_000, 1_500, "JPEG"))})
        file = sent.raise_for_status().json()["items"][0]["data"]
        paths = [thumbnail_of(file["id"], width) for width in (64, 512) for _ in range(10)]
        # when
        answers = all_at_once([partial(caller.get, path) for path in paths])
        # then
        assert told(answers) == {200: 20}
        assert len({answer.content for answer in answers[:10]}) == 1
        assert len({answer.content for answer in answers[10:]}) == 1
        assert len({answer.headers["ETag"] for answer in answers}) == 2
        folder = world.server.data_dir / "files"
        assert len(list(folder.rglob(f"{file['sha256']}*"))) == 3
