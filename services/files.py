"""Rules about files: theirs who uploaded them, everybody's where they are public or shown.

How they come in is in services/uploads/, where their contents live in services/contents.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import File, Post, User
from services import contents
from services.authored import Authored
from services.base import ACTOR, NOW
from services.errors import ServiceError, Unauthenticated
from services.listing import Filter, Page, Query, Sort, any_of, equals
from services.pictures import shown
from services.posts import PostService
from services.storage import storage_of
from services.text import CONTROLS
from services.transaction import after_commit

#: Characters of a name.
MAX_NAME = 255
#: What a file is called whose name has nothing left that can be shown.
NAMELESS = "unnamed"
_UNSHOWN = re.compile(f"[{CONTROLS}]")


class FileService(Authored[File]):
    """Private files are their owner's and the admins', and whoever's who sees where they stand."""

    model = File
    type = "files"
    sorts = {
        "created_at": Sort(File.created_at),
        "name": Sort(File.name),
        "size": Sort(File.size),
    }
    default_sort = "-created_at"
    filters = {
        "name": equals(File.name),
        "media_type": equals(File.media_type),
        "visibility": equals(File.visibility),
        "ids": any_of(File.id),
        "own": Filter(lambda _service, _value: File.author_id == ACTOR, shape=lambda _value: None),
    }
    defaults = {"visibility": "private"}
    appears_at = Post.published_at  # a picture is seen with the post that shows it
    history = ("name", "visibility")
    is_told = False  # who sees a picture depends on where it stands, of which its log knows nothing
    staff = "admin"

    def visible_rows(self, author: Any) -> sa.ColumnElement[bool]:
        living = sa.and_(File.deleted_at.is_(None), author.deleted_at.is_(None))
        if self.is_at_least(self.staff):
            return living
        seen = sa.and_(
            author.status == "active", sa.or_(self.public_rows(NOW), *self._stand_somewhere())
        )
        own = sa.false() if self.actor is None else File.author_id == ACTOR
        return sa.and_(living, sa.or_(seen, own))

    def public_rows(self, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
        return File.visibility == "public"

    def is_public(self, item: File, moment: datetime) -> bool:
        return item.visibility == "public"

    def list(self, query: Query) -> Page:
        """Return one page of the caller's own files.

        Raises:
            Unauthenticated: nobody is signed in.
        """
        if self.actor is None:
            raise Unauthenticated()
        return super().list(replace(query, filters={**query.filters, "own": None}))

    def named(self, name: str, author_id: int) -> Any:
        """Return the newest file of a user by its name: of others, a public one.

        Raises:
            NotFound: there is none.
        """
        statement = self.visible().where(
            File.author_id == author_id, File.name == unicodedata.normalize("NFC", name)
        )
        if self.actor is None or self.actor.id != author_id:
            statement = statement.where(self.public_rows(NOW))
        return self.first(statement.order_by(File.created_at.desc(), File.id.desc()).limit(1))

    def title_of(self, item: File) -> str:
        return item.name

    def purging(self, doomed: Sequence[int]) -> None:
        """Drop the contents that no other file has, after the commit."""
        theirs = sa.select(File.sha256).where(File.id.in_(doomed)).distinct()
        found = self.session.scalars(theirs).all()
        shown.forget(self.session, doomed)
        contents.let_go(self.session, found)
        if self.config is not None:
            session, storage = self.session, storage_of(self.config)
            after_commit(session, lambda: contents.drop_quietly(session, storage, found))

    def left(self) -> int:
        """Return the bytes that the caller may still store; no other upload of theirs goes on.

        What is in the trash counts.

        Raises:
            Unauthenticated: the caller has been deleted or suspended meanwhile.
        """
        assert self.config is not None  # noqa: S101 - uploads have settings
        own = sa.select(User.id).where(
            User.id == ACTOR, User.deleted_at.is_(None), User.status == "active"
        )
        if self.session.scalar(own.with_for_update(key_share=True), self.params) is None:
            raise Unauthenticated()
        used = sa.select(sa.func.coalesce(sa.func.sum(File.size), 0)).where(File.author_id == ACTOR)
        return self.config.QUOTA_BYTES - int(self.session.scalar(used, self.params) or 0)

    def over_quota(self, left: int) -> ServiceError:
        """Return the error of a file that is larger than what the caller may still store."""
        assert self.config is not None  # noqa: S101 - uploads have settings
        quota, left = self.config.QUOTA_BYTES, max(0, left)
        return ServiceError(
            f"Your files may have {quota:,} bytes together, those in the trash included; {left:,} "
            "are left.",
            code="too-large",
            extra={"quota": quota, "left": left},
        )

    def _stand_somewhere(self) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        """Return whether a file is the picture of a visible user or post."""
        from services.users import UserService  # it may come to know files, too

        pictures = ((UserService, User.avatar_id), (PostService, Post.cover_id))
        return tuple(  # type: ignore[return-value]  # of two
            service(self.session, self.actor)
            .visible_ids()
            .where(picture == File.id)
            .correlate(File)
            .exists()
            for service, picture in pictures
        )


def clean_name(given: str) -> str:
    """Return the name of a file as it may be shown: its last part, of one line, 255 characters."""
    last = re.split(r"[/\\]", given)[-1]
    name = unicodedata.normalize("NFC", last.encode("utf-8", "replace").decode())
    name = _UNSHOWN.sub("", name).strip()
    if len(name) > MAX_NAME:
        stem, dot, end = name.rpartition(".")
        end = dot + end if stem and len(end) <= 16 else ""
        name = name[: MAX_NAME - len(end)].rstrip() + end
    return NAMELESS if name.strip(". ") == "" else name
