"""Decides what becomes of the comments, likes and follows of a batch, and stores them.

Comments and likes stand in the lines after their post. A comment has no name: it is known by its
post, its author and its time, and ``nth`` where these are those of several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from models import Comment, Follow, Like, Post, User
from services import counts
from services.comments import CommentService
from services.errors import Fault
from services.transfer.drafts import Current, Draft, Planned, Utterance, Verdict, refused
from services.transfer.keeping import Comments, Origin
from services.transfer.lines import OPERATOR, Options
from services.transfer.present import Present

NOBODY = "There is no user of this name, here or in the lines before."
_CREATED, _UNCHANGED, _SKIPPED = Verdict("created"), Verdict("unchanged"), Verdict("skipped")


class Talk:
    """What users said and did about the posts of one batch, and about each other."""

    def __init__(self, session: Session, options: Options, now: datetime, there: Present) -> None:
        self._session, self._options, self._now, self._there = session, options, now, there
        self._posts: dict[int, Post | None] = {}
        self._comments: Counter[int] = Counter()
        self._likes: Counter[int] = Counter()
        self.children: Counter[int] = Counter()
        """How many comments a deletion of something else took."""

    def comment(self, draft: Draft, post: Current) -> tuple[Verdict, Current]:
        """Decide on a comment on ``post``; return it as revisions refer to it, too."""
        data = draft.data
        found = self._comment(draft, post)
        if isinstance(found, Verdict):
            version = data.get("version", 1)
            return found, Current(data["post"], None, version, found.outcome)
        comment, verdict = found
        return verdict, Current(data["post"], comment.id, comment.version, verdict.outcome)

    def like(self, draft: Draft, post: Current) -> Verdict:
        """Decide on a like of ``post``."""
        user = self._there.user(draft.data["user"])
        if user is None:
            return refused("user", "not-found", NOBODY)
        if (missing := _not_before(draft, post)) is not None:
            return missing
        if post.id is None or isinstance(user, Planned):
            return _CREATED
        self._post(post.id)  # locked
        keys = {"post_id": post.id, "user_id": user.id}
        is_new = self._relate(Like, keys, draft.data["at"])
        self._likes[post.id] += is_new and _counts(user)
        return _CREATED if is_new else _UNCHANGED

    def follow(self, draft: Draft) -> Verdict:
        """Decide on who follows whom."""
        pair = [self._there.user(draft.data[name]) for name in ("user", "follows")]
        for name, user in zip(("user", "follows"), pair, strict=True):
            if user is None:
                return refused(name, "not-found", NOBODY)
        follower, followed = pair
        if follower is followed:
            return refused("follows", "conflict", "Nobody follows themselves.")
        if not (isinstance(follower, User) and isinstance(followed, User)):
            return _CREATED
        keys = {"follower_id": follower.id, "followed_id": followed.id}
        return _CREATED if self._relate(Follow, keys, draft.data["at"]) else _UNCHANGED

    def count(self) -> None:
        """Bring the counts of the posts up to date."""
        for id in sorted(self._comments.keys() | self._likes.keys()):
            if number := self._comments[id]:
                counts.shift(self._session, counts.COMMENTS, id, number)
            if number := self._likes[id]:
                counts.shift(self._session, counts.LIKES, id, number)

    def _comment(self, draft: Draft, at: Current) -> Verdict | tuple[Comment, Verdict]:
        data = draft.data
        if (author := self._there.user(data["author"])) is None:
            return refused("author", "not-found", NOBODY)
        if (missing := _not_before(draft, at)) is not None:
            return missing
        by = self._there.user(data.get("deleted_by"))
        if by is None and data.get("deleted_by") is not None:
            return refused("deleted_by", "not-found", NOBODY)
        post = None if at.id is None else self._post(at.id)
        if post is None or isinstance(author, Planned):
            return _CREATED
        there = self._there.comments[post.id, author.id, data["created_at"]]
        nth = data.get("nth", 1)
        if nth <= len(there):
            return there[nth - 1], self._known(data, there[nth - 1])
        if faults := _contradictions(data, post, author):
            return Verdict("refused", tuple(faults))
        parent = self._parent(data, post.id)
        if isinstance(parent, Verdict):
            return parent
        if self._options.dry_run:
            return _CREATED
        comment = self._keep(data, post, author, parent, by)
        there.append(comment)
        return comment, _CREATED

    def _keep(
        self, data: Mapping[str, Any], post: Post, author: User, parent: int | None, by: Any
    ) -> Comment:
        more: dict[str, Any] = {"deleted_by": by.id if by else None}
        if kind := data.get("deleted_with"):
            gone = post if kind == "post" else author
            more |= {"deleted_at": gone.deleted_at, "deletion_id": gone.deletion_id}
            self.children[gone.deletion_id or 0] += 1
        origin = Origin.of(data, self._now, **more)
        keeper = Comments(self._session, self._options.config, origin, post, author)
        comment = keeper.keep({"body": data["body"], "parent_id": parent})
        self._comments[post.id] += comment.deleted_at is None and _counts(author)
        return comment

    def _known(self, data: Mapping[str, Any], comment: Comment) -> Verdict:
        """Decide on a comment that is there already."""
        is_gone = "deleted_at" in data or "deleted_with" in data
        differs = "body" if comment.body != data["body"] else ""
        differs = "deleted_at" if is_gone is (comment.deleted_at is None) else differs
        if not differs:
            return _UNCHANGED
        if self._options.on_conflict == "skip":
            return _SKIPPED
        if self._options.on_conflict == "update" and differs == "body" and not is_gone:
            service = CommentService(self._session, OPERATOR, self._options.config)
            service.patch(comment.id, {"body": data["body"]}, None)
            return Verdict("updated")
        return refused(differs, "conflict", "What is there already has another value.")

    def _parent(self, data: Mapping[str, Any], post_id: int) -> int | Verdict | None:
        if (answers := data.get("answers")) is None:
            return None
        if (author := self._there.user(answers["author"])) is not None:
            key: Utterance = (post_id, author.id, answers["created_at"])
            found, nth = self._there.comments[key], answers.get("nth", 1)
            if nth <= len(found):
                return int(found[nth - 1].id)
        if self._options.dry_run:
            return None  # a line before would have made it
        return refused("answers", "not-found", "There is no such comment on this post.")

    def _post(self, id: int) -> Post | None:
        """Return a post as it will stay until the commit; None if it is gone."""
        if id not in self._posts:
            if self._session.get_bind().dialect.name == "postgresql":
                lock = sa.select(Post.id).where(Post.id == id).with_for_update(key_share=True)
                self._session.execute(lock)
            statement = sa.select(Post).join(User, User.id == Post.author_id).where(Post.id == id)
            statement = statement.options(contains_eager(Post.author))
            found = self._session.scalars(statement.execution_options(populate_existing=True))
            self._posts[id] = found.one_or_none()
        return self._posts[id]

    def _relate(self, model: Any, keys: Mapping[str, int], at: datetime) -> bool:
        """Store a row unless it is there; return whether it was not."""
        there = sa.select(model.id).filter_by(**keys)
        if self._session.scalar(there) is not None:
            return False
        self._session.execute(sa.insert(model).values(**keys, created_at=at))
        return True


def _not_before(draft: Draft, post: Current) -> Verdict | None:
    """Return the refusal of what follows another line than its post's."""
    if post.slug == draft.data["post"] and post.outcome != "refused":
        return None
    return refused("post", "not-found", "This post is not in the lines right before.")


def _counts(user: User) -> bool:
    return user.status == "active" and user.deleted_at is None


def _contradictions(data: Mapping[str, Any], post: Post, author: User) -> list[Fault]:
    """Return what of a comment's line cannot be at the same time."""
    kind, faults = data.get("deleted_with"), []
    gone = {"post": post.deletion_id, "author": author.deletion_id}
    if kind is not None and gone[kind] is None:
        faults.append(Fault("deleted_with", "conflict", f"The {kind} is not deleted."))
    if kind is not None and "deleted_at" in data:
        faults.append(Fault("deleted_at", "conflict", f"It is that of the {kind}."))
    if kind is None and "deleted_at" not in data:
        for name, deletion in gone.items():
            if deletion is not None:
                faults.append(Fault(name, "not-found", f"This {name} is in the trash."))
    if data.get("deleted_by") is not None and "deleted_at" not in data:
        faults.append(Fault("deleted_by", "conflict", "It is not deleted by itself."))
    return faults
