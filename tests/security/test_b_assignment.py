"""Section B: nobody writes what is not theirs to write, whatever they call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from models import User
from tests.answers import code, data, faults
from tests.factories import PASSWORD
from tests.security.surface import COLUMNS, FORM, JSON_PATCH, Operation, sent

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

    from tests.security.conftest import Locate, Stored

USERS = "/api/v1/users"
EVE = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
#: Names under which other systems keep what one would like to have.
WANTED = {
    "role": "admin",
    "roles": ["admin"],
    "is_admin": True,
    "isAdmin": True,
    "admin": True,
    "email_verified": True,
    "confirmed": True,
    "id": 1,
    "_id": 1,
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "deleted_at": None,
    "status": "active",
    "token_version": 1,
    "password_hash": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA",
    "username_key": "admin",
    "email_key": "admin@example.com",
    "posts_count": 1_000,
    "version": 7,
    "scope": "admin",
    "permissions": ["*"],
    "__proto__": {"role": "admin"},
    "constructor": {"prototype": {"role": "admin"}},
    "user[role]": "admin",
    "user.role": "admin",
    "Role": "admin",
    "role ": "admin",
    "ro\u200ble": "admin",
}


def names_at(session: Session) -> list[str]:
    """Return the name of every user that there is."""
    return list(session.scalars(sa.select(User.username).order_by(User.id)))


class TestCase013:
    """Who signs up says who they are, not what they may."""

    @pytest.mark.parametrize("name", WANTED)
    def test_case_013_with_more_than_is_asked_for(
        self, client: FlaskClient, session: Session, name: str
    ) -> None:
        # when
        answer = client.post(USERS, json=EVE | {name: WANTED[name]})
        # then
        assert faults(answer).keys() == {name}
        assert faults(answer)[name] in {"read_only", "unknown"}
        assert names_at(session) == []

    def test_case_013_with_all_of_it_by_anybody(
        self, callers: dict[str, FlaskClient], session: Session, stored: Stored
    ) -> None:
        # given
        before = stored()
        # when
        answers = {role: caller.post(USERS, json=EVE | WANTED) for role, caller in callers.items()}
        # then
        assert faults(answers["anonymous"]).keys() == WANTED.keys()
        assert faults(answers["author"]).keys() == WANTED.keys()
        assert faults(answers["admin"]).keys() == WANTED.keys() - {"role"}
        assert stored() == before

    def test_case_013_what_is_stored_is_the_default(
        self, client: FlaskClient, session: Session
    ) -> None:
        # when
        data(client.post(USERS, json=EVE), 201)
        # then
        eve = session.scalars(sa.select(User)).one()
        assert (eve.role, eve.status, eve.email_verified) == ("author", "active", False)
        assert (eve.version, eve.token_version, eve.deleted_at) == (1, 1, None)


class TestCase014:
    """Who changes themselves stays what they are."""

    #: What a user may change of themselves.
    OWN = frozenset({"username", "email", "name", "bio", "avatar_id"})

    def test_case_014_by_a_merge_patch_or_a_replacement(
        self, callers: dict[str, FlaskClient], ada: User, stored: Stored
    ) -> None:
        before = stored()
        whole = {"username": ada.username, "email": ada.email}
        for name in (COLUMNS | WANTED.keys()) - self.OWN:
            value = WANTED.get(name, 1)
            for url in (f"{USERS}/me", f"{USERS}/{ada.id}"):
                changed = callers["author"].patch(url, json={"bio": "x", name: value})
                replaced = callers["author"].put(url, json=whole | {name: value})
                assert faults(changed).keys() == faults(replaced).keys() == {name}
        assert stored() == before

    def test_case_014_by_a_json_patch(
        self, callers: dict[str, FlaskClient], ada: User, stored: Stored
    ) -> None:
        before = stored()
        for name in (COLUMNS | WANTED.keys()) - self.OWN:
            pointer = f"/{name}"
            for operation in (
                {"op": "replace", "path": pointer, "value": WANTED.get(name, 1)},
                {"op": "add", "path": pointer, "value": WANTED.get(name, 1)},
                {"op": "add", "path": f"{pointer}/0", "value": 1},
                {"op": "remove", "path": pointer},
                {"op": "copy", "from": "/username", "path": pointer},
                {"op": "move", "from": pointer, "path": "/bio"},
                {"op": "test", "path": pointer, "value": WANTED.get(name, 1)},
            ):
                answer = callers["author"].patch(
                    f"{USERS}/me", json=[operation], content_type=JSON_PATCH
                )
                assert code(answer) == "validation", operation
        assert stored() == before

    @pytest.mark.parametrize("current", [None, "", "not the password at all"])
    def test_case_014_the_email_only_with_the_password(
        self, callers: dict[str, FlaskClient], stored: Stored, current: str | None
    ) -> None:
        # given
        before = stored()["users"]
        change = {"email": "mallory@example.org"}
        if current is not None:
            change["current_password"] = current
        # when
        answer = callers["author"].patch(f"{USERS}/me", json=change)
        # then
        assert code(answer) in {"reauthentication-required", "validation"}
        assert stored()["users"] == before

    def test_case_014_nor_does_an_admin_write_what_only_the_service_writes(
        self, callers: dict[str, FlaskClient], surface: list[Operation], existing: Locate
    ) -> None:
        wrong = {}
        for operation in surface:
            hidden = COLUMNS - set(operation.body or ())
            body: dict[str, Any] = operation.valid() | dict.fromkeys(hidden, 1)
            for arguments in sent(operation, body):
                answer = callers["admin"].open(
                    existing(operation), method=operation.method, **arguments
                )
                if answer.status_code != 400 or not hidden <= faults(answer).keys():
                    wrong[str(operation)] = answer.text
        assert wrong == {}

    def test_case_014_a_form_writes_nothing_but_itself(
        self, client: FlaskClient, surface: list[Operation], existing: Locate, stored: Stored
    ) -> None:
        before = stored()
        for operation in surface:
            if operation.body is not None and FORM not in operation.types:
                form = dict.fromkeys(operation.body, "x") | {"role": "admin"}
                answer = client.open(existing(operation), method=operation.method, data=form)
                assert answer.status_code in {401, 415}, operation
        assert stored() == before
