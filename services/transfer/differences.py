"""What a line says otherwise than the item that is there, or otherwise than itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import Post, User
from services.errors import Fault
from services.search import COUNTED
from services.tags import once
from services.transfer.drafts import Draft, Planned
from services.transfer.present import Present, is_trashed

_OF_USERS = ("username", "email", "name", "bio", "role", "status")
_OF_POSTS = ("title", "body", "status")
#: What ``prepare`` made of the contents; it comes along with them.
DERIVED = frozenset({"html", "auto_excerpt", COUNTED})


def user_changes(data: Mapping[str, Any], user: User) -> dict[str, Any]:
    """Return the contents of a line that a user does not have."""
    changes = {
        name: data[name] for name in _OF_USERS if name in data and data[name] != getattr(user, name)
    }
    if data.get("deleted_at") != user.deleted_at:
        changes["deleted_at"] = data.get("deleted_at")
    return changes


def post_changes(
    data: Mapping[str, Any], post: Post, author_id: int, former: set[str]
) -> dict[str, Any]:
    """Return the contents of a line that a post does not have; ``former`` are its old slugs."""
    changes = {
        name: data[name] for name in _OF_POSTS if name in data and data[name] != getattr(post, name)
    }
    if post.author_id != author_id:
        changes["author"] = author_id
    if data.get("excerpt") and (not post.has_own_excerpt or data["excerpt"] != post.excerpt):
        changes["excerpt"] = data["excerpt"]
    if "tags" in data and once(data["tags"]) != post.tags:
        changes["tags"] = data["tags"]
    # Published without a time means now, which was the time of the first import.
    says_when = data.get("published_at") is not None or data.get("status") != "published"
    if says_when and data.get("published_at", post.published_at) != post.published_at:
        changes["published_at"] = data["published_at"]
    if new := [slug for slug in data.get("former_slugs", []) if slug not in former]:
        changes["former_slugs"] = new
    if "body" in changes:
        changes |= {name: data[name] for name in DERIVED if name in data}
    return changes


def contradictions(draft: Draft, author: User | Planned, there: Present) -> list[Fault]:
    """Return what of a post's line cannot be at the same time."""
    data, faults = draft.data, []
    if is_trashed(draft):
        faults = [
            Fault(name, "required", "A post in the trash is known by it.")
            for name in ("slug", "created_at")
            if name not in data
        ]
    elif author.deleted_at is not None:
        faults.append(Fault("author", "not-found", "This user is in the trash."))
    if data.get("deleted_with_author"):
        if author.deleted_at is None:
            faults.append(Fault("deleted_with_author", "conflict", "The author is not deleted."))
        if "deleted_at" in data:
            faults.append(Fault("deleted_at", "conflict", "It is that of the author."))
    if data.get("deleted_by") is not None:
        if "deleted_at" not in data:
            faults.append(Fault("deleted_by", "conflict", "It is not deleted by itself."))
        if there.user(data["deleted_by"]) is None:
            faults.append(Fault("deleted_by", "not-found", "There is no user of this name."))
    return faults
