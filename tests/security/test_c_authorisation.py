"""Section C: who may do what, on every route there is. The table is tests/security/rights.py."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.answers import code, ids
from tests.contract.routes import routes
from tests.security.rights import TABLE, Row, sent_of, url_of
from tests.security.world import API, CALLERS, World, everything


def test_case_023_every_route_is_in_the_table(app: Flask) -> None:
    # given
    served = {(route.method, route.rule) for route in routes(app)}
    # then
    assert {pair for pair in served if pair[0] not in {"HEAD", "OPTIONS"}} == {
        (row.method, row.rule) for row in TABLE
    }


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_case_023_who_is_refused_changes_nothing(
    row: Row, app: Flask, session: Session, engine: sa.Engine
) -> None:
    # given
    world = World(app, session)
    world.everybody()
    url, body = url_of(row, world), sent_of(row, world)
    methods = ["GET", "HEAD", "OPTIONS"] if row.method == "GET" else [row.method]
    before = everything(engine)
    for name, status in row.statuses.items():
        for method in methods:
            if status >= 400 or row.method == "GET":
                # when
                answer = world.caller(name).open(url, method=method, **body)
                # then
                expected = 200 if method == "OPTIONS" else status
                assert answer.status_code == expected, (name, method, answer.text)
    assert everything(engine) == before


@pytest.mark.parametrize("row", [row for row in TABLE if row.method != "GET"], ids=str)
def test_case_023_who_is_allowed_succeeds(row: Row, app: Flask, session: Session) -> None:
    for name, status in row.statuses.items():
        if status < 400:
            # given
            world = World(app, session)
            url, body = url_of(row, world), sent_of(row, world)
            # when
            answer = world.caller(name).open(url, method=row.method, **body)
            # then
            assert answer.status_code == status, (name, answer.text)


@pytest.mark.parametrize("name", CALLERS[:6])
def test_case_023_lists_hold_exactly_what_items_show(
    name: str, app: Flask, session: Session
) -> None:
    # given
    world = World(app, session)
    world.everybody()
    posts = [
        *(world.post(status=status) for status in ("published", "draft", "archived")),
        *(world.scheduled(), world.post("suspended"), world.trashed("owner"), world.orphan()),
        *(world.post(name, status="draft") for _ in range(name != "anonymous")),
    ]
    caller = world.caller(name)
    # when
    listed = set(ids(caller.get(f"{API}/posts?status=any")))
    listed |= set(ids(caller.get(f"{API}/posts")))
    people = set(ids(caller.get(f"{API}/users?limit=100")))

    # then
    def shows(url: str) -> bool:
        return bool(caller.get(f"{API}/{url}").status_code == 200)

    assert listed == {post.id for post in posts if shows(f"posts/{post.id}")}
    assert people == {each.id for each in world.people.values() if shows(f"users/{each.id}")}


def test_case_023_rights_tell_what_would_happen(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    row = next(each for each in TABLE if str(each) == f"DELETE {API}/posts/<id:id> published")
    url = f"{API}/posts/{world.post().id}/can"
    for name in CALLERS[:6]:
        # when
        told = world.caller(name).get(url).get_json()["delete"]["allowed"]
        # then
        assert told is (row.statuses[name] < 400), name


def test_case_025_what_is_named_in_bulk_is_never_more_than_one_may_see(
    app: Flask, session: Session
) -> None:
    # given
    world = World(app, session)
    own, foreign = world.post(status="draft"), world.post("other", status="draft")
    owner = world.caller("owner")
    # when
    listed = owner.get(f"{API}/posts?status=any&total=true&ids={own.id},{foreign.id}")
    counted = owner.get(f"{API}/posts?status=any&total=true&ids={foreign.id}")
    unknown = owner.get(f"{API}/posts?status=any&total=true&ids=99999999")
    # then
    assert ids(listed) == [own.id]
    assert listed.get_json()["total"] == 1
    assert counted.data == unknown.data


def test_case_025_a_patch_with_one_foreign_field_changes_nothing(
    app: Flask, session: Session, engine: sa.Engine
) -> None:
    # given
    world = World(app, session)
    post, other = world.post(), world.id("other")
    url, owner = f"{API}/posts/{post.id}", world.caller("owner")
    before = everything(engine)
    # when
    merged = owner.patch(url, json={"title": "Changed", "author_id": other})
    operations = [
        {"op": "replace", "path": "/title", "value": "Changed"},
        {"op": "replace", "path": "/author/id", "value": other},
    ]
    patched = owner.patch(url, json=operations, content_type="application/json-patch+json")
    # then
    assert [code(each) for each in (merged, patched)] == ["validation"] * 2
    assert everything(engine) == before


def test_case_025_ending_all_other_sign_ins_ends_nobody_elses(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    second = world.sign_in_of("owner")
    # when
    answer = world.caller("owner").delete(f"{API}/auth/sessions")
    # then
    assert answer.status_code == 204
    assert world.caller("other").get(f"{API}/auth/whoami").status_code == 200
    assert world.caller("owner").delete(f"{API}/auth/sessions/{second}").status_code == 404
