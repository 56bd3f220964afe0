"""Profiles: look at somebody, follow them, follow them no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from models import User

if TYPE_CHECKING:
    from tests.conduit import Caller

NOBODY = {"profile": ["not found"]}


def profile(name: str, *, following: bool = False) -> dict[str, Any]:
    """Return what a profile of a name is."""
    own = {"username": name, "bio": None, "image": None, "following": following}
    return {"profile": own}


class TestGet:
    def test_by_anyone_and_by_oneself(self, ada: Caller, anyone: Caller) -> None:
        assert anyone("GET", "/profiles/ada", 200) == profile("ada")
        assert ada("GET", "/profiles/ada", 200) == profile("ada")

    def test_has_what_its_user_wrote(self, ada: Caller, anyone: Caller) -> None:
        written = {"bio": "I write.", "image": "https://example.org/a.png"}
        ada("PUT", "/user", 200, {"user": written})
        assert anyone("GET", "/profiles/ada", 200) == {
            "profile": profile("ada")["profile"] | written
        }

    def test_of_nobody(self, anyone: Caller) -> None:
        assert anyone.errors("GET", "/profiles/nobody", 404) == NOBODY

    def test_of_who_is_suspended(self, ada: Caller, anyone: Caller, session: Session) -> None:
        session.query(User).one().status = "suspended"
        session.commit()
        assert anyone.errors("GET", "/profiles/ada", 404) == NOBODY

    def test_tells_no_address(self, ada: Caller, anyone: Caller) -> None:
        assert "@" not in anyone.ask("GET", "/profiles/ada").text


class TestFollow:
    def test_and_unfollow_as_often_as_you_like(self, ada: Caller, bob: Caller) -> None:
        for _ in range(2):
            assert bob("POST", "/profiles/ada/follow", 200) == profile("ada", following=True)
        assert bob("GET", "/profiles/ada", 200) == profile("ada", following=True)
        assert ada("GET", "/profiles/bob", 200) == profile("bob")
        for _ in range(2):
            assert bob("DELETE", "/profiles/ada/follow", 200) == profile("ada")
        assert bob("GET", "/profiles/ada", 200) == profile("ada")

    def test_shows_on_articles(self, ada: Caller, bob: Caller, anyone: Caller) -> None:
        slug = ada.publish()["slug"]
        bob("POST", "/profiles/ada/follow", 200)
        for caller, follows in ((bob, True), (ada, False), (anyone, False)):
            found = caller("GET", f"/articles/{slug}", 200)["article"]
            assert found["author"]["following"] is follows
            listed = caller("GET", "/articles", 200)["articles"][0]
            assert listed["author"]["following"] is follows

    def test_is_a_follow_of_the_core(self, ada: Caller, bob: Caller, session: Session) -> None:
        bob("POST", "/profiles/ada/follow", 200)
        id = session.query(User).filter_by(username="ada").one().id
        users = ada.client.get(f"/api/v1/users/{id}/followers").get_json()["items"]
        assert [each["username"] for each in users] == ["bob"]

    def test_oneself(self, ada: Caller) -> None:
        assert ada.errors("POST", "/profiles/ada/follow", 409)
        assert ada("GET", "/profiles/ada", 200) == profile("ada")

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_of_nobody(self, ada: Caller, anyone: Caller, method: str) -> None:
        found = anyone.errors(method, "/profiles/nobody/follow", 401)
        assert found == {"token": ["is missing"]}
        assert ada.errors(method, "/profiles/nobody/follow", 404) == NOBODY

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    @pytest.mark.parametrize(
        "sent",
        [
            {"json": {}},
            {"json": {"user": {"email": "ada@test.com"}}},
            {"data": b"", "content_type": "application/json"},
            {"data": b"{cut", "content_type": "application/json"},
            {},
        ],
    )
    def test_ignores_bodies(
        self, ada: Caller, bob: Caller, method: str, sent: dict[str, Any]
    ) -> None:
        assert bob.ask(method, "/profiles/ada/follow", **sent).status_code == 200
