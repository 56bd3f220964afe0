"""Rules about users: who may sign up, what only admins may change, what ends sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from models import USER_WORDS, Deletion, Post, User
from services import audit, counts, deletion, log, passwords, revocation, sessions, tags
from services.authored import Authored, is_active
from services.base import ACTOR, NOW, SIGNED_OUT, YES, Service, Verdict
from services.confirmation import ReauthenticationRequired, confirm
from services.errors import Conflict, Fault, Forbidden, ServiceError
from services.listing import Sort, Tally, any_of, equals
from services.pictures import shown
from services.posts import PostService
from services.search import Searched
from services.transaction import explain_conflict, reading

CLOSED = Verdict(False, "registration-closed")
NOT_SELF = Verdict(False, "not-self")

#: Key of PostgreSQL's advisory lock around the question who is the last admin.
_ADMINS = 0x5349_4741
_ENDS_TOKENS = ("role", "status")
#: Beside changes: the hash of the password that was asked for; it must still be the present one.
_CONFIRMED = "confirmed_hash"


def _is_published(service: Service[Any]) -> sa.ColumnElement[bool]:
    shown = PostService(service.session).public_rows(NOW)
    return sa.and_(Post.deleted_at.is_(None), shown, User.status == "active")


class UserService(Service[User]):
    """Anyone may sign up while registration is open; people change themselves, admins everybody."""

    model = User
    type = "users"
    sorts = {"created_at": Sort(User.created_at), "username": Sort(User.username_key)}
    default_sort = "created_at"
    filters = {"role": equals(User.role), "ids": any_of(User.id)}
    searched = Searched(USER_WORDS, heads=("name", "username"))
    tallies = {"posts_count": Tally(Post.author_id, _is_published)}
    defaults = {"name": None, "bio": None, "avatar_id": None}
    staff = "admin"
    history = ("username", "name", "bio", "role", "status", "avatar_id")

    def visible(self) -> sa.Select[Any]:
        living = sa.select(User).where(User.deleted_at.is_(None))
        if self.is_at_least("admin"):
            return living
        if self.actor is None:
            return living.where(User.status == "active")
        return living.where(sa.or_(User.status == "active", User.id == ACTOR))

    def columns(self) -> tuple[Any, ...]:
        names = (
            *("id", "username", "name", "bio", "role", "created_at"),
            *("email", "email_verified", "status", "avatar_id", "updated_at", "version"),
        )
        return (
            *(User.__table__.columns[name] for name in names),
            shown.living(User.avatar_id).label("avatar_url"),
        )

    def allows(self, action: str, item: Any) -> Verdict:
        if action == "read" or self.is_at_least("admin"):
            return YES
        if action == "create":
            is_open = self.config is None or self.config.REGISTRATION == "open"
            return YES if is_open else CLOSED
        if self.actor is None:
            return SIGNED_OUT
        return YES if item.id == self.actor.id else NOT_SELF

    def require(self, action: str, item: Any) -> None:
        if action == "create" and self.actor and not self.allows(action, item).allowed:
            raise Forbidden("Registration is closed.")
        super().require(action, item)

    @classmethod
    def prepare(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Hash the password while no transaction is open."""
        if "password" not in data:
            return dict(data)
        rest = {name: value for name, value in data.items() if name != "password"}
        return {**rest, "password_hash": passwords.hash(data["password"])}

    def build(self, data: Mapping[str, Any]) -> User:
        user = User(created_at=self.now, updated_at=self.now, version=1, token_version=1)
        user.email_verified = False
        self._apply(user, {"role": "author", "status": "active", **self.defaults, **data})
        return user

    def apply(self, item: User, changes: Mapping[str, Any]) -> None:
        if self._needs_password(item, changes) and changes.get(_CONFIRMED) != item.password_hash:
            raise ReauthenticationRequired()
        demoted = changes.get("role", item.role) != "admin" and item.role == "admin"
        if demoted or (changes.get("status") == "suspended" and item.role == "admin"):
            self._keep_an_admin(item)
        before = [getattr(item, name) for name in _ENDS_TOKENS]
        self._apply(item, changes)
        after = [getattr(item, name) for name in _ENDS_TOKENS]
        if before != after:
            self._end_tokens(item, sign_ins=item.status != "active")
            self._audit(audit.ROLE_CHANGE, item, {"from": before, "to": after})

    def delete(self, id: int, expected: frozenset[int] | None = None) -> Deletion:
        user = self.load(id, "delete", expected)
        if user.role == "admin":
            self._keep_an_admin(user)
        self._end_tokens(user)
        counts.hold_user(self.session, user.id)
        return deletion.discard(self, user)

    def confirm(self, id: int | None, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for the current password where somebody changes their own email.

        Of a new user, hash no password in vain: names that are taken are refused here already.
        """
        if id is None:
            self._refuse_taken(changes["username"].casefold(), email_key(changes["email"]))
        if self.actor is None or self.actor.id != id or "email" not in changes:
            return {}
        with reading(self.session):
            own = self.session.get(User, id)
        if own is None or not self._needs_password(own, changes):
            return {}
        confirm(self.session, own, changes.get("current_password"), self.config)
        return {_CONFIRMED: own.password_hash}

    def confirm_password(self, id: int, current: str | None) -> str | None:
        """Check one's own current password before it is replaced; no transaction may be open.

        Returns: the hash that it matched, for ``set_password``; None for somebody else's.

        Raises:
            ReauthenticationRequired: it is missing or wrong.
        """
        with reading(self.session):
            self.check("update", id)
            user = self.session.get_one(User, id)
        if self.actor is None or self.actor.id != id:
            return None
        confirm(self.session, user, current, self.config)
        return user.password_hash

    def set_password(self, id: int, password_hash: str, confirmed: str | None = None) -> None:
        """Store a new password; ends all other sessions, or all if it is another's.

        Args:
            confirmed: the hash of the password that was asked for; None if none was.

        Raises:
            ReauthenticationRequired: it has been replaced meanwhile.
        """
        user = self.load(id, "update")
        if confirmed is not None and user.password_hash != confirmed:
            raise ReauthenticationRequired()
        user.password_hash = password_hash
        self.touch(user)
        self.session.flush()
        if self.actor is not None and self.actor.id == id and self.actor.session_id is not None:
            sessions.end_others(self.session, id, self.actor.session_id)
        else:
            self._end_tokens(user)
        self.record("update", user, was=self.audience(user))
        self._audit(audit.PASSWORD_CHANGE, user, None)

    def record_children(self, item: User, was: int) -> None:
        """Log what appears or disappears with its author, and count what they did."""
        counts.recount_user(self.session, item.id)
        living = sa.and_(Post.author_id == item.id, Post.deleted_at.is_(None))
        tags.shift_each(self.session, living, 1 if item.status == "active" else -1)

        def was_active(user_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
            if was == log.EVERYONE:
                return sa.or_(user_id == item.id, is_active(user_id))
            return sa.and_(user_id != item.id, is_active(user_id))

        for child, _author_id in self.children():
            if isinstance(child, Authored):
                before, after = child.audience_while(was_active), child.audience_while(is_active)
                rows = child.log_rows("update", before, after)
                told = child.rows_shown_by(item.id, before != after)
                log.record_each(self.session, rows.where(told, child.model.deleted_at.is_(None)))

    def settle(self, item: User, by: int) -> None:
        if by < 0 and item.status == "active":  # those that come back count as they do
            tags.shift_each(self.session, Post.deletion_id == item.deletion_id, by)
        counts.recount_user(self.session, item.id)
        if by > 0:  # others may have gone, and come back, meanwhile
            own = sa.select(Post.id).where(Post.author_id == item.id)
            counts.recount(self.session, counts.COMMENTS, own)

    def readmit(self, item: User, slug: str | None) -> None:
        counts.hold_user(self.session, item.id)

    def audience(self, item: User) -> int:
        return log.EVERYONE if item.status == "active" else log.OWNER_AND_STAFF

    def owner_of(self, item: User) -> int:
        return int(item.id)

    def owner_column(self) -> sa.ColumnElement[int]:
        return User.id  # type: ignore[return-value]  # a column is an expression

    def title_of(self, item: User) -> str:
        return item.username

    def by_name(self, username: str) -> Any:
        """Return the visible row of a user by name, whatever its case.

        Raises:
            NotFound: no such name, or not visible to this actor.
        """
        return self.first(self.visible().where(User.username_key == username.casefold()))

    def _needs_password(self, user: User, changes: Mapping[str, Any]) -> bool:
        """Whether this is somebody who changes their own email."""
        is_own = self.actor is not None and self.actor.id == user.id
        return is_own and "email" in changes and email_key(changes["email"]) != user.email_key

    def _apply(self, user: User, changes: Mapping[str, Any]) -> None:
        for name in ("name", "bio", "role", "status", "password_hash"):
            if name in changes:
                setattr(user, name, changes[name])
        if "avatar_id" in changes:
            user.avatar_id = shown.chosen(self, user, "avatar_id", changes["avatar_id"])
        if "username" in changes:
            user.username, user.username_key = changes["username"], changes["username"].casefold()
        if "email" in changes:
            key = email_key(changes["email"])
            user.email_verified = user.email_verified and user.email_key == key
            user.email, user.email_key = changes["email"], key
        username, email, id = user.username_key, user.email_key, user.id or 0
        explain_conflict(self.session, lambda: self._taken(id, username, email))

    def _refuse_taken(self, username: str, email: str) -> None:
        with reading(self.session):
            if taken := self._taken(0, username, email):
                raise taken

    def _taken(self, id: int, username: str, email: str) -> ServiceError | None:
        """Return the error that lists every taken field, deleted users' included."""
        statement = sa.select(User.username_key, User.email_key).where(
            User.id != id, sa.or_(User.username_key == username, User.email_key == email)
        )
        found = self.session.execute(statement).all()
        taken = [
            name
            for name, value, at in (("username", username, 0), ("email", email, 1))
            if any(row[at] == value for row in found)
        ]
        if not taken:
            return None
        faults = [Fault(name, "taken", f"This {name} is taken.") for name in taken]
        return Conflict(faults[0].message, code=f"{taken[0]}-taken", faults=faults)

    def _keep_an_admin(self, user: User) -> None:
        """Refuse if ``user`` is the last active admin; asked one at a time.

        Raises:
            Conflict: no other active admin is left.
        """
        if self.session.get_bind().dialect.name == "postgresql":
            self.session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADMINS)))
        others = sa.select(User.id).where(
            User.role == "admin",
            User.status == "active",
            User.deleted_at.is_(None),
            User.id != user.id,
        )
        if self.session.scalar(others.limit(1)) is None:
            raise Conflict("This is the last active admin.", code="last-admin")

    def _end_tokens(self, user: User, *, sign_ins: bool = True) -> None:
        """End a user's access tokens and, unless only their rights change, their sessions."""
        user.token_version += 1
        if sign_ins:
            sessions.end_all(self.session, user.id, user.token_version)
        else:
            revocation.revoke_user(self.session, user.id, user.token_version)

    def _audit(self, kind: str, user: User, details: dict[str, Any] | None) -> None:
        audit.record(self.session, kind, actor=self.actor, subject_id=user.id, details=details)


def email_key(email: str) -> str:
    """Return what makes an address unique: the validated form, casefolded."""
    return email.casefold()
