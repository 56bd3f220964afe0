"""Random histories of posts and users against a model: who sees what, after whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from models import Change, User
from tests import databases
from tests.answers import ids
from tests.factories import make_user

POSTS, USERS, TRASH = "/api/v1/posts", "/api/v1/users", "/api/v1/trash"
AUTHORS, STAFF = ("ada", "mallory"), ("grace", "root")
STATUSES = ("draft", "published", "archived")

authors, everyone = st.sampled_from(AUTHORS), st.sampled_from(AUTHORS + STAFF)
numbers = st.integers(0, 30)


@dataclass
class Person:
    """A user as the model knows them."""

    id: int
    is_active: bool = True
    deleted: bool = False


@dataclass
class Text:
    """A post as the model knows it; ``deleter`` if it is the root of a deletion."""

    author: str
    status: str
    slug: str
    version: int = 1
    deleter: str | None = None
    went_with_author: bool = False
    changes: list[str] = field(default_factory=lambda: ["create"])


class Histories(RuleBasedStateMachine):
    """Two authors, an editor and an admin do what they like, the forbidden too."""

    def __init__(self, session: Session, sign_in: Callable[[User], FlaskClient]) -> None:
        super().__init__()
        self.session, self.sign_in = session, sign_in
        roles = dict(zip(AUTHORS + STAFF, ("author", "author", "editor", "admin"), strict=True))
        self.users = {n: make_user(session, n, role=role) for n, role in roles.items()}
        self.people = {name: Person(user.id) for name, user in self.users.items()}
        self.callers = {name: sign_in(user) for name, user in self.users.items()}
        self.posts: dict[int, Text] = {}
        self.purged: dict[int, Text] = {}

    # -- what they do ------------------------------------------------------------

    @rule(by=everyone, status=st.sampled_from(STATUSES), slug=st.sampled_from((None, "a", "b")))
    def create(self, by: str, status: str, slug: str | None) -> None:
        body = {"title": "T", "body": "x", "status": status} | ({"slug": slug} if slug else {})
        answer = self.callers[by].post(POSTS, json=body)
        if not self._is_in(by):
            assert answer.status_code == 401
        elif slug and slug in self._slugs():
            assert answer.status_code == 409
        else:
            made = answer.get_json()
            assert answer.status_code == 201
            assert made["slug"] not in self._slugs()
            self.posts[made["id"]] = Text(by, status, made["slug"])

    @rule(by=everyone, number=numbers, status=st.sampled_from(STATUSES))
    def change(self, by: str, number: int, status: str) -> None:
        self._do(by, number, self._set_status(status), method="PATCH", json={"status": status})

    @rule(by=everyone, number=numbers)
    def delete(self, by: str, number: int) -> None:
        def model(post: Text) -> None:
            post.deleter = by
            post.version += 1
            post.changes.append("delete")

        self._do(by, number, model, method="DELETE")

    @rule(by=everyone, number=numbers)
    def restore(self, by: str, number: int) -> None:
        if (id := self._nth(number)) is None:
            return
        post = self.posts[id]
        answer = self.callers[by].post(f"{TRASH}/posts/{id}/restoration")
        wanted = self._may_restore(by, post)
        if wanted == 200 and post.slug in self._slugs():
            wanted = 409
        assert answer.status_code == wanted, answer.text
        if wanted == 200:
            post.deleter = None
            post.version += 1
            post.changes.append("restore")

    @rule(by=everyone, number=numbers)
    def purge(self, by: str, number: int) -> None:
        if (id := self._nth(number)) is None:
            return
        post = self.posts[id]
        answer = self.callers[by].delete(f"{TRASH}/posts/{id}")
        is_own = post.deleter == post.author == by
        if not self._is_in(by):
            wanted = 401
        elif post.went_with_author:
            wanted = 409 if by in STAFF else 404
        elif post.deleter is None or not (by in STAFF or post.deleter == by):
            wanted = 404
        else:
            wanted = 204 if is_own or by == "root" else 403
        assert answer.status_code == wanted, answer.text
        if wanted == 204:
            self.purged[id] = self.posts.pop(id)

    @rule(name=authors)
    def delete_user(self, name: str) -> None:
        person = self.people[name]
        answer = self.callers["root"].delete(f"{USERS}/{person.id}")
        assert answer.status_code == (404 if person.deleted else 204)
        if not person.deleted:
            person.deleted = True
            for post in self._living(name):
                post.went_with_author = True
                post.version += 1
                post.changes.append("delete")

    @rule(name=authors)
    def restore_user(self, name: str) -> None:
        person = self.people[name]
        answer = self.callers["root"].post(f"{TRASH}/users/{person.id}/restoration")
        assert answer.status_code == (200 if person.deleted else 404), answer.text
        if person.deleted:
            person.deleted = False
            for id, post in self.posts.items():
                if post.went_with_author and post.author == name:
                    post.went_with_author = False
                    post.version += 1
                    post.changes.append("restore")
                    self._take_slug(id, post)
            self._sign_in_again(name)

    @rule(name=authors, is_active=st.booleans())
    def suspend(self, name: str, is_active: bool) -> None:
        person = self.people[name]
        body = {"status": "active" if is_active else "suspended"}
        answer = self.callers["root"].patch(f"{USERS}/{person.id}", json=body)
        assert answer.status_code == (404 if person.deleted else 200)
        if not person.deleted and person.is_active != is_active:
            person.is_active = is_active
            for post in self._living(name):
                if post.status == "published":
                    post.changes.append("update")
            self._sign_in_again(name)

    # -- what must hold then -----------------------------------------------------

    @invariant()
    def everyone_sees_what_they_may(self) -> None:
        public = {
            id
            for id, post in self._alive().items()
            if post.status == "published" and self.people[post.author].is_active
        }
        for name, caller in self.callers.items():
            if not self._is_in(name):
                assert caller.get(POSTS).status_code == 401
                continue
            alive = set(self._alive()) if name in STAFF else set()
            own = {id for id, post in self._alive().items() if post.author == name}
            staff_sees = {id for id in alive if self.posts[id].status == "published"}
            assert set(ids(caller.get(f"{POSTS}?limit=100"))) == public | staff_sees
            assert set(ids(caller.get(f"{POSTS}?limit=100&status=any"))) == alive | own
            visible = public | alive | own
            for id in (*self.posts, *self.purged):
                assert (caller.get(f"{POSTS}/{id}").status_code == 200) == (id in visible)

    @invariant()
    def trash_has_what_may_be_restored(self) -> None:
        for name, caller in self.callers.items():
            if self._is_in(name):
                found = set(ids(caller.get(f"{TRASH}?limit=100&types=posts")))
                assert found == {
                    id
                    for id, post in self.posts.items()
                    if post.deleter and (name in STAFF or post.deleter == name)
                }

    @invariant()
    def log_has_every_change_in_order(self) -> None:
        rows: dict[int, list[Any]] = {}
        statement = sa.select(Change.id, Change.op, Change.version).where(Change.type == "posts")
        for id, op, version in self.session.execute(statement.order_by(Change.seq)):
            rows.setdefault(id, []).append((op, version))
        self.session.rollback()
        for id, post in (self.posts | self.purged).items():
            assert [op for op, _ in rows[id]] == post.changes
            versions = [version for _, version in rows[id]]
            assert versions == sorted(versions)
            assert versions[-1] == post.version

    # -- the model ---------------------------------------------------------------

    def _do(self, by: str, number: int, model: Callable[[Text], None], **request: Any) -> None:
        """Ask for a change of a living post, and do it in the model if it is allowed."""
        if (id := self._nth(number)) is None:
            return
        post = self.posts[id]
        answer = self.callers[by].open(f"{POSTS}/{id}", **request)
        is_mine = by in STAFF or post.author == by
        is_public = post.status == "published" and self.people[post.author].is_active
        if not self._is_in(by):
            assert answer.status_code == 401
        elif id not in self._alive() or not (is_mine or is_public):
            assert answer.status_code == 404
        elif not is_mine:
            assert answer.status_code == 403
        else:
            assert answer.status_code in {200, 204}, answer.text
            model(post)

    def _set_status(self, status: str) -> Callable[[Text], None]:
        def model(post: Text) -> None:
            if post.status != status:
                post.status = status
                post.version += 1
                post.changes.append("update")

        return model

    def _may_restore(self, by: str, post: Text) -> int:
        if not self._is_in(by):
            return 401
        if post.went_with_author:
            return 409 if by in STAFF else 404
        if post.deleter is None or not (by in STAFF or post.deleter == by):
            return 404
        return 409 if self.people[post.author].deleted else 200

    def _take_slug(self, id: int, post: Text) -> None:
        """A post that came back with its author has its slug, or another if that was taken."""
        now = self.callers["root"].get(f"{POSTS}/{id}").get_json()["slug"]
        others = {each.slug for other, each in self._alive().items() if other != id}
        assert now not in others
        assert now == post.slug or post.slug in others
        post.slug = now

    def _nth(self, number: int) -> int | None:
        there = list(self.posts)
        return there[number % len(there)] if there else None

    def _alive(self) -> dict[int, Text]:
        return {i: p for i, p in self.posts.items() if not p.deleter and not p.went_with_author}

    def _living(self, name: str) -> list[Text]:
        return [post for post in self._alive().values() if post.author == name]

    def _slugs(self) -> set[str]:
        return {post.slug for post in self._alive().values()}

    def _is_in(self, name: str) -> bool:
        return self.people[name].is_active and not self.people[name].deleted

    def _sign_in_again(self, name: str) -> None:
        if self._is_in(name):
            self.callers[name] = self.sign_in(self.users[name])


def test_of_any_kind_leave_everyone_what_they_may_see(
    engine: sa.Engine, session: Session, sign_in: Callable[[User], FlaskClient]
) -> None:
    def start() -> Histories:
        session.rollback()
        databases.clean(engine)
        return Histories(session, sign_in)

    profile = settings.get_profile(settings.get_current_profile_name())
    bounds = settings(
        profile,
        max_examples=profile.max_examples // 10,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(start, settings=bounds)  # type: ignore[arg-type]  # any maker does
