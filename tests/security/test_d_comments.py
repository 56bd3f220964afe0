"""Sections C and D, of comments: who may not see the post sees nothing of what is said about it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from models import Change, Comment
from tests.answers import code, data, ids
from tests.security.world import API, CALLERS, World, everything

ALIVE = CALLERS[:6]
#: A word in the comment; no answer to a read may hold it once that is hidden.
MARK = "zebrafinch"


class Said:
    """A comment by ``author`` on a post by ``owner``, with the mark, and an answer to it."""

    def __init__(self, world: World, author: str = "other") -> None:
        self.world = world
        self.post = world.post().id
        self.id = world.comment(self.post, author, body=f"A {MARK}")
        self.answer = world.comment(self.post, "reader", parent_id=self.id)
        world.session.rollback()

    def reads(self) -> list[str]:
        """Return every URL of the API that could tell of the comment."""
        of_post = f"{API}/posts/{self.post}/comments"
        queries = ("", f"?ids={self.id}", "?sort=-created_at&page=1", "?total=true&limit=1")
        items = [f"{API}/comments/{self.id}", f"{API}/comments/{self.id}/can"]
        return [*items, *(f"{of_post}{query}" for query in queries)]

    def is_nowhere(self, *callers: str) -> None:
        """Check that callers hear nothing of it, by whatever way they ask."""
        for name in callers:
            caller = self.world.caller(name)
            for url in self.reads():
                for headers in ({}, {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}):
                    answer = caller.get(url, headers=headers)
                    assert MARK not in answer.text, (name, url)
                    assert caller.head(url, headers=headers).status_code == answer.status_code
            assert code(caller.get(self.reads()[0])) == "not-found"

    def count(self, caller: str = "anonymous") -> int:
        """Return what the post counts."""
        found = data(self.world.caller(caller).get(f"{API}/posts/{self.post}"))
        return int(found["comments_count"])


@pytest.mark.parametrize("hidden", ["draft", "archived", "scheduled", "suspended", "trashed"])
def test_case_024_of_a_hidden_post_nothing_is_told(
    app: Flask, session: Session, hidden: str
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    if hidden == "suspended":
        world.suspend("owner")
    elif hidden == "trashed":
        world.delete("owner", f"posts/{said.post}")
    else:
        body = {"status": "published", "published_at": "2999-01-01T00:00:00Z"}
        change = body if hidden == "scheduled" else {"status": hidden}
        data(world.caller("owner").patch(f"{API}/posts/{said.post}", json=change))
    # then
    said.is_nowhere("anonymous", "reader", "other")
    for name in ("reader", "other"):
        caller, url = world.caller(name), f"{API}/posts/{said.post}/comments"
        assert code(caller.post(url, json={"body": "x"})) == "not-found"
        assert code(caller.get(url)) == "not-found"


@pytest.mark.parametrize("deleter", ["other", "editor", "admin"])
def test_case_032_what_is_deleted_is_nowhere_for_anybody(
    app: Flask, session: Session, deleter: str
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    assert MARK in world.caller("anonymous").get(said.reads()[2]).text
    before = said.count()
    # when
    world.delete(deleter, f"comments/{said.id}")
    # then
    said.is_nowhere(*ALIVE)
    assert said.count() == before - 1
    assert ids(world.caller("anonymous").get(f"{API}/posts/{said.post}/comments")) == [said.answer]


def test_case_033_a_cached_copy_is_not_confirmed_any_more(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    caller, item, listed = world.caller("anonymous"), said.reads()[0], said.reads()[2]
    held = {url: {"If-None-Match": caller.get(url).headers["ETag"]} for url in (item, listed)}
    assert {caller.get(url, headers=held[url]).status_code for url in held} == {304}
    # when
    world.delete("other", f"comments/{said.id}")
    # then
    assert code(caller.get(item, headers=held[item])) == "not-found"
    assert caller.get(listed, headers=held[listed]).status_code == 200


@pytest.mark.parametrize("ending", ["suspended", "deleted"])
def test_case_034_what_somebody_said_who_is_gone_is_absent(
    app: Flask, session: Session, ending: str
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    before = said.count()
    # when
    if ending == "suspended":
        world.suspend("other")
    else:
        world.delete("admin", f"users/{world.id('other')}")
    # then
    said.is_nowhere("anonymous", "reader", "owner")
    assert said.count() == before - 1


def test_case_036_a_purged_comment_is_in_no_table_any_more(
    app: Flask, session: Session, engine: sa.Engine
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    data(world.caller("other").patch(said.reads()[0], json={"body": f"Another {MARK}"}))
    world.delete("other", f"comments/{said.id}")
    assert MARK in repr(everything(engine))
    # when
    world.delete("other", f"trash/comments/{said.id}")
    # then
    assert MARK not in repr(everything(engine))
    tombstones = session.scalars(sa.select(Change.op).where(Change.type == "comments"))
    assert set(tombstones) >= {"update", "delete"}


def test_case_037_restoring_asks_for_rights_anew(
    app: Flask, session: Session, engine: sa.Engine
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    world.delete("other", f"comments/{said.id}")
    undo = f"{API}/trash/comments/{said.id}/restoration"
    world.everybody()
    before = everything(engine)
    # when
    answers = {name: world.caller(name).post(undo) for name in ("anonymous", "reader", "owner")}
    # then
    assert {name: code(each) for name, each in answers.items()} == {
        "anonymous": "unauthenticated",
        "reader": "not-found",
        "owner": "not-found",
    }
    assert everything(engine) == before
    data(world.caller("other").post(undo))
    assert session.get_one(Comment, said.id).parent_id is None


def test_case_037_of_a_post_brings_back_only_what_went_with_it(
    app: Flask, session: Session
) -> None:
    # given
    world = World(app, session)
    said = Said(world)
    world.delete("other", f"comments/{said.id}")
    world.delete("owner", f"posts/{said.post}")
    # when
    data(world.caller("owner").post(f"{API}/trash/posts/{said.post}/restoration"))
    # then
    said.is_nowhere(*ALIVE)
    assert said.count() == 1
