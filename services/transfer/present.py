"""What a batch needs to know of the database, asked by a few statements for all of its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Deletion, Post, PostSlug, Revision, User
from services import slugs
from services.transfer.drafts import Draft, Identity, Memory, Planned, Utterance
from services.transfer.shapes import LOCAL
from services.users import email_key

_NAMES = {
    "user": ("username",),
    "post": ("author", "deleted_by"),
    "revision": ("user", "by"),
    "deletion": ("user", "by"),
    "comment": ("author", "deleted_by"),
    "like": ("user",),
    "follow": ("user", "follows"),
}


class Present:
    """The users, posts and revisions that the lines of one batch speak of, by natural keys."""

    def __init__(self, session: Session, drafts: Sequence[Draft], memory: Memory) -> None:
        self._session = session
        self.users: dict[str, User | Planned] = {}
        self.emails: dict[str, User | Planned] = {}
        self.posts: dict[str, Post] = {}
        self.trashed: dict[Identity, list[Post]] = defaultdict(list)
        self.former: dict[int, set[str]] = defaultdict(set)
        self.comments: dict[Utterance, list[Comment]] = defaultdict(list)
        """By post, author and time; in the order in which they were made."""
        self.revisions: dict[tuple[str, int, int], dict[str, Any]] = {}
        by_kind: dict[str, list[Draft]] = defaultdict(list)
        for draft in drafts:
            by_kind[draft.kind].append(draft)
        self._find_users(drafts, memory)
        self._find_posts(by_kind["post"])
        self._find_comments(by_kind["comment"])
        self._find_revisions(by_kind["revision"], memory)

    def user(self, name: str | None) -> User | Planned | None:
        """Return the user of a name, whatever its case."""
        return None if name is None else self.users.get(name.casefold())

    def _find_users(self, drafts: Iterable[Draft], memory: Memory) -> None:
        drafts = list(drafts)
        names = {
            draft.data[name].casefold()
            for draft in drafts
            for name in _NAMES.get(draft.kind, ())
            if draft.data.get(name) is not None
        }
        names |= {
            draft.data["answers"]["author"].casefold()
            for draft in drafts
            if "answers" in draft.data
        }
        emails = {email_key(draft.data["email"]) for draft in drafts if draft.kind == "user"}
        statement = sa.select(User).where(
            sa.or_(User.username_key.in_(names), User.email_key.in_(emails))
        )
        # Kept from a deletion at the same time, in one order, so that two imports never block.
        statement = statement.order_by(User.id).with_for_update(read=True, key_share=True)
        planned = [memory.users[name] for name in names & memory.users.keys()]
        planned += [memory.emails[email] for email in emails & memory.emails.keys()]
        for user in (*planned, *self._session.scalars(statement)):
            self.users[user.username_key] = self.emails[user.email_key] = user

    def _find_posts(self, drafts: Sequence[Draft]) -> None:
        wanted: set[str] = set()
        gone: list[Draft] = []
        for draft in drafts:
            if is_trashed(draft):
                gone.append(draft)
            elif (slug := draft.data.get("slug")) is not None:
                wanted.add(slug)
            else:
                wanted.update(slugs.numbered(draft.data["auto_slug"]))
        for post in self._session.scalars(
            sa.select(Post).where(Post.slug.in_(wanted), Post.deleted_at.is_(None))
        ):
            self.posts[post.slug] = post
        if gone:
            self._find_trashed(gone)
        if any(draft.data.get("former_slugs") for draft in drafts):
            self._find_former()

    def _find_trashed(self, drafts: Sequence[Draft]) -> None:
        authors = [self.user(draft.data["author"]) for draft in drafts]
        taken = {author.deletion_id for author in authors if author and author.deletion_id}
        times = {draft.data["deleted_at"] for draft in drafts if "deleted_at" in draft.data}
        statement = (
            sa.select(Post)
            .join(Deletion, Deletion.id == Post.deletion_id)
            .where(
                Post.slug.in_([draft.data.get("slug") for draft in drafts]),
                sa.or_(Deletion.deleted_at.in_(times), Deletion.id.in_(taken)),
            )
            .order_by(Post.id)
        )
        for post in self._session.scalars(statement):
            if post.deleted_at is not None:
                key = (post.author_id, post.slug, post.created_at, post.deleted_at)
                self.trashed[key].append(post)

    def _find_former(self) -> None:
        ids = [post.id for post in self._posts()]
        statement = sa.select(PostSlug.post_id, PostSlug.slug).where(PostSlug.post_id.in_(ids))
        for post_id, slug in self._session.execute(statement):
            self.former[post_id].add(slug)

    def _find_comments(self, drafts: Sequence[Draft]) -> None:
        spoken = [(draft.data["author"], draft.data["created_at"]) for draft in drafts]
        answered = [draft.data["answers"] for draft in drafts if "answers" in draft.data]
        spoken += [(each["author"], each["created_at"]) for each in answered]
        authors = {user.id for name, _ in spoken if (user := self.user(name))}
        of_them = Comment.author_id.in_(authors)
        at_times = Comment.created_at.in_({moment for _, moment in spoken})
        statement = sa.select(Comment).where(of_them, at_times).order_by(Comment.id)
        for comment in self._session.scalars(statement) if drafts else ():
            key = (comment.post_id, comment.author_id, comment.created_at)
            self.comments[key].append(comment)

    def _find_revisions(self, drafts: Sequence[Draft], memory: Memory) -> None:
        if not drafts:
            return
        versions = {draft.data["version"] for draft in drafts}
        ids = {
            "users": {user.id for user in self.users.values()},
            "posts": {post.id for post in self._posts()} | {memory.current.id or 0},
            "comments": {each.id for some in self.comments.values() for each in some}
            | {memory.comment.id or 0},
        }
        for type, some in ids.items():
            statement = sa.select(Revision.id, Revision.version, Revision.snapshot).where(
                Revision.type == type, Revision.id.in_(some), Revision.version.in_(versions)
            )
            for id, version, snapshot in self._session.execute(statement):
                moved = {n: value for n, value in snapshot.items() if n not in LOCAL}
                self.revisions[type, id, version] = moved

    def _posts(self) -> list[Post]:
        return [*self.posts.values(), *(post for some in self.trashed.values() for post in some)]


def is_trashed(draft: Draft) -> bool:
    """Whether a post's line says that it is in the trash."""
    return "deleted_at" in draft.data or bool(draft.data.get("deleted_with_author"))


def known(session: Session, drafts: Sequence[Draft]) -> set[int]:
    """Return the places of the lines whose user or living post is there, whatever it contains."""
    names = {
        draft.data["username"].casefold(): place
        for place, draft in enumerate(drafts)
        if draft.kind == "user" and not draft.faults
    }
    posts = {
        draft.data["slug"]: place
        for place, draft in enumerate(drafts)
        if draft.kind == "post" and "slug" in draft.data and not is_trashed(draft)
    }
    found = set()
    if names:
        statement = sa.select(User.username_key).where(User.username_key.in_(names))
        found = {names[name] for name in session.scalars(statement)}
    if posts:
        living = sa.select(Post.slug).where(Post.slug.in_(posts), Post.deleted_at.is_(None))
        found |= {posts[slug] for slug in session.scalars(living)}
    return found
