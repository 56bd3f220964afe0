"""The comments of a post as a list: order, filters, pages, streams, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import orjson
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Comment, Post, User
from services import clock
from tests.answers import code, data, faults, ids
from tests.factories import make_comment, make_post

API = "/api/v1"
CountQueries = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def url(post: Post) -> str:
    """Return the URL of the comments on the post."""
    return f"{API}/posts/{post.id}/comments"


@pytest.fixture
def talk(session: Session, post: Post, ada: User, bob: User) -> list[Comment]:
    """Return seven comments by two users, the older ones first; three answer the first."""
    begin = clock.now() - timedelta(hours=1)
    made: list[Comment] = []
    for n in range(7):
        answers = made[0].id if n in {2, 4, 5} else None
        at = begin + timedelta(minutes=n // 2)  # some at the same time
        author = (ada, bob)[n % 2]
        comment = make_comment(session, post, author, parent_id=answers, created_at=at)
        made.append(comment)
    make_comment(session, make_post(session, ada), bob)
    return made


class TestList:
    def test_is_by_time(self, client: FlaskClient, url: str, talk: list[Comment]) -> None:
        page = data(client.get(f"{url}?total=true"))
        assert [each["id"] for each in page["items"]] == [each.id for each in talk]
        assert (page["next"], page["total"]) == (None, 7)
        assert ids(client.get(f"{url}?sort=-created_at")) == [each.id for each in reversed(talk)]

    def test_by_who_wrote_and_what_is_answered(
        self, client: FlaskClient, url: str, talk: list[Comment], bob: User
    ) -> None:
        assert ids(client.get(f"{url}?author_id={bob.id}")) == [talk[n].id for n in (1, 3, 5)]
        assert ids(client.get(f"{url}?parent_id={talk[0].id}")) == [talk[n].id for n in (2, 4, 5)]
        assert ids(client.get(f"{url}?ids={talk[3].id},{talk[1].id}")) == [talk[1].id, talk[3].id]
        assert ids(client.get(f"{url}?parent_id={talk[1].id}")) == []

    @pytest.mark.parametrize(
        "query", ["post_id=1", "sort=body", "parent_id=x", "author_id=0", "q=said", "body=x"]
    )
    def test_by_what_it_does_not_know(self, client: FlaskClient, url: str, query: str) -> None:
        assert set(faults(client.get(f"{url}?{query}"))) == {query.partition("=")[0]}

    def test_in_pages(self, client: FlaskClient, url: str, talk: list[Comment]) -> None:
        walked: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            page = data(client.get(f"{url}?limit=3" + (f"&cursor={cursor}" if cursor else "")))
            walked += [each["id"] for each in page["items"]]
            cursor = page["next"]
        assert walked == [each.id for each in talk]
        assert ids(client.get(f"{url}?limit=3&page=2")) == [each.id for each in talk[3:6]]

    def test_with_the_cursor_of_another_post(
        self, client: FlaskClient, session: Session, url: str, talk: list[Comment], ada: User
    ) -> None:
        cursor = data(client.get(f"{url}?limit=3"))["next"]
        other = make_post(session, ada)
        assert code(client.get(f"{API}/posts/{other.id}/comments?cursor={cursor}")) == "validation"

    def test_as_a_stream(self, client: FlaskClient, url: str, talk: list[Comment]) -> None:
        lines = client.get(url, headers={"Accept": "application/x-ndjson"}).data.splitlines()
        assert [orjson.loads(line)["id"] for line in lines] == [each.id for each in talk]
        sheet = client.get(f"{url}?fields=id,body", headers={"Accept": "text/csv"}).text
        assert sheet.splitlines()[1:] == [f"{each.id},Well said." for each in talk]

    def test_of_what_is_hidden_is_no_stream_either(
        self, client: FlaskClient, session: Session, url: str, post: Post
    ) -> None:
        post.status = "draft"
        session.commit()
        assert code(client.get(url, headers={"Accept": "text/csv"})) == "not-found"

    def test_is_confirmed_as_long_as_it_is_the_same(
        self, client: FlaskClient, session: Session, url: str, talk: list[Comment], bob: User
    ) -> None:
        held = {"If-None-Match": client.get(url).headers["ETag"]}
        assert client.get(url, headers=held).status_code == 304
        talk[0].body = "Otherwise."
        session.commit()
        assert client.get(url, headers={**held, "X-Anew": "1"}).status_code == 200


class TestCost:
    def test_is_the_same_for_any_number(
        self,
        client: FlaskClient,
        session: Session,
        url: str,
        talk: list[Comment],
        post: Post,
        count_queries: CountQueries,
    ) -> None:
        counts: list[int] = []
        for _ in range(2):
            with count_queries() as queries:
                data(client.get(f"{url}?total=true", headers={"X-Anew": f"{len(counts)}"}))
            counts.append(len(queries))
            for _ in range(10):
                make_comment(session, post, post_author(session, post))
        assert counts[0] == counts[1] <= 3

    def test_of_a_page_is_that_of_an_index(
        self, client: FlaskClient, engine: sa.Engine, url: str, talk: list[Comment]
    ) -> None:
        """The list walks the index of its order, however deep: nothing is sorted."""
        cursor = data(client.get(f"{url}?limit=3"))["next"]
        asked: list[tuple[str, object]] = []

        def note(_: object, __: object, statement: str, values: object, *___: object) -> None:
            if "comments.body" in statement:
                asked.append((statement, values))

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            for query in ("limit=3", f"limit=3&cursor={cursor}"):
                data(client.get(f"{url}?{query}", headers={"X-Anew": "1"}))
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        assert len(asked) == 2
        for statement, values in asked:
            plan = explained(engine, statement, values)
            assert "ix_comments_post_id_created_at_id" in plan, plan
            assert "TEMP B-TREE" not in plan, plan
            assert "Sort" not in plan, plan


def post_author(session: Session, post: Post) -> User:
    """Return the author of a post."""
    return session.get_one(User, post.author_id)


def explained(engine: sa.Engine, statement: str, values: object) -> str:
    """Return how the database would run a statement over many rows."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        found = connection.exec_driver_sql(f"{explain} {statement}", values)  # type: ignore[arg-type]
        return "\n".join(str(row) for row in found)
