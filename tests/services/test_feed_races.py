"""What editors do to posts while their author is suspended or comes back: the feed misses nothing.

Whoever changes a post has looked at its author; what the log says of who could see it must still be
true when it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import User
from services import clock
from services.actor import Actor
from services.posts import PostService
from services.transaction import transact
from services.users import UserService
from tests.factories import make_post
from tests.services.histories import Copy, visible, world

ADMIN = Actor(0, "admin", via="system")
#: Seconds in which an admin's change would be through, if nothing held it up.
SOON = 0.5


class Staff:
    """An editor in the middle of a transaction, an admin who comes in between, and a reader."""

    def __init__(self, engine: sa.Engine, pool: ThreadPoolExecutor) -> None:
        self.engine, self.pool = engine, pool
        self.copy = Copy(None)
        self.read()

    def set_status(self, user_id: int, status: str) -> None:
        """Suspend a user or bring them back."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            service = UserService(session, ADMIN)
            transact(session, lambda: service.patch(user_id, {"status": status}, None))

    def read(self) -> None:
        """Have the copy of somebody who is not signed in catch up."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            self.copy.catch_up(session)

    def change(self, post_id: int, status: str, *, while_author: tuple[int, str]) -> None:
        """Change a post; before that is committed, its author becomes something else."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:

            def work() -> Future[None]:
                PostService(session, ADMIN).patch(post_id, {"status": status}, None)
                other = self.pool.submit(self.set_status, *while_author)
                wait([other], SOON)
                self.read()
                return other

            transact(session, work).result()
        self.read()


@pytest.fixture
def staff(engine: sa.Engine) -> Iterator[Staff]:
    with ThreadPoolExecutor(1) as pool:
        yield Staff(engine, pool)


@pytest.mark.parametrize(("before", "after"), [("active", "suspended"), ("suspended", "active")])
@pytest.mark.parametrize("status", ["published", "draft"])
def test_a_copy_is_what_everyone_may_see(
    session: Session, staff: Staff, ada: User, before: str, after: str, status: str
) -> None:
    post = make_post(session, ada, status="draft" if status == "published" else "published")
    staff.set_status(ada.id, before)
    staff.read()

    staff.change(post.id, status, while_author=(ada.id, after))

    assert staff.copy.items == visible(*world(session), None, clock.now())
