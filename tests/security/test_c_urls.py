"""Section C: one URL per object, the same decision for every spelling, and nothing to enumerate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import Config
from models import LoginAttempt
from tests.security.raw import ask
from tests.security.world import API, World, everything
from tests.servers import LiveServer

GUARDED = f"{API}/trash"
#: The same path in other spellings → the status without a token: served as ever, or no such URL.
SPELLINGS = {
    GUARDED: 401,
    f"{GUARDED}/": 401,
    f"{API}/%74rash": 401,
    "/%61pi/v1/tras%68": 401,
    f"{API}/trash?": 401,
    f"/{GUARDED}": 404,
    f"/{API}//trash": 404,
    f"{API}//trash": 404,
    f"{GUARDED}//": 404,
    f"{API}/TRASH": 404,
    "/API/v1/trash": 404,
    f"/x/..{GUARDED}": 404,
    f"/.{GUARDED}": 404,
    f"{API}/./trash": 404,
    f"{API}/posts/../trash": 404,
    f"{API}/posts/..%2ftrash": 404,
    f"{API}/posts/%2e%2e/trash": 404,
    f"{API}%2ftrash": 401,
    f"{GUARDED}%20": 404,
    f"{GUARDED};a=b": 404,
    f"{GUARDED}.json": 404,
    f"{GUARDED}%00": 404,
    f"{GUARDED}%0a": 404,
    f"{API}\\trash": 404,
}


@pytest.mark.parametrize(("target", "status"), SPELLINGS.items())
def test_case_027_every_spelling_gets_the_same_decision(
    server: LiveServer, target: str, status: int
) -> None:
    # when
    anonymous = ask(server.url, target)
    signed_in = ask(server.url, target, f"Authorization: Bearer {server.admin_token}")
    # then
    assert anonymous.status == status
    assert anonymous.json()["code"] == {401: "unauthenticated", 404: "not-found"}[status]
    assert signed_in.status == (200 if status == 401 else 404)
    assert "location" not in anonymous.headers


@pytest.mark.parametrize("path", ["token/", "%74oken", "token?", "toke%6E/"])
def test_case_027_every_spelling_fills_the_same_bucket(
    make_app: Callable[[Config], Flask], config: Config, session: Session, path: str
) -> None:
    # given
    client = make_app(replace(config, RATE_LIMITS=True)).test_client()
    guess = {"grant_type": "password", "username": "nobody", "password": "a wrong way"}
    for _ in range(10):
        assert client.post(f"{API}/auth/token", json=guess).status_code == 400
    # when
    answer = client.post(f"{API}/auth/{path}", json=guess)
    # then
    assert answer.status_code == 429
    assert session.scalars(sa.select(LoginAttempt.count)).all() == [11]


SPELLED = [
    *("0{}", "+{}", "-{}", "{}.0", "{}e0", "0x{:x}", "{}_0", " {}", "{} ", "{}a", "{},", "{};"),
    *("{}\N{ZERO WIDTH SPACE}", "\N{ARABIC-INDIC DIGIT ONE}", "\N{FULLWIDTH DIGIT ONE}"),
    *("\N{SUPERSCRIPT ONE}", "0", "-1", str(2**53), str(2**63), "9" * 400, "null", "NaN"),
]


@pytest.mark.parametrize("kind", ["posts", "users"])
def test_case_028_an_object_has_one_url(app: Flask, session: Session, kind: str) -> None:
    # given
    world = World(app, session)
    id = world.post().id if kind == "posts" else world.id("owner")
    admin = world.caller("admin")
    assert admin.get(f"{API}/{kind}/{id}").status_code == 200
    for spelling in SPELLED:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            # when
            url = f"{API}/{kind}/{spelling.format(id)}"
            answer = admin.open(url, method=method, json={"x": 1})
            # then
            assert answer.status_code == 404, (method, url)


@pytest.mark.parametrize("other", ["DELETE", "PATCH", "PUT", "POST"])
def test_case_029_a_method_is_never_overridden(
    app: Flask, session: Session, engine: sa.Engine, other: str
) -> None:
    # given
    world = World(app, session)
    url, owner = f"{API}/posts/{world.post().id}", world.caller("owner")
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    before = everything(engine)
    # when
    plain = owner.get(url)
    overridden = owner.get(url, headers=dict.fromkeys(names, other))
    in_query = owner.get(url, query_string={"_method": other})
    in_form = owner.post(url, data={"_method": other}, headers=dict.fromkeys(names, other))
    # then
    assert (overridden.status_code, overridden.data) == (200, plain.data)
    assert [in_query.status_code, in_form.status_code] == [400, 405]
    assert everything(engine) == before


@pytest.mark.parametrize("caller", ["anonymous", "other", "owner", "suspended"])
def test_case_029_head_is_checked_as_get_is(app: Flask, session: Session, caller: str) -> None:
    # given
    world = World(app, session)
    draft, client = world.post(status="draft"), world.caller(caller)
    for path in (
        f"posts/{draft.id}",
        f"posts/by-slug/{draft.slug}",
        f"posts/{draft.id}/can",
        f"users/{world.id('suspended')}",
        f"trash/posts/{world.trashed('editor').id}",
        "auth/whoami",
    ):
        # when
        get, head = client.get(f"{API}/{path}"), client.head(f"{API}/{path}")
        # then
        assert head.status_code == get.status_code, path
        assert head.data == b""
        assert head.headers.get("ETag") == get.headers.get("ETag")


#: What belongs to a user, beside themselves.
_OF_USERS = ("", "/can", "/posts", "/followers", "/following")


def hidden(world: World) -> list[str]:
    """Return URLs of what exists, and nobody but its author and staff may see."""
    draft, scheduled, orphan = world.post(status="draft"), world.scheduled(), world.orphan()
    suspended, trashed = world.post("suspended"), world.trashed("owner")
    posts = [draft, scheduled, orphan, suspended, trashed]
    people = [world.people[name] for name in ("suspended", "deleted", "orphaned")]
    return [
        *(f"posts/{post.id}{rest}" for post in posts for rest in ("", "/can")),
        *(f"posts/by-slug/{post.slug}" for post in posts),
        f"posts/by-slug/{world.former(status='draft')}",
        *(f"users/{user.id}{rest}" for user in people for rest in _OF_USERS),
        *(f"users/by-username/{user.username}" for user in people),
    ]


def shown(answer: TestResponse) -> tuple[Any, ...]:
    """Return all of an answer but what differs from request to request."""
    body = {**answer.get_json(), "request_id": None, "instance": None}
    headers = {**answer.headers, "X-Request-Id": None, "Content-Length": None}
    return answer.status_code, body, headers


def nothing_like(path: str) -> str:
    """Return a URL of the same route under which there is nothing."""
    kind, name, *rest = path.split("/")
    if name.startswith("by-"):
        return f"{kind}/{name}/no-such-thing"
    return "/".join([kind, "987654321", *rest])


@pytest.mark.parametrize("caller", ["anonymous", "reader", "other"])
def test_case_024_what_belongs_to_the_hidden_is_as_absent_as_itself(
    app: Flask, session: Session, caller: str
) -> None:
    # given
    world = World(app, session)
    client = world.caller(caller)
    for path in hidden(world):
        # when
        answer = client.get(f"{API}/{path}")
        # then
        assert shown(answer) == shown(client.get(f"{API}/{nothing_like(path)}")), path
        assert answer.status_code == 404


@pytest.mark.parametrize("caller", ["reader", "other"])
def test_case_024_what_is_hidden_is_neither_liked_nor_followed(
    app: Flask, session: Session, engine: sa.Engine, caller: str
) -> None:
    # given
    world = World(app, session)
    client = world.caller(caller)
    paths = [path for path in hidden(world) if path.count("/") == 1]
    verbs = {
        "posts": ["GET likes", "PUT like", "DELETE like"],
        "users": ["PUT follow", "DELETE follow"],
    }
    before = everything(engine)
    for path in paths:
        kind, _, _ = path.rpartition("/")
        for method, name in map(str.split, verbs[kind]):
            # when
            answer = told(client, f"{API}/{path}/{name}", method)
            # then
            assert answer == told(client, f"{API}/{kind}/987654321/{name}", method), (method, path)
            assert answer[0] == 404
    assert everything(engine) == before


@pytest.mark.parametrize("caller", ["reader", "other"])
def test_case_031_a_walk_over_ids_tells_nothing_by_writing_either(
    app: Flask, session: Session, engine: sa.Engine, caller: str
) -> None:
    # given
    world = World(app, session)
    client = world.caller(caller)
    paths = [path for path in hidden(world) if path.count("/") == 1]
    paths += [f"trash/{path}" for path in paths] + [f"auth/sessions/{world.sign_in_of('owner')}"]
    before = everything(engine)
    for path in paths:
        kind, _, _ = path.rpartition("/")
        for method in ("PUT", "PATCH", "DELETE"):
            # when
            answer = told(client, f"{API}/{path}", method)
            # then
            assert answer == told(client, f"{API}/{kind}/987654321", method), (method, path)
    assert everything(engine) == before


def test_case_031_a_walk_over_ids_finds_what_the_lists_show(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    hidden(world)
    last, client = world.post().id, world.caller("anonymous")
    # when
    walked = [id for id in range(1, last + 1) if client.get(f"{API}/posts/{id}").status_code == 200]
    # then
    assert walked == [last]


def told(client: FlaskClient, url: str, method: str) -> tuple[Any, ...]:
    """Return what a caller hears of a write whose body is wrong, too."""
    return shown(client.open(url, method=method, json={"nonsense": 1}))
