"""Who may see, restore and purge what somebody deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Post, User
from tests.answers import code, ids
from tests.factories import make_post, make_user

SignIn = Callable[[User], FlaskClient]

POSTS, TRASH = "/api/v1/posts", "/api/v1/trash"


@pytest.mark.parametrize("verb", ["restore", "see", "purge"])
class TestRights:
    """Who may do what with a post by ada that ``deleter`` deleted."""

    ALLOWED = {
        ("ada", "restore"): {"ada", "grace", "root"},
        ("ada", "see"): {"ada", "grace", "root"},
        ("ada", "purge"): {"ada", "root"},
        ("grace", "restore"): {"grace", "root"},
        ("grace", "see"): {"grace", "root"},
        ("grace", "purge"): {"root"},
    }

    @pytest.fixture
    def people(self, session: Session, ada: User, editor: User, admin: User) -> dict[str, User]:
        linus = make_user(session, "linus", role="editor")
        there = (ada, editor, admin, linus, make_user(session, "mallory"))
        return {user.username: user for user in there}

    @pytest.mark.parametrize("deleter", ["ada", "grace"])
    def test_of_a_post(
        self, verb: str, deleter: str, people: dict[str, User], sign_in: SignIn, session: Session
    ) -> None:
        allowed = self.ALLOWED[deleter, verb] | ({"linus"} if verb != "purge" else set())

        for name, user in people.items():
            post = make_post(session, people["ada"])
            assert sign_in(people[deleter]).delete(f"{POSTS}/{post.id}").status_code == 204
            caller, url = sign_in(user), f"{TRASH}/posts/{post.id}"
            answer = {
                "see": lambda caller=caller, url=url: caller.get(url),
                "restore": lambda caller=caller, url=url: caller.post(f"{url}/restoration"),
                "purge": lambda caller=caller, url=url: caller.delete(url),
            }[verb]()
            may_see = name in self.ALLOWED[deleter, "see"] | {"linus"}
            refusal = "forbidden" if may_see else "not-found"
            if name in allowed:
                assert answer.status_code in {200, 204}, (name, answer.text)
            else:
                assert code(answer) == refusal, name
            if verb == "see":
                assert (post.id in ids(caller.get(TRASH))) is may_see
            if name not in allowed:
                assert session.get(Post, post.id, populate_existing=True) is not None
