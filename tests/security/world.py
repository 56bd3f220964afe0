"""A small world for the matrix of rights: every kind of caller, and something of each kind to want.

``owner`` wrote what is wanted; ``suspended`` and ``deleted`` hold tokens from before it happened.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api import auth
from models import Base, Post, User, UserSession
from services import clock
from services.refresh import Grant
from services.storage import storage_of
from tests.factories import make_comment, make_file, make_post, make_user

V = TypeVar("V")
API = "/api/v1"
ROLES = {"reader": "reader", "editor": "editor", "admin": "admin", "spare": "admin"}
CALLERS = ("anonymous", "reader", "owner", "other", "editor", "admin", "suspended", "deleted")
#: The smallest picture.
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
GIF += b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
#: From outside: nobody is to be let in because the test runs on the same machine.
ADDRESS = "203.0.113.7"

#: A form with a file.
FORM_TYPE = "multipart/form-data; boundary=limit"
FORM = (
    b'--limit\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nA file.\r\n'
    b"--limit--\r\n"
)

_serial = itertools.count(1)


class _Lazy(dict[str, V]):
    """What is made when it is asked for first."""

    def __init__(self, make: Callable[[str], V]) -> None:
        self._make = make

    def __missing__(self, name: str) -> V:
        self[name] = self._make(name)
        return self[name]


class World:
    """People with tokens, made when they are asked for; all names are unlike any used before."""

    def __init__(self, app: Flask, session: Session) -> None:
        self.app, self.session, self.number = app, session, next(_serial)
        self.people: dict[str, User] = _Lazy(self._person)
        self.tokens: dict[str, str] = _Lazy(self._token)

    def everybody(self) -> None:
        """Make all who weren't asked for yet, so that asking changes nothing any more."""
        for name in CALLERS[1:]:
            _ = self.tokens[name]

    def caller(self, name: str) -> FlaskClient:
        """Return a client of one of ``CALLERS``."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = ADDRESS
        if name != "anonymous":
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[name]}"
        return client

    def id(self, name: str) -> int:
        """Return the id of a person."""
        return self.people[name].id

    def post(self, author: str = "owner", **changes: Any) -> Post:
        """Return a new post."""
        return make_post(self.session, self.people[author], **changes)

    def scheduled(self) -> Post:
        """Return a new post that appears tomorrow."""
        return self.post(published_at=clock.now() + timedelta(days=1))

    def comment(self, post_id: int, author: str = "owner", **changes: Any) -> int:
        """Return the id of a new comment."""
        post = self.session.get_one(Post, post_id)
        return make_comment(self.session, post, self.people[author], **changes).id

    def file(self, author: str = "owner", visibility: str = "private") -> int:
        """Return the id of a new file, a picture with a name of its own."""
        sha256 = hashlib.sha256(GIF).hexdigest()
        storage_of(self.app.config["SIGNPOST"]).put(sha256, BytesIO(GIF), len(GIF))
        told = {"sha256": sha256, "size": len(GIF), "media_type": "image/gif"}
        told |= {"width": 1, "height": 1, "name": f"file-{next(_serial)}.gif"}
        return make_file(self.session, self.people[author], visibility=visibility, **told).id

    def cover(self, post_id: int) -> int:
        """Return the id of a private picture that a post of ``owner`` shows."""
        id = self.file()
        self.session.get_one(Post, post_id).cover_id = id
        self.session.commit()
        return id

    def avatar(self) -> int:
        """Return the id of a private picture that ``owner`` shows as theirs."""
        id = self.people["owner"].avatar_id = self.file()
        self.session.commit()
        return id

    def trashed_file(self) -> int:
        """Return the id of a public file by ``owner``, who has deleted it."""
        id = self.file(visibility="public")
        self.delete("owner", f"files/{id}")
        return id

    def trashed_comment(self) -> int:
        """Return the id of a comment by ``owner``, who has deleted it."""
        id = self.comment(self.post("other").id)
        self.delete("owner", f"comments/{id}")
        return id

    def trashed(self, deleter: str) -> Post:
        """Return a new post by ``owner`` that ``deleter`` has deleted."""
        post = self.post()
        self.delete(deleter, f"posts/{post.id}")
        return post

    def orphan(self) -> Post:
        """Return a post that went to the trash with its author."""
        author = self.people["orphaned"] = self._person("orphaned")
        post = self.post("orphaned")
        self.delete("admin", f"users/{author.id}")
        return post

    def former(self, **changes: Any) -> str:
        """Return a slug that a post by ``owner`` gave up for another one."""
        post = self.post(**changes)
        answer = self.caller("owner").patch(f"{API}/posts/{post.id}", json={"slug": f"s{post.id}"})
        assert answer.status_code == 200, answer.text
        return post.slug

    def delete(self, deleter: str, path: str) -> None:
        """Delete something through the API."""
        assert self.caller(deleter).delete(f"{API}/{path}").status_code == 204

    def suspend(self, name: str) -> None:
        """Suspend somebody through the API."""
        url, change = f"{API}/users/{self.id(name)}", {"status": "suspended"}
        assert self.caller("admin").patch(url, json=change).status_code == 200

    def sign_in_of(self, name: str) -> int:
        """Return the id of a further sign-in of a person."""
        return add_sign_in(self.session, self.people[name])

    def _person(self, name: str) -> User:
        role = ROLES.get(name, "author")
        user = self.people[name] = make_user(self.session, f"{name}-{next(_serial)}", role=role)
        if name == "admin":
            _ = self.people["spare"]  # else this one could not be deleted
        if name in {"suspended", "deleted"}:
            _ = self.tokens[name]
            if name == "suspended":
                self.suspend(name)
            else:
                self.delete("admin", f"users/{user.id}")
        return user

    def _token(self, name: str) -> str:
        user = self.people[name]
        return self.tokens.get(name) or token_of(self.app, self.session, user)


def add_sign_in(session: Session, user: User) -> int:
    """Insert a sign-in of a user, which costs no hash; return its id."""
    now = clock.now()
    row = UserSession(
        user_id=user.id, created_at=now, refreshed_at=now, expires_at=now + timedelta(days=90)
    )
    session.add(row)
    session.commit()
    return row.id


def token_of(app: Flask, session: Session, user: User) -> str:
    """Return an access token as signing in gives it."""
    grant = Grant(user.id, user.role, user.token_version, add_sign_in(session, user), "", 900)
    with app.app_context():
        return auth.issue(grant)


def everything(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, but of what is written about refusals."""
    tables = [each for each in Base.metadata.sorted_tables if each.name != "audit_events"]
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in tables
        }
