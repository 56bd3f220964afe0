"""/users: sign up, look at people, change oneself. The rules are in services/users.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response
from flask_restx import Model, Namespace

from api import arguments, fields
from api.describe import answers, lists, reads
from api.fields import patch_of
from api.item import Item
from api.posts import posts
from api.preconditions import conditional
from api.resource import Collection, Listing, SpecEndpoint, expose
from api.rights import Rights, rights_of
from api.spec import ByRole, Spec
from services import passwords
from services.actor import ROLES, Actor
from services.users import UserService

ns = Namespace("Users", path="/v1", description="People: sign up, look at them, change oneself.")

_PASSWORD = "an elephant in Cairo"  # noqa: S105 - an example


def _profile(*, required: bool) -> dict[str, Any]:
    return {
        "name": fields.String(
            required=required, nullable=True, max_length=100, example="Ada Lovelace"
        ),
        "bio": fields.String(
            required=required,
            nullable=True,
            max_length=500,
            multiline=True,
            example="Writes about engines.",
        ),
    }


def _public() -> dict[str, Any]:
    return {
        "id": fields.Integer(required=True, readonly=True, example=7),
        "username": fields.String(required=True, example="ada"),
        **_profile(required=True),
        "avatar_url": fields.FileContent(
            required=True,
            nullable=True,
            readonly=True,
            description="Where the avatar is; null without one, or while it is in the trash.",
            example=None,
        ),
        "snippet": fields.snippet(),
        "role": fields.String(required=True, enum=list(ROLES), example="author"),
        "posts_count": fields.Integer(required=True, readonly=True, example=3),
        "created_at": fields.DateTime(required=True, readonly=True),
    }


def _writable() -> dict[str, Any]:
    return {
        "username": fields.String(required=True, kind="username", example="ada"),
        "email": fields.String(required=True, kind="email", example="ada@example.org"),
        **_profile(required=False),
    }


def _for_admins(*, is_open: bool, status: bool = True) -> dict[str, Any]:
    """Return what only admins set; for others the same names are read-only."""
    role = fields.String(enum=list(ROLES), readonly=not is_open)
    state = fields.String(enum=["active", "suspended"], readonly=not is_open)
    return {"role": role, "status": state} if status else {"role": role}


profile = Model(
    "UserProfile", _public()
)  # what others see: a part of User, not published by itself
user = ns.model(
    "User",
    {
        **_public(),
        "email": fields.String(description="To the user and to admins only, as what follows."),
        "email_verified": fields.Boolean(readonly=True),
        "status": fields.String(enum=["active", "suspended"]),
        "avatar_id": fields.Integer(nullable=True, example=None),
        "updated_at": fields.DateTime(readonly=True),
        "version": fields.Integer(readonly=True),
    },
)


def _by_role(name: str, members: Any, *, status: bool = True, patch: bool = False) -> ByRole:
    """Declare a body twice: as others may send it, and, published, as admins may."""
    others, admins = (
        ns.model(name, {**members(), **_for_admins(is_open=is_open, status=status)})
        for is_open in (False, True)
    )
    if patch:
        others, admins = patch_of(ns, name, others), patch_of(ns, name, admins)
    return ByRole(admins=admins, others=others)


def _sign_up() -> dict[str, Any]:
    return {
        **_writable(),
        "password": fields.String(required=True, kind="password", example=_PASSWORD),
    }


def _change() -> dict[str, Any]:
    current = fields.String(kind="secret", description="Needed to change your own email.")
    avatar = fields.Integer(
        nullable=True, min=1, description="A picture among your own files, or null.", example=None
    )
    return {**_writable(), "avatar_id": avatar, "current_password": current}


def _view(actor: Actor | None, row: Any) -> Model:
    if actor is None:
        return profile
    if actor.is_at_least("admin") or (row is not None and row.id == actor.id):
        return user
    return profile


users = Spec(
    name="user",
    service=UserService,
    output=user,
    view=_view,
    create=_by_role("UserInput", _sign_up, status=False),
    replace=_by_role("UserReplacement", _change),
    patch=_by_role("UserPatch", _change, patch=True),
    filters={
        "role": {"type": arguments.choice(*ROLES), "help": "Users of this role."},
        "ids": {"type": arguments.Identifiers(), "help": "Users with one of these ids: `1,2,3`."},
    },
    anonymous=frozenset({"POST"}),
)

#: The author is in the URL.
posts_of_one = replace(
    posts,
    filters={name: each for name, each in posts.filters.items() if not name.startswith("author")},
)

new_password = ns.model(
    "NewPassword",
    {
        "current_password": fields.String(
            kind="secret", description="Needed for your own.", example=_PASSWORD
        ),
        "new_password": fields.String(required=True, kind="password", example=_PASSWORD),
    },
)


@expose(ns, "/users")
class UserCollection(Collection):
    spec = users
    anonymous = Collection.anonymous | users.anonymous


@expose(ns, "/users/<user_id:id>")
class UserItem(Item):
    spec = users

    def undoable(self, id: int) -> bool:
        return id != self.caller.id


@expose(ns, "/users/<user_id:id>/can", get=rights_of(ns, "getUserRights"))
class UserRights(Rights):
    spec = users


@expose(
    ns,
    "/users/<user_id:id>/password",
    put={
        "id": "setUserPassword",
        "expect": [new_password],
        **answers(204, None, 401, 403, 404, 413, 415, 429),
    },
)
class UserPassword(SpecEndpoint):
    spec = users

    def put(self, id: int) -> Response:
        """Set a password

        Yours, with the current one beside it; an admin sets those of others without. Ends all other
        sessions of that user.
        """
        self.refuse_parameters("update", id)
        data = self.body(new_password, "update", id)
        confirmed = self.service(self.session).confirm_password(id, data.get("current_password"))
        hashed = passwords.hash(data["new_password"])
        self.write(lambda session: self.service(session).set_password(id, hashed, confirmed))
        return self.nothing()


@expose(ns, "/users/<user_id:id>/posts", get=lists(ns, posts_of_one, "listUserPosts", 404))
class UserPosts(Listing):
    spec = posts_of_one

    def get(self, **path: Any) -> Response:
        """List the posts of a user

        As the list of all posts, but of one author.
        """
        self.see(UserService, path["id"])
        return super().get(author_id=path["id"])


@expose(ns, "/users/by-username/<username>", get=reads(users, "getUserByName"))
class UserByName(SpecEndpoint):
    spec = users
    is_kept = True

    def get(self, username: str) -> Response:
        """Get a user by name

        Upper and lower case are the same.
        """
        mask = self.spec.read_item_query()["fields"]
        row = self.read(lambda session: self.service(session).by_name(username))
        return conditional(self.shown(row, mask))
