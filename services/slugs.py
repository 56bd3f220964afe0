"""Slugs: made from titles, free ones found, former ones remembered."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from slugify import slugify
from sqlalchemy.orm import Session

from models import Post, PostSlug
from models.prepared import Question

MAX_LENGTH = 200
#: Room for "-" and a number.
_STEM = MAX_LENGTH - 10
_NUMBERED = 20


def from_title(title: str) -> str:
    """Return an ASCII slug of a title; ``post`` if nothing of it can be spelled."""
    return slugify(title, max_length=_STEM, word_boundary=True) or "post"


def free(session: Session, wanted: str, post_id: int | None = None) -> str:
    """Return ``wanted`` if no other living post has it, else wanted-2 ... or a random end.

    Two queries at most, however many posts have the same title.
    """
    if not _TAKEN.ask(session, {"wanted": wanted, "post_id": post_id or 0}):
        return wanted
    others = numbered(wanted)[1:]
    taken = _taken(session, others, post_id)
    return next((slug for slug in others if slug not in taken), unlike_any(wanted))


def numbered(wanted: str) -> list[str]:
    """Return ``wanted``, wanted-2, wanted-3 ...: what posts of one title are called in turn."""
    return [wanted, *(f"{_stem(wanted)}-{number}" for number in range(2, _NUMBERED))]


def unlike_any(wanted: str) -> str:
    """Return ``wanted`` with a random end."""
    return f"{_stem(wanted)}-{secrets.token_hex(4)}"


def is_taken(session: Session, slug: str, post_id: int) -> bool:
    """Whether another living post has ``slug``."""
    return bool(_TAKEN.ask(session, {"wanted": slug, "post_id": post_id}))


def remember(session: Session, post_id: int, former: str) -> None:
    """Let ``former`` lead to the post from now on, whoever had it before."""
    session.execute(sa.delete(PostSlug).where(PostSlug.slug == former))
    session.execute(sa.insert(PostSlug).values(post_id=post_id, slug=former))


def owner(session: Session, former: str) -> int | None:
    """Return the id of the post that used to have this slug."""
    return session.scalar(sa.select(PostSlug.post_id).where(PostSlug.slug == former))


def _stem(wanted: str) -> str:
    return wanted[:_STEM].rstrip("-")


def _taken(session: Session, wanted: list[str], post_id: int | None) -> set[str]:
    values = {"wanted": wanted, "post_id": post_id or 0}
    return {row.slug for row in _ANY_TAKEN.ask(session, values)}


_OTHERS = sa.select(Post.slug).where(
    Post.deleted_at.is_(None), Post.id != sa.bindparam("post_id", type_=sa.BigInteger)
)
_TAKEN = Question(_OTHERS.where(Post.slug == sa.bindparam("wanted")))
_ANY_TAKEN = Question(_OTHERS.where(Post.slug.in_(sa.bindparam("wanted", expanding=True))))
