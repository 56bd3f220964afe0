"""What holds for every declared resource that has items, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Change, Revision, User
from services.registry import RESOURCES
from tests.answers import code, data
from tests.contract.declared import API, ITEMS, change_of, make, members

SignIn = Callable[[User], FlaskClient]

pytestmark = pytest.mark.parametrize("type", sorted(ITEMS))


@pytest.fixture
def caller(sign_in: SignIn, admin: User) -> FlaskClient:
    """Who may do everything."""
    return sign_in(admin)


@pytest.fixture
def url(caller: FlaskClient, type: str) -> str:
    """Return the URL of a new item."""
    return make(caller, type)


def id_of(url: str) -> int:
    return int(url.rsplit("/", 1)[1])


def test_is_known_to_log_and_trash(type: str) -> None:
    assert RESOURCES[type] is ITEMS[type].service
    assert {"id", "version"} <= set(ITEMS[type].output)


class TestRead:
    def test_is_sent_once(self, caller: FlaskClient, url: str) -> None:
        answer = caller.get(url)
        tag = answer.headers["ETag"]

        again = caller.get(url, headers={"If-None-Match": tag})

        assert tag.startswith(f'"{data(answer)["version"]}-')
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert caller.get(url, headers={"If-None-Match": '"0-x"'}).status_code == 200

    def test_is_trimmed(self, caller: FlaskClient, url: str, type: str) -> None:
        whole = data(caller.get(url))

        for name in ITEMS[type].output:
            assert data(caller.get(f"{url}?fields={name}")) == {name: whole[name]}
            assert data(caller.get(url, headers={"X-Fields": name})) == {name: whole[name]}
        assert data(caller.get(f"{url}?fields=*")) == whole
        assert code(caller.get(f"{url}?fields=zq_nobody")) == "validation"

    def test_says_what_one_may_do(self, caller: FlaskClient, url: str) -> None:
        rights = data(caller.get(f"{url}/can"))

        assert {"read", "update", "delete"} <= set(rights)
        assert all(right["allowed"] for right in rights.values())

    def test_what_is_not_there_is_not_found(self, caller: FlaskClient, type: str) -> None:
        for id in ("999999999", "0", "01", "x"):
            assert code(caller.get(f"{API}/{type}/{id}")) == "not-found"


class TestChange:
    @pytest.mark.parametrize("verb", ["patch", "put", "delete"])
    def test_of_what_is_newer_is_refused(
        self, caller: FlaskClient, url: str, type: str, verb: str
    ) -> None:
        seen = caller.get(url)
        assert data(caller.patch(url, json=change_of(ITEMS[type])))["version"] == 2
        stored = caller.get(url)
        body = None if verb == "delete" else _body(type, verb, data(seen))

        answer = caller.open(
            url, method=verb.upper(), json=body, headers={"If-Match": seen.headers["ETag"]}
        )

        assert code(answer) == "precondition-failed"
        assert answer.headers["ETag"] == stored.headers["ETag"]
        assert data(caller.get(url)) == data(stored)

    @pytest.mark.parametrize("verb", ["patch", "put", "delete"])
    def test_of_what_was_seen_is_made(
        self, caller: FlaskClient, url: str, type: str, verb: str
    ) -> None:
        seen = caller.get(url)
        body = None if verb == "delete" else _body(type, verb, data(seen))
        tag = {"If-Match": seen.headers["ETag"]}

        answer = caller.open(url, method=verb.upper(), json=body, headers=tag)

        if verb == "delete":
            assert answer.status_code == 204
        else:
            assert data(answer)["version"] == 2
            assert answer.headers["ETag"] == caller.get(url).headers["ETag"]
            assert data(answer) == data(caller.get(url))

    def test_without_a_difference_changes_nothing(
        self, caller: FlaskClient, url: str, session: Session, type: str
    ) -> None:
        caller.patch(url, json=change_of(ITEMS[type]))
        before = data(caller.get(url))

        assert data(caller.patch(url, json=change_of(ITEMS[type]))) == before

        assert [op for op, _ in logged(session, type, url)] == ["create", "update"]

    def test_of_what_is_only_shown_is_refused(
        self, caller: FlaskClient, url: str, type: str
    ) -> None:
        for name in set(ITEMS[type].output) - set(members(ITEMS[type].patch)):
            answer = caller.patch(url, json={name: None})
            assert answer.get_json()["errors"][0]["code"] == "read_only", name


class TestHistory:
    def test_every_change_is_in_the_log(
        self, caller: FlaskClient, url: str, session: Session, type: str
    ) -> None:
        lived(caller, url, type)

        assert logged(session, type, url) == [
            ("create", 1),
            ("update", 2),
            ("delete", 3),
            ("restore", 4),
        ]

    def test_every_version_is_kept_that_is_declared_to_be(
        self, caller: FlaskClient, url: str, session: Session, type: str
    ) -> None:
        lived(caller, url, type)

        service = ITEMS[type].service
        kept = sa.select(Revision.version, Revision.snapshot).order_by(Revision.version)
        found = session.execute(kept.where(Revision.type == type, Revision.id == id_of(url))).all()
        assert [version for version, _ in found] == ([1, 2] if service.history else [])
        for _, snapshot in found:
            assert set(snapshot) == set(service.history)
        assert set(change_of(ITEMS[type])) <= set(service.history) or not service.history


class TestTrash:
    def test_it_is_gone_at_once_and_comes_back_as_it_was(
        self, caller: FlaskClient, url: str, type: str
    ) -> None:
        before = data(caller.get(url))

        deleted = caller.delete(url)

        assert deleted.status_code == 204
        trashed = f"{API}/trash/{type}/{id_of(url)}"
        assert deleted.headers["Link"] == f'<{trashed}/restoration>; rel="undo"'
        for verb in ("get", "patch", "delete"):
            assert code(caller.open(url, method=verb.upper(), json={})) == "not-found"
        listed = data(caller.get(f"{API}/trash"))["items"]
        assert (type, id_of(url)) in {(each["type"], each["id"]) for each in listed}
        assert data(caller.get(trashed))["type"] == type
        assert caller.post(f"{trashed}/restoration").status_code == 200
        after = data(caller.get(url))
        assert unversioned(after) == unversioned(before)
        assert after["version"] == before["version"] + 2
        assert code(caller.get(trashed)) == "not-found"

    def test_it_can_be_removed_for_good(
        self, caller: FlaskClient, url: str, session: Session, type: str
    ) -> None:
        caller.delete(url)

        assert caller.delete(f"{API}/trash/{type}/{id_of(url)}").status_code == 204

        model, id = ITEMS[type].service.model, id_of(url)
        assert session.scalar(sa.select(model.id).where(model.id == id)) is None
        kept = sa.select(Revision.id).where(Revision.type == type, Revision.id == id)
        assert session.scalar(kept) is None
        actors = sa.select(Change.actor_id).where(Change.type == type, Change.id == id)
        assert set(session.scalars(actors)) == {None}
        assert code(caller.get(url)) == "not-found"


def lived(caller: FlaskClient, url: str, type: str) -> None:
    """Change an item, delete it and bring it back."""
    data(caller.patch(url, json=change_of(ITEMS[type])))
    assert caller.delete(url).status_code == 204
    data(caller.post(f"{API}/trash/{type}/{id_of(url)}/restoration"))


def logged(session: Session, type: str, url: str) -> list[tuple[str, int]]:
    """Return what the log says of an item: operation and version, in order."""
    rows = sa.select(Change.op, Change.version).order_by(Change.seq)
    found = session.execute(rows.where(Change.type == type, Change.id == id_of(url))).all()
    session.rollback()
    return [(op, version) for op, version in found]


def unversioned(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without what every change changes."""
    return {name: value for name, value in item.items() if name not in {"version", "updated_at"}}


def _body(type: str, verb: str, seen: dict[str, Any]) -> dict[str, Any]:
    change = change_of(ITEMS[type])
    if verb == "patch":
        return {name: f"{text}-again" for name, text in change.items()}
    required = [name for name, field in members(ITEMS[type].replace).items() if field.required]
    return {name: seen[name] for name in required} | {n: f"{t}-again" for n, t in change.items()}
