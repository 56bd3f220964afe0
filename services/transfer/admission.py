"""Decides what becomes of each line of a batch, and stores it, in one transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Deletion, Post, User
from services import clock, slugs
from services.base import Service
from services.errors import Fault
from services.posts import PostService
from services.transfer.differences import DERIVED, contradictions, post_changes, user_changes
from services.transfer.drafts import (
    Current,
    Draft,
    Identity,
    Memory,
    Planned,
    Unprepared,
    Verdict,
    refused,
)
from services.transfer.keeping import Origin, Posts, Users, index, keep
from services.transfer.lines import OPERATOR, Options
from services.transfer.present import Present, is_trashed
from services.transfer.talk import NOBODY, Talk
from services.users import UserService, email_key

_CREATED, _UPDATED = Verdict("created"), Verdict("updated")
_UNCHANGED, _SKIPPED = Verdict("unchanged"), Verdict("skipped")


class Admission:
    """One batch. ``admit`` it, and after the commit ``remember`` what later ones need."""

    def __init__(self, session: Session, options: Options, memory: Memory) -> None:
        self._session, self._options, self._memory = session, options, memory
        self._now: datetime = session.info.get("now") or clock.now()
        self._current, self._comment = memory.current, memory.comment
        self._trashed: Counter[int] = Counter()
        self._users: list[Planned] = []
        self._posts: dict[str, bytes] = {}
        self._revisions: list[dict[str, Any]] = []
        self._tags: list[dict[str, Any]] = []
        self._children: Counter[int] = Counter()
        self.verdicts: list[Verdict] = []

    def admit(self, drafts: Sequence[Draft]) -> None:
        """Decide on every line, and store those that are new or to be changed."""
        good = [draft for draft in drafts if not draft.faults]
        self._there = Present(self._session, good, self._memory)
        self._talk = Talk(self._session, self._options, self._now, self._there)
        for draft in drafts:
            self.verdicts.append(self._verdict(draft))
        index(self._session, self._tags)
        keep(self._session, self._revisions)
        self._talk.count()
        for id, number in (self._children + self._talk.children).items():
            statement = sa.update(Deletion).where(Deletion.id == id)
            count = {"children_count": Deletion.children_count + number}
            self._session.execute(
                statement.values(count).execution_options(synchronize_session=False)
            )

    def remember(self, memory: Memory) -> None:
        """Note what later batches need, once this one is stored."""
        memory.current, memory.comment = self._current, self._comment
        memory.trashed.update(self._trashed)
        memory.posts.update(self._posts)
        for user in self._users:
            memory.users[user.username_key] = memory.emails[user.email_key] = user

    def _verdict(self, draft: Draft) -> Verdict:
        if draft.kind == "post":
            self._current = Current()
        if draft.kind in {"post", "comment"}:
            self._comment = Current()
        if draft.faults:
            return Verdict("refused", tuple(draft.faults))
        decide = {
            "user": self._user,
            "post": self._post,
            "revision": self._revision,
            "deletion": self._deletion,
            "comment": self._said,
            "like": self._liked,
            "follow": self._talk.follow,
        }
        return decide[draft.kind](draft)

    def _said(self, draft: Draft) -> Verdict:
        verdict, self._comment = self._talk.comment(draft, self._current)
        return verdict

    def _liked(self, draft: Draft) -> Verdict:
        return self._talk.like(draft, self._current)

    # -- users -----------------------------------------------------------------------

    def _user(self, draft: Draft) -> Verdict:
        data, there = draft.data, self._there
        if (user := there.user(data["username"])) is not None:
            if isinstance(user, Planned):
                return self._again(user.digest, draft)
            changes = user_changes(data, user)
            return self._differing(UserService, user.id, changes, {"deleted_at"})
        if email_key(data["email"]) in there.emails:
            return refused("email", "taken", "This email is taken.")
        origin = Origin.of(data, self._now)
        if self._options.dry_run:
            made: User | Planned = self._plan(draft, origin)
            self._users.append(self._plan(draft, origin))
        else:
            if not draft.is_prepared:
                raise Unprepared
            made = Users(self._session, self._options.config, origin).keep(data)
        there.users[made.username_key] = there.emails[made.email_key] = made
        return _CREATED

    def _plan(self, draft: Draft, origin: Origin) -> Planned:
        username, key = draft.data["username"], email_key(draft.data["email"])
        id = -1 - len(self._memory.users) - len(self._users)
        return Planned(
            id=id,
            username=username,
            username_key=username.casefold(),
            email_key=key,
            status=draft.data.get("status", "active"),
            version=origin.version,
            deleted_at=origin.deleted_at,
            deletion_id=None if origin.deleted_at is None else id,
            digest=_digest(draft),
        )

    def _deletion(self, draft: Draft) -> Verdict:
        user, by = (self._there.user(draft.data[name]) for name in ("user", "by"))
        if user is None:
            return refused("user", "not-found", NOBODY)
        if by is None and draft.data["by"] is not None:
            return refused("by", "not-found", NOBODY)
        if user.deletion_id is None:
            return self._conflict("user", "This user is not in the trash.")
        if by is None:
            return _UNCHANGED
        if isinstance(user, Planned):
            return _CREATED
        deletion = self._session.get_one(Deletion, user.deletion_id)
        if deletion.deleted_by == by.id:
            return _UNCHANGED
        if deletion.deleted_by is not None or deletion.type != "users":
            return self._conflict("by", "Somebody else deleted this user.")
        deletion.deleted_by = by.id
        return _CREATED

    # -- posts -----------------------------------------------------------------------

    def _post(self, draft: Draft) -> Verdict:
        author = self._there.user(draft.data["author"])
        if author is None:
            return refused("author", "not-found", NOBODY)
        if faults := contradictions(draft, author, self._there):
            return Verdict("refused", tuple(faults))
        data = draft.data
        existing, slug = (
            (self._gone(draft, author), data["slug"])
            if is_trashed(draft)
            else self._living(draft, author)
        )
        if existing is not None:
            verdict = self._known(draft, existing, author)
        elif (planned := self._planned(slug)) is not None and not is_trashed(draft):
            verdict = self._again(planned, draft)
            self._current = Current(slug, None, data.get("version", 1), verdict.outcome)
        else:
            verdict = self._create(draft, author, slug)
        return verdict

    def _known(self, draft: Draft, existing: Post, author: User | Planned) -> Verdict:
        former = self._there.former[existing.id]
        changes = post_changes(draft.data, existing, author.id, former)
        verdict = self._differing(PostService, existing.id, changes, {"author"})
        if verdict is _UPDATED:
            for slug in changes.get("former_slugs", []):
                slugs.remember(self._session, existing.id, slug)
        self._current = Current(existing.slug, existing.id, existing.version, verdict.outcome)
        return verdict

    def _create(self, draft: Draft, author: User | Planned, slug: str) -> Verdict:
        data = draft.data
        by = self._there.user(data.get("deleted_by"))
        more: dict[str, Any] = {"deleted_by": by.id if by else None}
        if data.get("deleted_with_author"):
            more |= {"deleted_at": author.deleted_at, "deletion_id": author.deletion_id}
        origin = Origin.of(data, self._now, **more)
        if self._options.dry_run or isinstance(author, Planned):
            if not is_trashed(draft):
                self._posts[slug] = _digest(draft)
            self._current = Current(slug, None, origin.version, "created")
            return _CREATED
        if not draft.is_prepared:
            raise Unprepared
        post = Posts(self._session, self._options.config, origin, author, self._tags).keep(
            data, slug
        )
        if post.deleted_at is None:
            self._there.posts[slug] = post
            self._there.former[post.id] = set(data.get("former_slugs", []))
        elif origin.deletion_id is not None:
            self._children[origin.deletion_id] += 1
        self._current = Current(slug, post.id, origin.version, "created")
        return _CREATED

    def _living(self, draft: Draft, author: User | Planned) -> tuple[Post | None, str]:
        """Return the living post that a line speaks of, if it is there, and its slug."""
        data, posts = draft.data, self._there.posts
        if (slug := data.get("slug")) is not None:
            return posts.get(slug), slug
        names = slugs.numbered(data["auto_slug"])
        for name in names:
            post = posts.get(name)
            if post is None and self._planned(name) == _digest(draft):
                return None, name
            if post is not None and (post.author_id, post.title, post.body) == (
                *(author.id, data["title"], data["body"]),
            ):
                return post, name
        free = (name for name in names if name not in posts and self._planned(name) is None)
        return None, next(free, slugs.unlike_any(names[0]))

    def _gone(self, draft: Draft, author: User | Planned) -> Post | None:
        """Return the post in the trash that a line speaks of; the second one for the second."""
        data = draft.data
        deleted_at: Any = data.get("deleted_at") or author.deleted_at
        key: Identity = (author.id, data["slug"], data["created_at"], deleted_at)
        found = self._there.trashed.get(key, [])
        before = self._memory.trashed[hash(key)] + self._trashed[hash(key)]
        self._trashed[hash(key)] += 1
        return found[before] if before < len(found) else None

    def _planned(self, slug: str) -> bytes | None:
        return self._posts.get(slug) or self._memory.posts.get(slug)

    # -- revisions -------------------------------------------------------------------

    def _revision(self, draft: Draft) -> Verdict:
        data = draft.data
        if (by := self._there.user(data["by"])) is None and data["by"] is not None:
            return refused("by", "not-found", NOBODY)
        if "user" in data:
            if (user := self._there.user(data["user"])) is None:
                return refused("user", "not-found", NOBODY)
            return self._keep("users", None if user.id < 0 else user.id, user.version, by, draft)
        name, type = ("comment", "comments") if "comment" in data else ("post", "posts")
        current = self._comment if name == "comment" else self._current
        if current.slug != data[name] or current.outcome == "refused":
            return refused(name, "not-found", f"This {name} is not in the lines right before.")
        if current.outcome in {"skipped", "updated"}:
            return _SKIPPED
        return self._keep(type, current.id, current.version, by, draft)

    def _keep(
        self, type: str, id: int | None, newest: int, by: User | Planned | None, draft: Draft
    ) -> Verdict:
        version, contents = draft.data["version"], draft.data["contents"]
        if version > newest:
            return refused("version", "too_large", f"The item's own version is {newest}.")
        if id is None:
            return _CREATED
        snapshot = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in contents.items()
        }
        kept = self._there.revisions.setdefault((type, id, version), snapshot)
        if kept == snapshot and kept is not snapshot:
            return _UNCHANGED
        if kept != snapshot:
            return self._conflict("contents", "This version was another one here.")
        self._revisions.append(
            {
                "type": type,
                "id": id,
                "version": version,
                "snapshot": snapshot,
                "made_at": draft.data["at"],
                "made_by": by.id if by else None,
            }
        )
        return _CREATED

    # -- what is there already ---------------------------------------------------------

    def _differing(
        self, service: type[Service[Any]], id: int, changes: dict[str, Any], fixed: set[str]
    ) -> Verdict:
        """Decide on a line whose item is there, with ``changes`` to what it has."""
        if not changes:
            return _UNCHANGED
        if self._options.on_conflict == "skip":
            return _SKIPPED
        names = changes.keys() - DERIVED
        if self._options.on_conflict == "update":
            names &= fixed
        if names:
            return Verdict("refused", tuple(_different(name) for name in sorted(names)))
        index(self._session, self._tags)  # an update replaces them
        service(self._session, OPERATOR, self._options.config).patch(id, changes, None)
        return _UPDATED

    def _again(self, digest: bytes, draft: Draft) -> Verdict:
        """Decide on a line whose item an earlier line would have made, in a dry run."""
        if digest == _digest(draft):
            return _UNCHANGED
        if self._options.on_conflict == "update":
            return _UPDATED
        return self._conflict("", "A line before has other contents for it.")

    def _conflict(self, field: str, message: str) -> Verdict:
        if self._options.on_conflict == "skip":
            return _SKIPPED
        return refused(field, "conflict", message)


def _different(name: str) -> Fault:
    return Fault(name, "conflict", "What is there already has another value.")


def _digest(draft: Draft) -> bytes:
    return hashlib.sha256(orjson.dumps(draft.line.record, option=orjson.OPT_SORT_KEYS)).digest()
