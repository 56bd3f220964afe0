"""Models of extensions stand apart: what is wrong with them breaks nothing of the core."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from models import Base, Post, User, base_of, registry_of
from models.base import PrimaryKey
from models.extended import Extended, tables_of
from tests.people import Note


class Broken(Extended, DeclarativeBase):
    """Base of models that cannot be mapped."""

    registry = registry_of("broken")


class Orphan(Broken):
    """A model that refers to one that isn't there."""

    __tablename__ = "broken_orphans"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    user: Mapped[User] = relationship()
    parents: Mapped[Nobody] = relationship()  # type: ignore[name-defined]  # noqa: F821


class TestBase:
    def test_of_one_name_is_one(self) -> None:
        assert base_of("twice") is base_of("twice")
        assert base_of("twice").registry is registry_of("twice")
        assert base_of("twice").registry is not base_of("another").registry

    def test_makes_the_cores_kind_of_table(self) -> None:
        table = sa.inspect(Note).local_table
        assert isinstance(table, sa.Table)
        names = {str(constraint.name) for constraint in table.constraints}
        assert names == {
            "pk_people_notes",
            "fk_people_notes_author_id",
            "fk_people_notes_deletion_id",
        }
        assert table.dialect_options["sqlite"]["strict"]
        assert table.dialect_options["sqlite"]["autoincrement"]
        assert table.c.author_id.references(sa.inspect(User).local_table.c.id)

    def test_keeps_its_tables_out_of_the_cores_metadata(self) -> None:
        assert "people_notes" not in Base.metadata.tables
        assert [table.name for table in tables_of(Note.metadata)] == ["people_notes"]

    def test_joins_classes_of_the_core_by_their_names(self) -> None:
        statement = sa.select(Note).join(Note.author).where(User.role == "author")

        assert "JOIN users ON users.id = people_notes.author_id" in str(statement)

    def test_refuses_a_table_of_another_name(self) -> None:
        with pytest.raises(ValueError, match=r"broken_\.\.\."):
            type("Wrong", (Broken,), {"__tablename__": "posts_of_mine"})

        assert "posts_of_mine" not in Base.metadata.tables


class TestBrokenModels:
    def test_fail_in_their_own_statements_alone(self, session: Session, ada: User) -> None:
        for _ in range(2):
            with pytest.raises(sa.exc.InvalidRequestError):
                session.scalars(sa.select(Orphan))

            assert session.scalars(sa.select(User)).all() == [ada]
            assert session.scalars(sa.select(Post).join(Post.author)).all() == []
            assert "people_notes" in str(sa.select(Note).join(Note.author))

    def test_keep_nobody_from_mapping_more(self) -> None:
        assert sa.inspect(User).mapper.configured
        Base.registry.configure(cascade=True)
