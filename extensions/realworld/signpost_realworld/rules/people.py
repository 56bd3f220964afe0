"""Rules about people: who is followed, what one's account is, what one may change of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from signpost import models, services
from signpost.services import ACTOR
from signpost_realworld.errors import about
from signpost_realworld.models import Profile

_CLOSED = "Registration is closed."


def author_of(service: services.Service[Any]) -> tuple[Any, ...]:
    """Return the columns of a profile; the statement reads the user."""
    user = models.User
    image = sa.select(Profile.image).where(Profile.user_id == user.id)
    return (
        user.username,
        user.bio,
        image.correlate(user).scalar_subquery().label("image"),
        followed(service, user.id).label("following"),
    )


def followed(service: services.Service[Any], user_id: Any) -> sa.ColumnElement[bool]:
    """Return whether the caller follows a user."""
    if service.actor is None:
        return sa.false()
    follow = models.Follow
    found = sa.exists().where(follow.follower_id == ACTOR, follow.followed_id == user_id)
    return found.correlate_except(follow)


class ProfileService(services.UserService):
    """Users as RealWorld shows them."""

    tallies = {}

    def columns(self) -> tuple[Any, ...]:
        return (models.User.id, models.User.email, *author_of(self))

    def profile(self, username: str) -> Any:
        """Return the row of a user by name.

        Raises:
            NotFound: there is none.
        """
        with about("profile"):
            return self.by_name(username)

    def follow(self, username: str) -> int:
        """Have the caller follow a user; return that one's id. Raises as ``profile``."""
        id: int = self.profile(username).id
        services.FollowerService(self.session, self.actor, self.config).relate(id)
        return id

    def unfollow(self, username: str) -> int:
        """End that; as ``follow``."""
        id: int = self.profile(username).id
        services.FollowerService(self.session, self.actor, self.config).part(id)
        return id


class AccountService(ProfileService):
    """The caller's own account."""

    def require(self, action: str, item: Any) -> None:
        if action == "create" and not self.allows(action, item).allowed:
            with about("registration"):
                raise services.Forbidden(_CLOSED)
        super().require(action, item)

    def sign_up(self, data: Mapping[str, Any], credentials: services.Credentials) -> services.Grant:
        """Make a user of prepared input, and sign them in."""
        user = self.session.get_one(models.User, self.create(data))
        return services.begin(self.session, user, credentials)

    def confirmed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for the current password where it is needed; then do the slow work.

        Returns: what ``change`` takes.

        Raises:
            ReauthenticationRequired: it is missing or wrong.
        """
        id = self._id
        data = {name: value for name, value in changes.items() if name != "password"}
        data["current_password"] = data.pop("currentPassword", None)
        asked = {**data, **self.confirm(id, data)}
        if "password" in changes:
            asked["confirmed_password"] = self.asked_password(id, data["current_password"])
            asked |= self.prepare({"password": changes["password"]})
        return asked

    def asked_password(self, id: int, current: str | None) -> str | None:
        """Return the hash of the present password, which was asked for; None if it was not."""
        return self.confirm_password(id, current)

    def change(self, changes: Mapping[str, Any]) -> int:
        """Change the caller's account by what ``confirmed`` returned; return the id.

        The sign-in that the caller's token belongs to goes on, whatever changes.
        """
        id, changes = self._id, dict(changes)
        password_hash = changes.pop("password_hash", None)
        confirmed = changes.pop("confirmed_password", None)
        self.patch(id, changes, None)
        if "image" in changes:
            self._set_image(id, changes["image"])
        if password_hash:
            self.set_password(id, password_hash, confirmed)
        return id

    @property
    def _id(self) -> int:
        if self.actor is None:
            raise services.Unauthenticated()
        return self.actor.id

    def _set_image(self, id: int, image: str | None) -> None:
        profile = self.session.get(Profile, id) or Profile(user_id=id)
        profile.image = image
        self.session.add(profile)


class TrustingAccountService(AccountService):
    """An account that changes without its current password, as RealWorld has it."""

    def asked_password(self, id: int, current: str | None) -> str | None:
        return None

    def _needs_password(self, user: models.User, changes: Mapping[str, Any]) -> bool:
        return False
