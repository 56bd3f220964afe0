"""Section D: what is deleted is gone for everyone at once; what comes back is what was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from tests.answers import code, data, faults, ids
from tests.contract.routes import routes
from tests.security.world import API, CALLERS, World, everything, token_of

ALIVE = CALLERS[:6]
#: A word in all texts of what is deleted; no answer to a read may hold it afterwards.
MARK = "zebrafinch"
SLUG = "its-slug"


def marked(world: World) -> Post:
    """Return a post by ``owner`` whose every text has the mark."""
    return world.post(
        title=f"A {MARK}", body=MARK, slug=SLUG, excerpt=MARK, tags=[MARK], html=f"<p>{MARK}</p>"
    )


def reads(world: World, post: Post) -> list[str]:
    """Return every URL of the API that could tell of a post, its author included."""
    author, name = world.id("owner"), world.people["owner"].username
    lists = [f"posts?{query}" for query in ("", "status=any", f"tag={MARK}", f"ids={post.id}")]
    lists += [f"posts?author={name}", f"posts?author_id={author}", "posts?sort=title&page=1"]
    lists += ["posts?status=archived", f"users/{author}/posts?status=any", "users?limit=100"]
    items = [f"posts/{post.id}", f"posts/{post.id}/can", f"posts/by-slug/{SLUG}"]
    items += [f"users/{author}", f"users/by-username/{name}"]
    fan = world.id("reader")
    related = ["feed", f"feed?q={MARK}", "feed?sort=title", f"posts/{post.id}/likes"]
    related += [f"users/{id}/{list}" for id in (author, fan) for list in ("followers", "following")]
    return [f"{API}/{path}" for path in (*lists, *items, *related)]


def relate(world: World, post: Post) -> None:
    """Have all who are signed in like a post and follow its author, who follows a reader."""
    for name in ALIVE[1:]:
        caller = world.caller(name)
        assert caller.put(f"{API}/posts/{post.id}/like").status_code == 204
        followed = world.id("reader" if name == "owner" else "owner")
        assert caller.put(f"{API}/users/{followed}/follow").status_code == 204
    assert MARK in world.caller("reader").get(f"{API}/feed").text


def count(client: FlaskClient, query: str = "status=published") -> int:
    """Return how many posts a caller is told there are."""
    return int(data(client.get(f"{API}/posts?total=true&{query}"))["total"])


@pytest.mark.parametrize("deleter", ["owner", "editor", "admin"])
def test_case_032_what_is_deleted_is_nowhere_for_anybody(
    app: Flask, session: Session, deleter: str
) -> None:
    # given
    world = World(app, session)
    post, _other = marked(world), world.post()
    relate(world, post)
    before = {name: count(world.caller(name)) for name in ALIVE}
    assert MARK in world.caller("anonymous").get(f"{API}/posts").text
    # when
    world.delete(deleter, f"posts/{post.id}")
    # then
    for name in ALIVE:
        caller = world.caller(name)
        for url in reads(world, post):
            answer = caller.get(url)
            assert MARK not in answer.text, (name, url)
            assert caller.head(url).status_code == answer.status_code
        assert count(caller) == before[name] - 1, name
        profile = data(caller.get(f"{API}/users/{world.id('owner')}"))
        assert profile["posts_count"] == 1


def test_case_032_what_goes_with_its_author_is_nowhere_either(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    post = marked(world)
    relate(world, post)
    # when
    world.delete("admin", f"users/{world.id('owner')}")
    # then
    name = world.people["owner"].username
    for caller in map(world.caller, ("anonymous", "reader", "other", "editor", "admin")):
        for url in reads(world, post):
            answer = caller.get(url)
            assert MARK not in answer.text, url
            assert f'"{name}"' not in answer.text, url


def test_case_033_a_cached_copy_is_not_confirmed_any_more(app: Flask, session: Session) -> None:
    # given
    world = World(app, session)
    post, caller = world.post(), world.caller("reader")
    urls = [f"{API}/posts/{post.id}", f"{API}/posts/by-slug/{post.slug}"]
    urls += [f"{API}/posts/{post.id}/likes"]
    tags = [caller.get(url).headers["ETag"] for url in urls]
    held = [{"If-None-Match": tag} for tag in tags]
    assert [caller.get(u, headers=h).status_code for u, h in zip(urls, held, strict=True)] == [
        304
    ] * 3
    # when
    world.delete("owner", f"posts/{post.id}")
    # then
    for url, headers in zip(urls, held, strict=True):
        for given in (headers, {"If-None-Match": "*"}, headers | {"If-Match": "*"}):
            assert code(caller.get(url, headers=given)) == "not-found"


@pytest.mark.parametrize("ending", ["suspended", "deleted"])
def test_case_034_the_works_of_who_is_gone_are_absent_in_every_relation(
    app: Flask, session: Session, ending: str
) -> None:
    # given
    world = World(app, session)
    post, other = marked(world), world.post("other")
    relate(world, post)
    likes = f"{API}/posts/{other.id}/likes"
    assert world.caller("owner").put(likes.removesuffix("s")).status_code == 204
    # when
    if ending == "suspended":
        world.suspend("owner")
    else:
        world.delete("admin", f"users/{world.id('owner')}")
    # then
    name = world.people["owner"].username
    for caller in map(world.caller, ("anonymous", "reader", "other")):
        for url in reads(world, post):
            assert MARK not in caller.get(url).text, url
            assert f'"{name}"' not in caller.get(url).text, url
        assert count(caller, f"tag={MARK}") == 0
        assert data(caller.get(f"{API}/posts/{other.id}"))["likes_count"] == 0
    assert ids(world.caller("other").get(likes)) == []


def test_case_036_a_deleted_users_name_and_address_stay_taken(
    app: Flask, session: Session, engine: sa.Engine
) -> None:
    # given
    world = World(app, session)
    living, gone, free = world.people["owner"], world.people["deleted"], {"username": "fresh-one"}
    before = everything(engine)

    def sign_up(user: User) -> list[Any]:
        address = {"email": user.email.upper(), "password": "a violin in Oslo"}
        both = {"username": user.username.upper()} | address
        return [
            world.caller("anonymous").post(f"{API}/users", json=x) for x in (both, free | address)
        ]

    # when
    answers = {user: sign_up(user) for user in (living, gone)}
    # then
    for name_and_address, address in answers.values():
        assert code(name_and_address) == "username-taken"
        assert faults(name_and_address) == {"username": "taken", "email": "taken"}
        assert (code(address), faults(address)) == ("email-taken", {"email": "taken"})
    assert everything(engine) == before


class TestRestore:
    def test_case_037_brings_back_only_what_the_deletion_took(
        self, app: Flask, session: Session, engine: sa.Engine
    ) -> None:
        # given
        world = World(app, session)
        earlier, later = world.trashed("owner"), world.post(tags=[MARK])
        admin, posts = (
            world.caller("admin"),
            f"{API}/posts?status=any&author_id={world.id('owner')}",
        )
        shown = admin.get(posts).get_json()["items"]
        assert [each["id"] for each in shown] == [later.id]
        world.delete("admin", f"users/{world.id('owner')}")
        # when
        data(admin.post(f"{API}/trash/users/{world.id('owner')}/restoration"))
        # then
        (back,) = admin.get(posts).get_json()["items"]
        changed = {name for name in back if back[name] != shown[0][name]}
        assert changed <= {"version"}
        assert code(admin.get(f"{API}/posts/{earlier.id}")) == "not-found"
        assert world.caller("owner").get(f"{API}/users/me").status_code == 401

    @pytest.mark.parametrize("ending", ["reader", "suspended"])
    def test_case_037_is_refused_to_who_may_no_more(
        self, app: Flask, session: Session, engine: sa.Engine, ending: str
    ) -> None:
        # given
        world = World(app, session)
        post, user = world.trashed("owner"), world.people["owner"]
        change = {"role": "reader"} if ending == "reader" else {"status": "suspended"}
        url = f"{API}/users/{user.id}"
        assert world.caller("admin").patch(url, json=change).status_code == 200
        session.refresh(user)
        if ending == "reader":
            world.tokens["owner"] = token_of(app, session, user)
        before = everything(engine)
        # when
        answer = world.caller("owner").post(f"{API}/trash/posts/{post.id}/restoration")
        # then
        assert answer.status_code == (403 if ending == "reader" else 401)
        assert everything(engine) == before

    def test_case_037_of_a_suspended_users_post_shows_it_to_nobody_new(
        self, app: Flask, session: Session
    ) -> None:
        # given
        world = World(app, session)
        post = world.trashed("owner")
        world.suspend("owner")
        # when
        data(world.caller("editor").post(f"{API}/trash/posts/{post.id}/restoration"))
        # then
        assert code(world.caller("anonymous").get(f"{API}/posts/{post.id}")) == "not-found"
        assert post.id not in ids(world.caller("other").get(f"{API}/posts"))


def test_case_039_a_later_user_is_not_reached_by_an_earlier_ones_token(
    app: Flask, session: Session, sign_in: Callable[[User], FlaskClient]
) -> None:
    # given
    world = World(app, session)
    id, old = world.id("owner"), world.caller("owner")
    world.delete("admin", f"users/{id}")
    world.delete("admin", f"trash/users/{id}")
    body = {"username": "later", "email": "later@example.com", "password": "a violin in Oslo"}
    # when
    later = data(world.caller("anonymous").post(f"{API}/users", json=body), 201)
    # then
    assert later["id"] > id
    for route in routes(app):
        takes_none = route.rule.endswith(("/auth/token", "/auth/revoke", ".json"))
        if route.rule.startswith(API) and not takes_none and route.method != "OPTIONS":
            answer = old.open(route.url, method=route.method, json={})
            assert answer.status_code == 401, route


@pytest.mark.parametrize("what", ["post", "user"])
def test_case_040_what_is_purged_is_in_no_table_any_more(
    app: Flask, session: Session, engine: sa.Engine, what: str
) -> None:
    # given
    world = World(app, session)
    owner, user = world.caller("owner"), world.people["owner"]
    text = {"title": f"A {MARK}", "body": MARK, "tags": [MARK], "slug": f"{MARK}-1"}
    post = data(owner.post(f"{API}/posts", json=text), 201)
    url = f"{API}/posts/{post['id']}"
    data(owner.patch(url, json={"slug": f"{MARK}-2", "status": "published"}))
    data(owner.patch(f"{API}/users/me", json={"name": MARK, "bio": MARK}))
    path = f"posts/{post['id']}" if what == "post" else f"users/{user.id}"
    world.delete("admin", path)
    assert MARK in repr(everything(engine))
    # when
    world.delete("admin", f"trash/{path}")
    # then
    rows = everything(engine)
    if what == "post":
        del rows["users"], rows["user_search"]
        rows["revisions"] = [row for row in rows["revisions"] if "users" not in row]
    else:
        assert user.email not in repr(rows)
        assert f"'{user.username}'" not in repr(rows)
    assert MARK not in repr(rows)
    admin = world.caller("admin")
    for each in (url, f"{API}/posts/by-slug/{MARK}-1", f"{API}/posts/by-slug/{MARK}-2"):
        assert code(admin.get(each)) == "not-found"
    assert MARK not in admin.get(f"{API}/trash").text
