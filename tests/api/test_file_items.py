"""Single files over HTTP: listed, read, renamed, published, deleted, restored, gone for good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import Content, ContentHold, File, Post, Revision, User
from services import contents
from services.storage import storage_of
from tests.answers import code, data, ids
from tests.api.test_files import HELLO, MEMBERS, picture, stored
from tests.factories import make_file, make_post
from tests.logged import log_of
from tests.uploads import FILES, upload

SignIn = Callable[[User], FlaskClient]
TRASH = "/api/v1/trash/files"


def kept(config: Config) -> set[str]:
    """Return the keys of all that the storage has."""
    return {path.name for path in Path(config.files).rglob("*") if path.is_file()}


class TestList:
    def test_has_ones_own_files_the_newest_first(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User
    ) -> None:
        own = [make_file(session, ada).id, make_file(session, ada, visibility="public").id]
        make_file(session, mallory, visibility="public")

        assert ids(sign_in(ada).get(FILES)) == own[::-1]

    def test_of_an_admin_too(
        self, sign_in: SignIn, session: Session, ada: User, admin: User
    ) -> None:
        make_file(session, ada)

        assert ids(sign_in(admin).get(FILES)) == []

    def test_of_nobody(self, client: FlaskClient) -> None:
        assert code(client.get(FILES)) == "unauthenticated"

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("name=b.txt", ["b.txt"]),
            ("media_type=text/plain&sort=name", ["a.txt", "b.txt"]),
            ("visibility=public", ["c.png"]),
            ("sort=-size", ["c.png", "b.txt", "a.txt"]),
        ],
    )
    def test_can_be_narrowed_and_sorted(
        self, sign_in: SignIn, session: Session, ada: User, query: str, wanted: list[str]
    ) -> None:
        make_file(session, ada, name="a.txt", size=1)
        make_file(session, ada, name="b.txt", size=2)
        make_file(session, ada, name="c.png", size=3, media_type="image/png", visibility="public")

        items = data(sign_in(ada).get(f"{FILES}?{query}"))["items"]

        assert [each["name"] for each in items] == wanted

    def test_is_streamed(self, sign_in: SignIn, session: Session, ada: User, bob: User) -> None:
        make_file(session, ada)
        make_file(session, bob, visibility="public")

        lines = sign_in(ada).get(FILES, headers={"Accept": "application/x-ndjson"}).text

        assert len(lines.splitlines()) == 1


class TestRead:
    def test_of_ones_own(self, sign_in: SignIn, ada: User) -> None:
        client = sign_in(ada)
        made = stored(upload(client, ("a.txt", HELLO)))

        answer = client.get(f"{FILES}/{made['id']}")

        assert data(answer) == made
        assert set(made) == MEMBERS
        same = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(f"{FILES}/{made['id']}", headers=same).status_code == 304

    def test_of_some_members(self, sign_in: SignIn, session: Session, ada: User) -> None:
        id = make_file(session, ada).id

        assert data(sign_in(ada).get(f"{FILES}/{id}?fields=id,size")) == {"id": id, "size": 7}

    def test_of_a_private_one_where_it_is_shown(
        self, client: FlaskClient, session: Session, ada: User
    ) -> None:
        id = make_file(session, ada).id
        post = make_post(session, ada, cover_id=id)
        assert client.get(f"{FILES}/{id}").status_code == 200

        session.get_one(Post, post.id).status = "draft"
        session.commit()

        assert client.get(f"{FILES}/{id}").status_code == 404


class TestChange:
    def test_of_name_and_visibility(
        self, sign_in: SignIn, client: FlaskClient, session: Session, ada: User
    ) -> None:
        owner = sign_in(ada)
        made = stored(upload(owner, ("a.txt", HELLO)))
        url = f"{FILES}/{made['id']}"

        changed = data(owner.patch(url, json={"name": "b.txt", "visibility": "public"}))

        assert (changed["name"], changed["visibility"]) == ("b.txt", "public")
        assert (changed["version"], changed["sha256"]) == (2, made["sha256"])
        assert client.get(url).status_code == 200
        assert log_of(session, "files", made["id"]) == [("create", 1, 0, 1), ("update", 2, 1, 2)]
        snapshots = sa.select(Revision.snapshot).where(Revision.type == "files")
        assert session.scalars(snapshots.order_by(Revision.version)).all() == [
            {"name": "a.txt", "visibility": "private"},
            {"name": "b.txt", "visibility": "public"},
        ]

    def test_of_an_older_version(self, sign_in: SignIn, session: Session, ada: User) -> None:
        id = make_file(session, ada).id

        answer = sign_in(ada).patch(
            f"{FILES}/{id}", json={"name": "b"}, headers={"If-Match": '"9-x"'}
        )

        assert code(answer) == "precondition-failed"

    def test_by_put_without_visibility_makes_it_private(
        self, sign_in: SignIn, session: Session, ada: User
    ) -> None:
        id = make_file(session, ada, visibility="public").id

        changed = data(sign_in(ada).put(f"{FILES}/{id}", json={"name": "b.txt"}))

        assert (changed["name"], changed["visibility"]) == ("b.txt", "private")

    def test_by_an_editor_is_refused(
        self, sign_in: SignIn, session: Session, ada: User, editor: User
    ) -> None:
        private, public = (
            make_file(session, ada, visibility=each).id for each in ("private", "public")
        )
        client = sign_in(editor)

        assert code(client.patch(f"{FILES}/{private}", json={"name": "x"})) == "not-found"
        assert code(client.patch(f"{FILES}/{public}", json={"name": "x"})) == "forbidden"


class TestDelete:
    def test_keeps_the_content_until_the_last_file_is_purged(
        self, sign_in: SignIn, session: Session, ada: User, mallory: User, config: Config
    ) -> None:
        content = b"twice\0" * 9
        one, two = sign_in(ada), sign_in(mallory)
        first, second = (stored(upload(each, ("a.bin", content))) for each in (one, two))
        sha256 = first["sha256"]

        assert one.delete(f"{FILES}/{first['id']}").status_code == 204
        assert one.get(f"{FILES}/{first['id']}").status_code == 404
        assert sha256 in kept(config)
        restored = one.post(f"{TRASH}/{first['id']}/restoration")
        assert restored.status_code == 200
        assert one.delete(f"{FILES}/{first['id']}").status_code == 204
        assert one.delete(f"{TRASH}/{first['id']}").status_code == 204
        assert sha256 in kept(config)
        assert two.get(f"{FILES}/{second['id']}/content").data == content
        assert two.delete(f"{FILES}/{second['id']}").status_code == 204
        assert two.delete(f"{TRASH}/{second['id']}").status_code == 204

        assert sha256 not in kept(config)
        for table in (File, Content, ContentHold):
            assert session.scalars(sa.select(table)).all() == []

    def test_takes_thumbnails_and_what_shows_it_along(
        self, sign_in: SignIn, session: Session, ada: User, config: Config
    ) -> None:
        client = sign_in(ada)
        made = stored(upload(client, ("a.png", picture(90, 80))))
        post = make_post(session, ada, cover_id=made["id"])
        assert client.get(f"{FILES}/{made['id']}/thumbnail?width=64").status_code == 200
        assert f"{made['sha256']}-64.webp" in kept(config)

        client.delete(f"{FILES}/{made['id']}")
        client.delete(f"{TRASH}/{made['id']}")

        assert not {key for key in kept(config) if made["sha256"] in key}
        session.refresh(post)
        assert post.cover_id is None

    def test_of_a_user_takes_their_files_along(
        self, sign_in: SignIn, session: Session, ada: User, admin: User, config: Config
    ) -> None:
        made = stored(upload(sign_in(ada), ("a.txt", b"ada's"), visibility="public"))
        root = sign_in(admin)

        assert root.delete(f"/api/v1/users/{ada.id}").status_code == 204
        assert root.get(f"{FILES}/{made['id']}").status_code == 404
        assert root.delete(f"/api/v1/trash/users/{ada.id}").status_code == 204

        assert made["sha256"] not in kept(config)
        assert session.scalars(sa.select(Content)).all() == []

    def test_whose_content_could_not_be_dropped_is_swept_later(
        self,
        sign_in: SignIn,
        session: Session,
        ada: User,
        config: Config,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        client = sign_in(ada)
        made = stored(upload(client, ("a.txt", b"to be swept")))
        client.delete(f"{FILES}/{made['id']}")
        with monkeypatch.context() as patched:
            patched.setattr(contents, "drop_quietly", lambda *_: None)  # as if it were killed
            assert client.delete(f"{TRASH}/{made['id']}").status_code == 204
        assert made["sha256"] in kept(config)

        swept = contents.sweep(session, lambda: storage_of(config))

        assert swept == 1
        assert made["sha256"] not in kept(config)
        assert session.scalars(sa.select(ContentHold)).all() == []
