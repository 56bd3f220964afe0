"""What holds for every declared resource that has items, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api.spec import Spec
from models import Change, Revision
from services.registry import RESOURCES
from signpost.contract.answers import code, data
from signpost.contract.resources import (
    API,
    Maker,
    body_of,
    change_of,
    id_of,
    lived,
    logged,
    make,
    members,
    unversioned,
)
from signpost.contract.selection import Kit
from signpost.contract.subject import Subject


class Resources(Kit):
    """One item of each type, and who may do everything with it."""

    makers: Mapping[str, Maker] = {}
    """Type → makes one by a request, where that takes more than a POST of its examples."""

    @pytest.fixture
    def caller(self, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
        """Who may do everything."""
        return sign_in("admin")

    @pytest.fixture
    def spec(self, subject: Subject, type: str) -> Spec:
        """What a type is declared as."""
        spec: Spec = subject.items[type].cls.spec
        return spec

    @pytest.fixture
    def url(self, caller: FlaskClient, subject: Subject, type: str) -> str:
        """Return the URL of a new item."""
        return make(caller, subject, type, self.makers)


class Known(Resources):
    """What the rest of the service knows of it."""

    def test_is_known_to_log_and_trash(self, app: object, spec: Spec, type: str) -> None:
        assert RESOURCES[type] is spec.service
        assert {"id", "version"} <= set(spec.output)


class Read(Resources):
    """``GET`` of an item."""

    def test_is_sent_once(self, caller: FlaskClient, url: str) -> None:
        answer = caller.get(url)
        tag = answer.headers["ETag"]

        again = caller.get(url, headers={"If-None-Match": tag})

        assert tag.startswith(f'"{data(answer)["version"]}-')
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert caller.get(url, headers={"If-None-Match": '"0-x"'}).status_code == 200

    def test_is_trimmed(self, caller: FlaskClient, url: str, spec: Spec) -> None:
        whole = data(caller.get(url))

        for name in spec.output:
            assert data(caller.get(f"{url}?fields={name}")) == {name: whole[name]}
            assert data(caller.get(url, headers={"X-Fields": name})) == {name: whole[name]}
        assert data(caller.get(f"{url}?fields=*")) == whole
        assert code(caller.get(f"{url}?fields=zq_nobody")) == "validation"

    def test_what_is_not_there_is_not_found(
        self, caller: FlaskClient, subject: Subject, type: str
    ) -> None:
        rule = subject.items[type].rule
        for id in ("999999999", "0", "01", "x"):
            assert code(caller.get(rule.replace("<id:id>", id))) == "not-found"


class Allowed(Resources):
    """``/can``, which the core's items have."""

    def test_says_what_one_may_do(self, caller: FlaskClient, url: str) -> None:
        rights = data(caller.get(f"{url}/can"))

        assert {"read", "update", "delete"} <= set(rights)
        assert all(right["allowed"] for right in rights.values())


class Changed(Resources):
    """``PATCH``, ``PUT`` and ``DELETE`` of an item."""

    @pytest.mark.parametrize("verb", ["patch", "put", "delete"])
    def test_of_what_is_newer_is_refused(
        self, caller: FlaskClient, url: str, spec: Spec, verb: str
    ) -> None:
        seen = caller.get(url)
        assert data(caller.patch(url, json=change_of(spec)))["version"] == 2
        stored = caller.get(url)
        body = None if verb == "delete" else body_of(spec, verb, data(seen))

        answer = caller.open(
            url, method=verb.upper(), json=body, headers={"If-Match": seen.headers["ETag"]}
        )

        assert code(answer) == "precondition-failed"
        assert answer.headers["ETag"] == stored.headers["ETag"]
        assert data(caller.get(url)) == data(stored)

    @pytest.mark.parametrize("verb", ["patch", "put", "delete"])
    def test_of_what_was_seen_is_made(
        self, caller: FlaskClient, url: str, spec: Spec, verb: str
    ) -> None:
        seen = caller.get(url)
        body = None if verb == "delete" else body_of(spec, verb, data(seen))
        tag = {"If-Match": seen.headers["ETag"]}

        answer = caller.open(url, method=verb.upper(), json=body, headers=tag)

        if verb == "delete":
            assert answer.status_code == 204
        else:
            assert data(answer)["version"] == 2
            assert answer.headers["ETag"] == caller.get(url).headers["ETag"]
            assert data(answer) == data(caller.get(url))

    def test_without_a_difference_changes_nothing(
        self, caller: FlaskClient, url: str, session: Session, type: str, spec: Spec
    ) -> None:
        caller.patch(url, json=change_of(spec))
        before = data(caller.get(url))

        assert data(caller.patch(url, json=change_of(spec))) == before

        assert [op for op, _ in logged(session, type, url)] == ["create", "update"]

    def test_of_what_is_only_shown_is_refused(
        self, caller: FlaskClient, url: str, spec: Spec
    ) -> None:
        for name in set(spec.output) - set(members(spec.patch)):
            answer = caller.patch(url, json={name: None})
            assert answer.get_json()["errors"][0]["code"] == "read_only", name


class History(Resources):
    """What the log and the revisions keep."""

    def test_every_change_is_in_the_log(
        self, caller: FlaskClient, url: str, session: Session, type: str, spec: Spec
    ) -> None:
        lived(caller, url, type, spec)

        assert logged(session, type, url) == [
            ("create", 1),
            ("update", 2),
            ("delete", 3),
            ("restore", 4),
        ]

    def test_every_version_is_kept_that_is_declared_to_be(
        self, caller: FlaskClient, url: str, session: Session, type: str, spec: Spec
    ) -> None:
        lived(caller, url, type, spec)

        service = spec.service
        kept = sa.select(Revision.version, Revision.snapshot).order_by(Revision.version)
        found = session.execute(kept.where(Revision.type == type, Revision.id == id_of(url))).all()
        assert [version for version, _ in found] == ([1, 2] if service.history else [])
        for _, snapshot in found:
            assert set(snapshot) == set(service.history)
        assert set(change_of(spec)) <= set(service.history) or not service.history


class Trash(Resources):
    """``DELETE``, and what the trash does then."""

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
        self, caller: FlaskClient, url: str, session: Session, type: str, spec: Spec
    ) -> None:
        caller.delete(url)

        assert caller.delete(f"{API}/trash/{type}/{id_of(url)}").status_code == 204

        model, id = spec.service.model, id_of(url)
        assert session.scalar(sa.select(model.id).where(model.id == id)) is None
        kept = sa.select(Revision.id).where(Revision.type == type, Revision.id == id)
        assert session.scalar(kept) is None
        actors = sa.select(Change.actor_id).where(Change.type == type, Change.id == id)
        assert set(session.scalars(actors)) == {None}
        assert code(caller.get(url)) == "not-found"
