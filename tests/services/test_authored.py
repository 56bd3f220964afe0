"""How what users write is stored: each item gets the defaults that its table declares."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import Post, User
from services.authored import _default
from services.posts import PostService
from services.transaction import transact
from tests import factories


class TestStore:
    def test_makes_what_a_new_item_leaves_out(self, session: Session, ada: User) -> None:
        service = PostService(session, factories.actor_of(ada))

        def store() -> int:
            post = service.build(service.prepare({"title": "About nothing", "body": "x"}))
            vars(post).pop("tags", None)
            service.store(post)
            return post.id

        id = transact(session, store)

        assert session.scalars(sa.select(Post.tags).where(Post.id == id)).one() == []

    def test_makes_it_anew_for_each(self) -> None:
        make = _default(sa.Column("x", sa.JSON, default=list))

        assert make(None) == []
        assert make(None) is not make(None)

    @pytest.mark.parametrize(
        "column",
        [
            sa.Column("x", sa.Integer, server_default="1"),
            sa.Column("x", sa.Integer, default=sa.func.random()),
            sa.Column("x", sa.Integer, sa.Computed("1 + 1")),
        ],
    )
    def test_refuses_what_only_the_database_could_make(self, column: sa.Column[int]) -> None:
        with pytest.raises(TypeError):
            _default(column)
