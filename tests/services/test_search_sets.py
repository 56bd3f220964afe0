"""Both databases find the same: 700 odd documents, 200 odd queries, one set for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.words import words
from services.listing import Query
from services.posts import PostService
from services.search import NoWords, Wanted, wanted
from services.transaction import reading, transact
from tests import databases
from tests.conftest import MakeDatabase
from tests.factories import actor_of, make_user
from tests.services import corpus


@dataclass(frozen=True)
class Library:
    """A database with all documents; ids count from 1 in their order."""

    engine: sa.Engine

    def find(self, asked: Wanted, sort: str | None = None) -> list[int]:
        """Return the ids of all documents found, in order."""
        query = Query(limit=100, sort=sort, filters={"status": "published", "q": asked}, total=True)
        found: list[int] = []
        with Session(self.engine) as session, reading(session):
            while True:
                page = PostService(session).list(query)
                found += [row.id for row in page.rows]
                if page.next is None:
                    break
                query = Query(
                    limit=100, sort=sort, filters=query.filters, after=page.next, total=True
                )
        assert page.total == len(found)
        return found


def _fill(engine: sa.Engine) -> None:
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        service = PostService(session, actor_of(make_user(session, "ada")))

        def write() -> None:
            for title, body, tags in corpus.documents():
                data = {"title": title, "body": body, "tags": tags, "status": "published"}
                service.create(PostService.prepare(data))

        transact(session, write)


@pytest.fixture(scope="module")
def libraries(_makers: Callable[[str], MakeDatabase]) -> Iterator[list[Library]]:
    """Both databases, whichever ``--database`` names."""
    engines = [databases.connect(_makers(name)("library")) for name in databases.BACKENDS]
    for engine in engines:
        _fill(engine)
    yield [Library(engine) for engine in engines]
    for engine in engines:
        engine.dispose()


def _asked() -> dict[str, Wanted]:
    found = {}
    for text in corpus.queries():
        try:
            found[text] = wanted(text)
        except NoWords:
            assert not words(text)
    return found


def test_the_same_is_found_in_the_same_order(libraries: list[Library]) -> None:
    sqlite, postgresql = libraries
    asked = _asked()

    found = {text: sqlite.find(each) for text, each in asked.items()}

    assert found == {text: postgresql.find(each) for text, each in asked.items()}
    assert sum(map(bool, found.values())) > len(found) / 2
    assert len(corpus.queries()) == corpus.QUERIES


def test_what_is_found_has_all_words(libraries: list[Library]) -> None:
    held = [set(words(" ".join((t, b, *tags)))) for t, b, tags in corpus.documents()]

    for text, each in _asked().items():
        wished = {n for n, has in enumerate(held, 1) if has.issuperset(each)}
        for library in libraries:
            assert set(library.find(each)) == wished, text


def test_an_order_of_ones_own_finds_the_same(libraries: list[Library]) -> None:
    for each in list(_asked().values())[::10]:
        wished = set(libraries[0].find(each))
        for library in libraries:
            found = library.find(each, sort="title")
            assert len(found) == len(set(found))
            assert set(found) == wished
