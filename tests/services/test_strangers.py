"""Rows of an extension that is gone: nobody stumbles over them, and they return with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, relationship

from models import Change, Deletion, Post, Revision, User, base_of
from models.base import PrimaryKey, SoftDeletable, Versioned
from models.engine import WRITES
from services import clock, registry, schema
from services.base import Service
from services.changes import CursorExpired
from services.errors import NotFound
from services.listing import Query
from services.posts import PostService
from services.transaction import reading, transact
from services.trash import TrashService
from services.users import UserService
from tests import databases, people
from tests.factories import actor_of, make_post
from tests.people import Note, NoteService
from tests.services.feed import Feed

T = TypeVar("T")


@pytest.fixture(scope="module")
def _engine(
    make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A database that has the tables of an extension, too."""
    engine = databases.connect(make_database("strangers"))
    schema.upgrade(engine, people.history(tmp_path_factory.mktemp("people")))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: sa.Engine) -> Iterator[sa.Engine]:
    registry.register(NoteService)
    yield _engine
    registry.reset()
    with _engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(sa.delete(Note))
    databases.clean(_engine)


@pytest.fixture
def note(session: Session, ada: User) -> Note:
    """A note by ada."""
    create = {"title": "Ada's"}
    id = _write(session, lambda own: NoteService(own, actor_of(ada)).create(create))
    return session.get_one(Note, id)


@pytest.fixture
def uninstall() -> Callable[[], None]:
    return registry.reset


def _install() -> None:
    registry.register(NoteService)


def _do(session: Session, service: type[Service[Any]], by: User, verb: str, id: int) -> None:
    _write(session, lambda own: getattr(service(own, actor_of(by)), verb)(id))


def _trash(session: Session, by: User, verb: str, type: str, id: int) -> None:
    _write(session, lambda own: getattr(TrashService(own, actor_of(by)), verb)(type, id))


def _write(session: Session, work: Callable[[Session], T]) -> T:
    """Do something in a session of its own; the given one forgets what it has read."""
    session.expunge_all()
    session.rollback()
    with Session(session.get_bind(), expire_on_commit=False, autoflush=False) as own:
        return transact(own, lambda: work(own))


def _listed(session: Session, by: User) -> list[tuple[str, int]]:
    with reading(session):
        page = TrashService(session, actor_of(by)).list(Query())
    return [(row.type, row.item_id) for row in page.rows]


def _log(session: Session, note: Note) -> list[tuple[str, int, int, int]]:
    rows = sa.select(Change.op, Change.version, Change.was, Change.now)
    rows = rows.where(Change.type == "people_notes", Change.id == note.id).order_by(Change.seq)
    return [(row.op, row.version, row.was, row.now) for row in session.execute(rows)]


def _count(session: Session, model: type[Any], *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


class TestTrash:
    def test_does_not_show_them_until_they_are_back(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        _do(session, NoteService, ada, "delete", note.id)
        root = [("people_notes", note.id)]
        assert _listed(session, ada) == _listed(session, admin) == root

        uninstall()

        assert _listed(session, ada) == _listed(session, admin) == []
        for verb in ("find", "restore", "purge"):
            with pytest.raises(NotFound):
                _trash(session, admin, verb, "people_notes", note.id)
        assert _count(session, Note) == _count(session, Deletion) == 1

        _install()

        assert _listed(session, ada) == root
        _trash(session, ada, "restore", "people_notes", note.id)
        assert session.get_one(Note, note.id).deleted_at is None

    def test_is_purged_of_others_meanwhile(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        post = make_post(session, ada)
        _do(session, NoteService, ada, "delete", note.id)
        _do(session, PostService, ada, "delete", post.id)
        uninstall()

        def purge() -> int:
            than = clock.now() + timedelta(hours=1)
            return _write(session, lambda own: TrashService(own).purge_older(than, 1))

        assert [purge(), purge()] == [1, 0]
        assert _count(session, Post) == 0
        assert _count(session, Note) == 1

    def test_has_nothing_to_restore_of_what_went_with_its_parent_meanwhile(
        self, session: Session, ada: User, note: Note
    ) -> None:
        _do(session, NoteService, ada, "delete", note.id)
        _write(session, lambda own: own.execute(sa.delete(Note)))

        with pytest.raises(NotFound):
            _trash(session, ada, "restore", "people_notes", note.id)

        _trash(session, ada, "purge", "people_notes", note.id)
        assert _listed(session, ada) == []


class TestRestore:
    def test_of_a_user_brings_back_what_went_with_them(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        _do(session, UserService, admin, "delete", ada.id)
        uninstall()

        _trash(session, admin, "restore", "users", ada.id)

        back = session.get_one(Note, note.id)
        assert (back.deleted_at, back.deletion_id, back.version) == (None, None, 3)
        assert _log(session, note)[1:] == [("delete", 2, 2, 0), ("restore", 3, 0, 2)]
        assert _count(session, Deletion) == 0
        _install()
        with reading(session):
            assert NoteService(session).row(note.id).title == "Ada's"

    def test_of_a_user_leaves_what_had_gone_before(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        _do(session, NoteService, ada, "delete", note.id)
        _do(session, UserService, admin, "delete", ada.id)
        uninstall()

        _trash(session, admin, "restore", "users", ada.id)

        assert session.get_one(Note, note.id).deleted_at is not None
        assert [op for op, *_ in _log(session, note)] == ["create", "delete"]
        _install()
        assert _listed(session, ada) == [("people_notes", note.id)]

    def test_of_a_user_who_went_meanwhile(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        uninstall()
        _do(session, UserService, admin, "delete", ada.id)
        _install()
        with pytest.raises(NotFound), reading(session):
            NoteService(session).row(note.id)

        _trash(session, admin, "restore", "users", ada.id)

        with reading(session):
            assert NoteService(session).row(note.id).version == 1


class TestPurge:
    @pytest.mark.parametrize("when", ["before", "with", "living"])
    def test_of_a_user_leaves_nothing_of_them(
        self,
        session: Session,
        ada: User,
        bob: User,
        admin: User,
        note: Note,
        uninstall: Callable[[], None],
        when: str,
    ) -> None:
        kept = {"title": "Kept"}
        _write(session, lambda own: NoteService(own, actor_of(admin)).create(kept))
        if when == "before":
            _do(session, NoteService, ada, "delete", note.id)
        if when == "living":
            uninstall()
        _do(session, UserService, admin, "delete", ada.id)
        uninstall()

        _trash(session, admin, "purge", "users", ada.id)

        assert session.scalars(sa.select(Note.title)).all() == ["Kept"]
        assert _count(session, Deletion) == 0
        kept_revisions = sa.select(Revision.snapshot).where(Revision.type == "people_notes")
        assert session.scalars(kept_revisions).all() == [kept]
        theirs = Change.type == "people_notes", Change.id == note.id
        assert _count(session, Change, *theirs) == len(_log(session, note)) > 0
        assert _count(session, Change, *theirs, Change.owner_id.is_not(None)) == 0
        assert _count(session, Change, *theirs, Change.actor_id == ada.id) == 0


class TestFeed:
    def test_tells_of_them_while_they_are_there(
        self, session: Session, ada: User, admin: User, note: Note, uninstall: Callable[[], None]
    ) -> None:
        feed = Feed(session, actor_of(admin))
        cursor = feed.tail(None)
        assert set(cursor.types) == {"users", "posts", "comments", "people_notes"}
        assert cursor.types[0] == "users"
        uninstall()
        post = make_post(session, ada)
        feed.patch(post.id, title="Another")

        with pytest.raises(CursorExpired):
            feed.page(None, cursor)
        anew = feed.pages(None, None)
        assert {item.type for page in anew for item in page.items} == {"users", "posts"}
        feed.patch(post.id, title="One more")
        assert [item.type for item in feed.page(None, anew[-1].next).items] == ["posts"]

        _install()

        items = [item for page in feed.pages(None, None) for item in page.items]
        assert ("people_notes", note.id) in {(item.type, item.id) for item in items}


class TestRegister:
    @pytest.fixture(autouse=True)
    def _reset(self) -> Iterator[None]:
        yield
        registry.reset()

    def test_of_a_type_that_is_taken(self) -> None:
        registry.register(NoteService)
        registry.register(NoteService)

        for type in ("people_notes", "posts"):
            with pytest.raises(registry.TypeTaken):
                registry.register(_service(type))

        assert registry.RESOURCES["people_notes"] is NoteService
        assert registry.RESOURCES["posts"] is PostService

    def test_of_what_belongs_to_itself(self) -> None:
        with pytest.raises(registry.NoResource, match="belong"):
            registry.register(_service("threads", parents={"threads": Note.author_id}))

        assert "threads" not in registry.RESOURCES

    def test_of_models_that_cannot_be_mapped(self) -> None:
        class Lost(Versioned, SoftDeletable, base_of("lost")):  # type: ignore[misc]  # as below
            __tablename__ = "lost_things"
            id: Mapped[PrimaryKey]
            parent: Mapped[Nobody] = relationship()  # type: ignore[name-defined]  # noqa: F821

        with pytest.raises(sa.exc.InvalidRequestError):
            registry.register(_service("lost_things", model=Lost))

        assert "lost_things" not in registry.RESOURCES

    def test_of_rows_that_nobody_owns_and_nobody_can_tell_of(self) -> None:
        class Free(Versioned, SoftDeletable, base_of("free")):  # type: ignore[misc]  # as below
            __tablename__ = "free_things"
            id: Mapped[PrimaryKey]

        with pytest.raises(AttributeError, match="author_id"):
            registry.register(_service("free_things", model=Free))

        assert "free_things" not in registry.RESOURCES

    def test_of_rows_that_the_feed_cannot_tell_of(self) -> None:
        service = _service("silent", parents={"users": Note.author_id})
        service.columns = lambda _self: (Note.id, Note.title)

        with pytest.raises(registry.NoResource, match="version in columns"):
            registry.register(service)

        service.is_told = False
        registry.register(service)
        assert "silent" in registry.RESOURCES
        assert "silent" not in registry.told()

    def test_of_rows_without_versions(self) -> None:
        class Plain(base_of("plain")):  # type: ignore[misc]  # known at run time only
            __tablename__ = "plain_things"
            id: Mapped[PrimaryKey]

        with pytest.raises(registry.NoResource, match="version"):
            registry.register(_service("plain_things", model=Plain))

        assert "plain_things" not in registry.RESOURCES


def _service(type: str, parents: dict[str, Any] | None = None, model: Any = Note) -> Any:
    class Another(Service[Any]):
        @classmethod
        def parents(cls) -> Any:
            return parents or {}

    Another.type, Another.model = type, model
    return Another
