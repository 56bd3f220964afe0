"""Somebody who reads the change feed, and changes posts meanwhile."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models import User
from services.actor import Actor
from services.changes import ChangeService, Cursor, Page
from services.posts import PostService
from services.transaction import reading, transact
from tests.factories import actor_of


class Feed:
    """Reads for anybody, and changes posts as the admin meanwhile."""

    def __init__(self, session: Session, admin: Actor) -> None:
        self.session = session
        self.admin = admin

    def page(self, caller: User | None, since: Cursor | None = None, **options: Any) -> Page:
        """Return one page."""
        actor = actor_of(caller) if caller else None
        with reading(self.session):
            return ChangeService(self.session, actor).page(since, **options)

    def pages(self, caller: User | None, since: Cursor | None, **options: Any) -> list[Page]:
        """Return pages until there are no more."""
        pages = [self.page(caller, since, **options)]
        while pages[-1].more:
            pages.append(self.page(caller, pages[-1].next, **options))
        return pages

    def tail(self, caller: User | None) -> Cursor:
        """Return the cursor of a copy that has everything until now."""
        return self.pages(caller, None)[-1].next

    def patch(self, id: int, **changed: Any) -> None:
        """Change a post."""
        service = PostService(self.session, self.admin)
        transact(self.session, lambda: service.patch(id, changed, None))
        self.session.expunge_all()


def told(page: Page) -> list[tuple[str, str, int, int]]:
    """Return what a page says, without the data."""
    return [(item.op, item.type, item.id, item.version) for item in page.items]
