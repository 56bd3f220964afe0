"""A small world for the matrix of rights: every kind of caller, and something of each kind to want.

``owner`` wrote what is wanted; ``suspended`` and ``deleted`` hold tokens from before it happened.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from api import auth
from models import Base, Post, User, UserSession
from services import clock
from services.refresh import Grant
from tests.factories import make_post, make_user

API = "/api/v1"
ROLES = {"reader": "reader", "editor": "editor", "admin": "admin", "spare": "admin"}
CALLERS = ("anonymous", "reader", "owner", "other", "editor", "admin", "suspended", "deleted")
#: From outside: nobody is to be let in because the test runs on the same machine.
ADDRESS = "203.0.113.7"

_serial = itertools.count(1)


class World:
    """People with tokens, made anew for each test; all names are unlike any used before."""

    def __init__(self, app: Flask, session: Session) -> None:
        self.app, self.session, self.number = app, session, next(_serial)
        names = (*CALLERS[1:], "spare")
        self.people = {name: self._person(name) for name in names}
        self.tokens = {name: token_of(app, session, self.people[name]) for name in names}
        self.suspend("suspended")
        self.delete("admin", f"users/{self.people['deleted'].id}")

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
        return make_user(self.session, f"{name}-{next(_serial)}", role=ROLES.get(name, "author"))


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
