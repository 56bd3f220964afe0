"""All who write lock in one order: users, posts, what belongs to them, tags and the log."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Comment, Deletion, Post, User
from services import counts
from tests import databases
from tests.conftest import MakeDatabase
from tests.factories import make_user
from tests.processes import together
from tests.services.tagging import recounted, stored
from tests.services.test_tags import deadlocks
from tests.services.unrest import stir

WRITERS, DEEDS = 6, 100
#: What is gone or hidden by the time that it is asked for, or a lock that takes too long.
_EXPECTED = {"not-found", "unauthenticated", "parent-deleted", "validation", "unavailable"}


@pytest.mark.parametrize("round", range(2))
def test_nobody_ever_waits_for_who_waits_for_them(make_database: MakeDatabase, round: int) -> None:
    url = make_database(f"unrest_{round}")
    engine = databases.connect(url)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        users = [make_user(session) for _ in range(WRITERS)]

        each = [(url, user.id, 10 * round + n, DEEDS) for n, user in enumerate(users)]
        failed = [code for codes in together(stir, each) for code in codes]

        assert set(failed) <= _EXPECTED
        assert len(failed) < WRITERS * DEEDS * 2 / 3
        session.rollback()
        assert deadlocks(session) == 0
        assert_whole(session)
    engine.dispose()


def assert_whole(session: Session) -> None:
    """Compare counts with what they count, and what lives with what it belongs to."""
    session.rollback()
    assert stored(session) == recounted(session)
    for count in counts.ALL:
        wrong = sa.and_(Post.deleted_at.is_(None), count.column != count.value())
        assert session.scalars(sa.select(Post.id).where(wrong)).all() == []
    orphans: tuple[tuple[Any, Any, Any], ...] = (
        (Post, User, Post.author_id),
        (Comment, User, Comment.author_id),
        (Comment, Post, Comment.post_id),
    )
    for model, parent, key in orphans:
        gone = sa.select(parent.id).where(parent.deleted_at.is_not(None))
        living = sa.select(model.id).where(model.deleted_at.is_(None), key.in_(gone))
        assert session.scalars(living).all() == []
    roots = sa.exists().where(Deletion.id == Post.deletion_id)
    taken = sa.select(Post.id).where(Post.deletion_id.is_not(None), ~roots)
    assert session.scalars(taken).all() == []
